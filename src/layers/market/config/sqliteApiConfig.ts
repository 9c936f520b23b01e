import type { ApiConfig } from "../../../services/ApiConfig.ts"
import type { SqliteDatabase } from "../../sqlite/SqliteDatabase.ts"
import { mapStoreError } from "../storeError.ts"
import { apiConfigOf } from "./apiConfigOf.ts"

const columns = "key, value, description, version, updated_at"
const select = `select ${columns} from api_config where tenant = ? and key = ?`
const selectAll = `select ${columns} from api_config where tenant = ? and substr(key, 1, length(?)) = ? order by key`
const insert = `insert into api_config (tenant, ${columns}) values (?, ?, ?, ?, ?, ?) on conflict (tenant, key) do nothing`
const update = `update api_config set value = ?, description = ?, version = ?, updated_at = ?
  where tenant = ? and key = ? and version = ?`
const remove = "delete from api_config where tenant = ? and key = ? and version = ?"

export const sqliteApiConfig = (database: SqliteDatabase): ApiConfig["Service"] => {
  const { tenant } = database
  const changes = (operation: string, sql: string, params: ReadonlyArray<string | number | null>) =>
    mapStoreError(database.write(operation, (db) => db.prepare(sql).run(...params).changes > 0))
  return apiConfigOf({
    find: (key) => mapStoreError(database.read("config", (db) => db.prepare(select).all(tenant, key))),
    list: (prefix) => mapStoreError(database.read("config", (db) => db.prepare(selectAll).all(tenant, prefix, prefix))),
    insert: ({ description, key, updatedAt, value, version }) =>
      changes("set config", insert, [tenant, key, value, description, version, updatedAt]),
    update: ({ description, key, updatedAt, value, version }) =>
      changes("set config", update, [value, description, version, updatedAt, tenant, key, version - 1]),
    remove: (key, version) => changes("unset config", remove, [tenant, key, version])
  })
}
