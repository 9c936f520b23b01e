/** A store's state and sizes, of what its upkeep says. */
import { Effect, Stream } from "effect"
import type { SchemaReport, StoreSizes, StoreStatus } from "../../../services/ControlPlane.ts"
import type { PolicyReport } from "../../../services/StorePolicies.ts"
import type { StorePolicies } from "./StorePolicies.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"

/** Tables of another release may be others: nothing is counted there. */
const isKnown = ({ state }: SchemaReport): boolean => state === "current" || state === "behind"

export const policyReport = Effect.fnUntraced(function* ({
  aggregates,
  hypertables,
  policies,
  version
}: StorePolicies) {
  const report: PolicyReport = {
    timescale: version,
    hypertables: yield* hypertables,
    aggregates: yield* aggregates,
    policies: yield* policies
  }
  return report
})

/** Who only works in a database may not look into the schema of the tables, where hypertables and policies are. */
const shown = (found: Effect.Success<StoreUpkeep["policies"]>) =>
  typeof found === "string"
    ? Effect.succeed({ timescale: null, policiesWithheld: false })
    : policyReport(found).pipe(
        Effect.map((timescale) => ({ timescale, policiesWithheld: false })),
        Effect.catchReason("MarketStoreError", "StoreTenantDenied", () =>
          Effect.succeed({ timescale: null, policiesWithheld: true })
        )
      )

export const statusOf = Effect.fnUntraced(function* ({ bytes, kinds, policies, report, store, where }: StoreUpkeep) {
  const schema = yield* report
  const found = yield* policies
  const status: StoreStatus = {
    store,
    where,
    bytes: yield* bytes,
    ...schema,
    kinds: isKnown(schema) ? yield* kinds : null,
    ...(yield* shown(found))
  }
  return status
})

export const sizesOf = Effect.fnUntraced(function* ({ bytes, store, tables, where }: StoreUpkeep) {
  const sizes: StoreSizes = { store, where, bytes: yield* bytes, tables: yield* tables }
  return sizes
})

export const seriesOf = ({ report, series }: StoreUpkeep) =>
  Stream.unwrap(Effect.map(report, (schema) => (isKnown(schema) ? series : Stream.empty)))
