import { Effect } from "effect"
import type { Tenants } from "../../../services/Tenants.ts"
import type { SqliteDatabase } from "../../sqlite/SqliteDatabase.ts"
import { mapStoreError } from "../storeError.ts"
import { tenantsOf } from "./tenantsOf.ts"

const selectAll = `select t.name, t.id, t.created_at,
  (select count(*) from series s where s.tenant = t.name),
  (select coalesce(sum(g.row_count), 0) from series s join generations g on g.id = s.generation where s.tenant = t.name)
  from tenants t order by t.name`
const insert = "insert into tenants (name, id, created_at) values (?, ?, ?) on conflict (name) do nothing"
const remove = `delete from tenants where name = ?
  and not exists (select 1 from series where tenant = ?) and not exists (select 1 from jobs where tenant = ?)`

export const sqliteTenants = (database: SqliteDatabase): Tenants =>
  tenantsOf({
    where: database.filename,
    list: mapStoreError(database.read("tenants", (db) => db.prepare(selectAll).all())),
    insert: (name, id, now) =>
      mapStoreError(database.write("add tenant", (db) => db.prepare(insert).run(name, id, now).changes > 0)),
    remove: ({ name }) =>
      mapStoreError(
        database.write("remove tenant", (db) => {
          if (db.prepare(remove).run(name, name, name).changes === 0) return false
          db.prepare("delete from api_config where tenant = ?").run(name)
          return true
        })
      )
  })

/** Whether there is such a tenant. */
export const knows = (database: SqliteDatabase, name: string) =>
  Effect.map(
    database.read("tenant", (db) => db.prepare("select 1 from tenants where name = ?").get(name)),
    (row) => row !== undefined
  )
