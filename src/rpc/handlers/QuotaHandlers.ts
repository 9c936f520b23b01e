import { Effect } from "effect"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { Quota, QuotaError, UnknownAccount } from "../../services/Quota.ts"
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

  /** Of all vendors, in alphabetical order. */
  const accounts = Effect.map(
    Effect.flatMap(registry.list, (vendors) => Effect.forEach(vendors, accountOf)),
    (found) => [...new Set(found.flat())].sort()
  )

  return QuotaRpcs.of({
    // Of an account that nobody has nothing is spent; a mistyped name would look like a budget that is whole.
    "Quota.use": ({ account }) =>
      Effect.flatMap(accounts, (known) =>
        known.includes(account)
          ? quota.use(account)
          : Effect.fail(new QuotaError({ reason: new UnknownAccount({ account, known }) }))
      ),

    "Quota.list": () => Effect.flatMap(accounts, (known) => Effect.forEach(known, quota.use))
  })
})

export const layer = QuotaRpcs.toLayer(make)
