/**
 * The upkeep of the store that a configuration names, for a process that has that store open already.
 *
 * Responsibilities: connections of its own, beside those of the store: a question must not wait for what the store is at, and a change of
 * the schema not for its pool. They are opened by the first question and closed when none came for a while. Queueing: changes wait for
 * each other; questions wait for nobody.
 */
import { Effect, Layer, RcRef, type Redacted, Semaphore, Stream } from "effect"
import type { TenantName } from "../../../domain/Tenant.ts"
import { ControlPlane } from "../../../services/ControlPlane.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PolicyChange } from "../../../services/StorePolicies.ts"
import { expectCurrent, expectPolicies } from "./expectCurrent.ts"
import type { StorePolicies } from "./StorePolicies.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"
import { policyReport, seriesOf, sizesOf, statusOf } from "./storeStatus.ts"

export interface ControlPlaneOptions {
  /** URL of a PostgreSQL database; null for the file. */
  readonly store: Redacted.Redacted | null
  readonly filename: string
  readonly readonly: boolean
  /** Whose series are told; the default tenant's unless given. */
  readonly tenant?: TenantName
}

const idle = "1 minute"

const loadPostgres = Effect.promise(() => import("./postgresUpkeep.ts"))
const loadSqlite = Effect.promise(() => import("./sqliteUpkeep.ts"))

const set = (policies: StorePolicies, change: PolicyChange): Effect.Effect<boolean, MarketStoreError> => {
  switch (change.policy) {
    case "chunks":
      return Effect.as(policies.setChunks(change.table, change.millis), true)
    case "compression":
      return change.afterMillis === null
        ? policies.removeCompression(change.table)
        : Effect.as(policies.setCompression(change.table, change.afterMillis), true)
    case "retention": {
      const of = { kind: change.kind, timeframe: change.timeframe ?? null }
      return change.afterMillis === null
        ? policies.removeRetention(of)
        : Effect.as(policies.setRetention(of, change.afterMillis), true)
    }
    case "aggregate":
      return change.everyMillis === null
        ? policies.removeAggregate(change.timeframe)
        : Effect.as(policies.addAggregate(change.timeframe, change.everyMillis), true)
  }
}

const make = Effect.fnUntraced(function* (options: ControlPlaneOptions) {
  const { filename, store, tenant } = options
  const open = (readonly: boolean) =>
    store === null
      ? Effect.flatMap(loadSqlite, ({ sqliteUpkeep }) => sqliteUpkeep(filename, readonly, tenant))
      : Effect.flatMap(loadPostgres, ({ postgresUpkeep }) => postgresUpkeep(store, readonly, tenant))
  const reading = yield* RcRef.make({ acquire: open(true), idleTimeToLive: idle })
  const changes = yield* Semaphore.make(1)

  const look = <A>(ask: (upkeep: StoreUpkeep) => Effect.Effect<A, MarketStoreError>) =>
    Effect.scoped(Effect.flatMap(RcRef.get(reading), ask))
  const change = <A>(act: (upkeep: StoreUpkeep) => Effect.Effect<A, MarketStoreError>) =>
    changes.withPermit(Effect.scoped(Effect.flatMap(open(options.readonly), act)))

  return ControlPlane.of({
    schema: look(({ report }) => report),
    status: look(statusOf),
    sizes: look(sizesOf),
    series: Stream.unwrap(Effect.map(RcRef.get(reading), seriesOf)),
    migrate: change(({ migrate, report }) =>
      Effect.gen(function* () {
        const applied = yield* migrate
        return { applied, version: (yield* report).version }
      })
    ),
    stamp: (version, confirm) => change(({ stamp }) => stamp(version, confirm)),
    policies: look((upkeep) =>
      Effect.flatMap(upkeep.policies, (policies) =>
        typeof policies === "string"
          ? Effect.succeed(null)
          : Effect.andThen(expectCurrent(upkeep), policyReport(policies))
      )
    ),
    setPolicy: (wanted) =>
      change((upkeep) => Effect.flatMap(expectPolicies(upkeep), (policies) => set(policies, wanted))),
    retain: (of, before) =>
      change((upkeep) => Effect.andThen(expectCurrent(upkeep), upkeep.retain(of, before, { apply: true }))),
    compress: (table, before) =>
      change((upkeep) => Effect.flatMap(expectPolicies(upkeep), ({ compress }) => compress(table, before))),
    refresh: (timeframe, range) =>
      change((upkeep) =>
        Effect.flatMap(expectPolicies(upkeep), ({ refreshAggregate }) => refreshAggregate(timeframe, range))
      )
  })
})

export const layer = (options: ControlPlaneOptions): Layer.Layer<ControlPlane> =>
  Layer.effect(ControlPlane, make(options))
