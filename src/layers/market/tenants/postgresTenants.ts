import { Effect } from "effect"
import { TenantId, type TenantName } from "../../../domain/Tenant.ts"
import { MarketStoreError, StoreTenantDenied } from "../../../services/MarketStore.ts"
import type { Tenants } from "../../../services/Tenants.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
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

/** Through the views, which show one tenant what is its own. */
const selectOwn = `select t.name, t.id::text, t.created_at, (select count(*) from tapestry_app.series),
  (select coalesce(sum(g.row_count), 0)::int8 from tapestry_app.series s join tapestry_app.generations g on g.id = s.generation)
  from tapestry_app.tenants t`
const selectId = "select tapestry_app.tenant_id($1)::text"

/** A user who may work in the database sees no other tenant than the one that he works for. */
const forOwners = (address: string) =>
  Effect.mapError((error: PostgresFailure) =>
    error.sqlState === "42501"
      ? new MarketStoreError({
          reason: new StoreTenantDenied({
            message: `${error.message}: whose rows there are in ${address}, and who may be added or removed, is for the user who migrates it; give --store with that one (GRANT tapestry_app is for who works for a tenant: tapestry tenants show NAME shows it what is its own)`
          })
        })
      : error
  )

export const postgresTenants = (database: PostgresDatabase): Tenants => {
  const mapDenied = forOwners(database.address)
  const denied = <A>(effect: Effect.Effect<A, PostgresFailure>) => mapStoreFailure(mapDenied(effect))
  return tenantsOf({
    where: database.address,
    list: denied(database.bare("tenants")(selectAll)),
    own: (name: TenantName) =>
      mapStoreFailure(
        Effect.gen(function* () {
          const [row] = yield* database.bare("tenant")(selectId, [text(name)])
          const id = row?.[0]
          if (typeof id !== "string") return null
          return (yield* database.forTenant(TenantId.make(id)).query("tenant")(selectOwn))[0] ?? null
        })
      ),
    insert: (name, id, now) =>
      denied(
        Effect.map(database.bare("add tenant")(insert, [text(name), uuid(id), int8(now)]), (rows) => rows.length > 0)
      ),
    remove: ({ id }) =>
      denied(
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
}
