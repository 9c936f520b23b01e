/** The tenants of a store, over the few statements in which databases differ. */
import { Clock, Effect, Result } from "effect"
import { defaultTenant, TenantId, TenantName } from "../../../domain/Tenant.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import {
  TenantExists,
  TenantInUse,
  type TenantSummary,
  type Tenants,
  TenantsError,
  TenantUnknown
} from "../../../services/Tenants.ts"
import { nearest } from "../../config/nearest.ts"
import { num, type SqlRow } from "../rows.ts"

export interface TenantStatements {
  /** A path, or `host:port/database`. */
  readonly where: string
  /** Rows as {@link toSummary} takes them. */
  readonly list: Effect.Effect<ReadonlyArray<SqlRow>, MarketStoreError>
  /** One of those rows, for who may not see all of them; null where there is no such tenant. */
  readonly own?: (name: TenantName) => Effect.Effect<SqlRow | null, MarketStoreError>
  /** False where the name is taken. */
  readonly insert: (name: TenantName, id: TenantId, now: number) => Effect.Effect<boolean, MarketStoreError>
  /** False where something of it is there. */
  readonly remove: (tenant: TenantSummary) => Effect.Effect<boolean, MarketStoreError>
}

const toSummary = (row: SqlRow): TenantSummary => ({
  name: TenantName.make(String(row[0])),
  id: TenantId.make(String(row[1])),
  createdAt: num(row[2]),
  series: num(row[3]),
  rows: num(row[4])
})

const unknownTenant = (where: string, name: TenantName, known: ReadonlyArray<string>): string => {
  const near = nearest(name, known)
  return `${where} has no tenant ${name}${near === null ? "" : `; did you mean ${near}?`} tapestry tenants list shows those that are there, tapestry tenants add ${name} makes it`
}

export const tenantsOf = (statements: TenantStatements): Tenants => {
  const { where } = statements
  const list = Effect.map(statements.list, (rows) => rows.map(toSummary))
  const isDenied = ({ reason }: MarketStoreError) => reason._tag === "StoreTenantDenied"
  const ownOf = Effect.fnUntraced(function* (name: TenantName, denied: MarketStoreError) {
    const row = statements.own === undefined ? null : yield* statements.own(name)
    return row === null ? yield* denied : toSummary(row)
  })
  const find = Effect.fnUntraced(function* (name: TenantName) {
    const seen = yield* Effect.result(list)
    if (Result.isFailure(seen)) return yield* isDenied(seen.failure) ? ownOf(name, seen.failure) : seen.failure
    const all = seen.success
    const found = all.find((tenant) => tenant.name === name)
    if (found !== undefined) return found
    const names = all.map((tenant) => tenant.name)
    return yield* new TenantsError({ reason: new TenantUnknown({ message: unknownTenant(where, name, names) }) })
  })
  return {
    list,
    find,
    add: Effect.fnUntraced(function* (name) {
      const id = TenantId.make(globalThis.crypto.randomUUID())
      const createdAt = yield* Clock.currentTimeMillis
      if (yield* statements.insert(name, id, createdAt)) return { name, id, createdAt, series: 0, rows: 0 }
      return yield* new TenantsError({
        reason: new TenantExists({ message: `${where} has a tenant ${name} already; tapestry tenants show ${name}` })
      })
    }),
    remove: Effect.fnUntraced(function* (name) {
      const tenant = yield* find(name)
      const inUse = (why: string) => new TenantsError({ reason: new TenantInUse({ message: `${name} ${why}` }) })
      if (name === defaultTenant.name) {
        return yield* inUse("is the tenant of whoever names none, and stays")
      }
      if (yield* statements.remove(tenant)) return
      return yield* inUse(`has series or jobs in ${where}: forget them first, or leave it`)
    })
  }
}
