/** Runs a command over the policies of the store of its settings, or says why it has none. */
import { Effect } from "effect"
import { expectCurrent, expectPolicies, noPolicies } from "../layers/market/upkeep/expectCurrent.ts"
import type { StorePolicies } from "../layers/market/upkeep/StorePolicies.ts"
import type { StoreUpkeep } from "../layers/market/upkeep/StoreUpkeep.ts"
import { withUpkeep } from "./withUpkeep.ts"

/** With a store whose tables are this release's; null: the data directory has none yet. */
export const withStore = <A, E, R>(
  options: { readonly readonly: boolean; readonly throughOwner?: boolean },
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
      if (upkeep === null) return yield* noPolicies("this data directory has an embedded store, or none yet")
      return yield* use(yield* expectPolicies(upkeep), upkeep.where)
    })
  )
