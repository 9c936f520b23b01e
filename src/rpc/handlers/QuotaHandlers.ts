import { Effect } from "effect"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { Quota } from "../../services/Quota.ts"
import { QuotaRpcs } from "../contract/QuotaRpcs.ts"

const make = Effect.gen(function* () {
  const quota = yield* Quota
  const registry = yield* AdapterRegistry

  /** The account of a vendor, or none when it was unregistered in between. */
  const accountOf = (vendor: string) =>
    Effect.orElseSucceed(
      Effect.map(registry.resolve(vendor), ({ account }) => [account]),
      () => []
    )

  return QuotaRpcs.of({
    "Quota.use": ({ account }) => quota.use(account),

    "Quota.list": () =>
      Effect.gen(function* () {
        const accounts = yield* Effect.forEach(yield* registry.list, accountOf)
        return yield* Effect.forEach([...new Set(accounts.flat())].sort(), quota.use)
      })
  })
})

export const layer = QuotaRpcs.toLayer(make)
