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

/** The first condition names a partial index. */
const selectAtWork = `select tenant from jobs where state in ('queued', 'running') and state = 'running' union
  select tenant from (
    select tenant from (
      select tenant, priority, seq, row_number() over (partition by tenant order by priority desc, seq) as place
      from jobs where state = 'queued' and coalesce(not_before, 0) <= ?
    ) where place = 1 order by priority desc, seq limit ?
  )`

/** The tenants that have jobs under way, or due by then: of those the first so many, by the job that each would begin. */
export const atWork = (database: SqliteDatabase, now: number, most: number) =>
  Effect.map(
    database.read("tenants at work", (db) => db.prepare(selectAtWork).all(now, most)),
    (rows) => rows.map(([name]) => String(name))
  )
