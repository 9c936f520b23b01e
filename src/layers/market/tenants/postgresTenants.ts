import { Effect } from "effect"
import type { Tenants } from "../../../services/Tenants.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { int8, text, uuid } from "../../postgres/values.ts"
import { mapStoreFailure } from "../postgres/storeFailure.ts"
import { tenantsOf } from "./tenantsOf.ts"

const selectAll = `select t.name, t.id::text, t.created_at,
  (select count(*) from tapestry_base.series s where s.tenant = t.id),
  (select coalesce(sum(g.row_count), 0)::int8 from tapestry_base.series s
    join tapestry_base.generations g on g.id = s.generation where s.tenant = t.id)
  from tapestry_base.tenants t order by t.name`
const insert = `insert into tapestry_base.tenants (name, id, created_at) values ($1, $2, $3)
  on conflict (name) do nothing returning 1`
const remove = `delete from tapestry_base.tenants t where t.id = $1
  and not exists (select from tapestry_base.series s where s.tenant = t.id)
  and not exists (select from tapestry_base.jobs j where j.tenant = t.id) returning 1`

export const postgresTenants = (database: PostgresDatabase): Tenants =>
  tenantsOf({
    where: database.address,
    list: mapStoreFailure(database.bare("tenants")(selectAll)),
    insert: (name, id, now) =>
      mapStoreFailure(
        Effect.map(database.bare("add tenant")(insert, [text(name), uuid(id), int8(now)]), (rows) => rows.length > 0)
      ),
    remove: ({ id }) =>
      mapStoreFailure(
        database
          .bare("remove tenant")(remove, [uuid(id)])
          .pipe(
            Effect.map((rows) => rows.length > 0),
            // A series that came meanwhile.
            Effect.catchIf(
              ({ sqlState }) => sqlState === "23503",
              () => Effect.succeed(false)
            )
          )
      )
  })
