import { Effect } from "effect"
import type { ApiConfig } from "../../../services/ApiConfig.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { int8, ownTenant, type SqlParameter, text } from "../../postgres/values.ts"
import { mapStoreFailure } from "../postgres/storeFailure.ts"
import { apiConfigOf } from "./apiConfigOf.ts"

const columns = "key, value, description, version, updated_at"
const select = `select ${columns} from tapestry_app.api_config where tenant = $1 and key = $2`
const selectAll = `select ${columns} from tapestry_app.api_config where tenant = $1 and starts_with(key, $2) order by key`
const insert = `insert into tapestry_app.api_config (tenant, ${columns}) values ($1, $2, $3, $4, $5, $6)
  on conflict (tenant, key) do nothing returning 1`
const update = `update tapestry_app.api_config set value = $3, description = $4, version = $5, updated_at = $6
  where tenant = $1 and key = $2 and version = $7 returning 1`
const remove = "delete from tapestry_app.api_config where tenant = $1 and key = $2 and version = $3 returning 1"

export const postgresApiConfig = (database: PostgresDatabase): ApiConfig["Service"] => {
  const rows = (operation: string, sql: string, params: ReadonlyArray<SqlParameter>) =>
    mapStoreFailure(database.query(operation)(sql, [ownTenant, ...params]))
  const changes = (operation: string, sql: string, params: ReadonlyArray<SqlParameter>) =>
    Effect.map(rows(operation, sql, params), ({ length }) => length > 0)
  return apiConfigOf({
    find: (key) => rows("config", select, [text(key)]),
    list: (prefix) => rows("config", selectAll, [text(prefix)]),
    insert: ({ description, key, updatedAt, value, version }) =>
      changes("set config", insert, [text(key), text(value), text(description), int8(version), int8(updatedAt)]),
    update: ({ description, key, updatedAt, value, version }) =>
      changes("set config", update, [
        text(key),
        text(value),
        text(description),
        int8(version),
        int8(updatedAt),
        int8(version - 1)
      ]),
    remove: (key, version) => changes("unset config", remove, [text(key), int8(version)])
  })
}
