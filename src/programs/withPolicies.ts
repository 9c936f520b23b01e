/** Runs a command over the policies of the store of its settings, or says why it has none. */
import { Effect } from "effect"
import { refusalOf } from "../layers/market/upkeep/SchemaReport.ts"
import type { StorePolicies } from "../layers/market/upkeep/StorePolicies.ts"
import type { StoreUpkeep } from "../layers/market/upkeep/StoreUpkeep.ts"
import { MarketStoreError, StoreSchemaMismatch, StoreUnavailable } from "../services/MarketStore.ts"
import { withUpkeep } from "./withUpkeep.ts"

const missing = (message: string) =>
  new MarketStoreError({ reason: new StoreUnavailable({ message: `that needs TimescaleDB: ${message}` }) })

/** Policies stand on the tables of this release. */
const expectCurrent = Effect.fnUntraced(function* ({ report, where }: StoreUpkeep) {
  const schema = yield* report
  if (schema.state === "current") return
  const message =
    refusalOf(where, schema) ??
    `${where} has schema version ${schema.version}, this release needs ${schema.expected}: tapestry store migrate`
  return yield* new MarketStoreError({ reason: new StoreSchemaMismatch({ message }) })
})

/** With a store whose tables are this release's; null: the data directory has none yet. */
export const withStore = <A, E, R>(
  options: { readonly readonly: boolean },
  use: (upkeep: StoreUpkeep) => Effect.Effect<A, E, R>
) =>
  withUpkeep(options, (upkeep) =>
    upkeep === null ? Effect.succeed(null) : Effect.andThen(expectCurrent(upkeep), use(upkeep))
  )

export const withPolicies = <A, E, R>(
  options: { readonly readonly: boolean },
  use: (policies: StorePolicies, where: string) => Effect.Effect<A, E, R>
) =>
  withUpkeep(options, (upkeep) =>
    Effect.gen(function* () {
      if (upkeep === null) return yield* missing("this data directory has an embedded store, or none yet")
      const policies = yield* upkeep.policies
      if (typeof policies === "string") return yield* missing(policies)
      yield* expectCurrent(upkeep)
      return yield* use(policies, upkeep.where)
    })
  )
