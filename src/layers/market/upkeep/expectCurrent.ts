/** What stands before work that only tables of this release allow, or only TimescaleDB. */
import { Effect } from "effect"
import { MarketStoreError, StoreSchemaMismatch, StoreUnavailable } from "../../../services/MarketStore.ts"
import { refusalOf } from "./SchemaReport.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"

export const noPolicies = (message: string) =>
  new MarketStoreError({ reason: new StoreUnavailable({ message: `that needs TimescaleDB: ${message}` }) })

export const expectCurrent = Effect.fnUntraced(function* ({ report, where }: StoreUpkeep) {
  const schema = yield* report
  if (schema.state === "current") return
  const message =
    refusalOf(where, schema) ??
    `${where} has schema version ${schema.version}, this release needs ${schema.expected}: tapestry store migrate`
  return yield* new MarketStoreError({ reason: new StoreSchemaMismatch({ message }) })
})

/** The policies of the store, whose tables are this release's. */
export const expectPolicies = Effect.fnUntraced(function* (upkeep: StoreUpkeep) {
  const policies = yield* upkeep.policies
  if (typeof policies === "string") return yield* noPolicies(policies)
  yield* expectCurrent(upkeep)
  return policies
})
