import { Effect, Metric, Schedule, type Scope } from "effect"
import { MarketStore } from "../../services/MarketStore.ts"
import { storeUp } from "../../services/Metrics.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { storeChecks } from "../handlers/storeHealth.ts"

/** What a scraper asks for no oftener than. */
const interval = "15 seconds"

/** Keeps the gauge of whether the stores answer, for as long as the scope lives. */
export const watch: Effect.Effect<void, never, Scope.Scope | MarketStore | ProvenanceStore> = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const look = storeChecks({ archive, market }).pipe(
    Effect.map((checks) => checks.every(({ ok }) => ok)),
    Effect.catchCause(() => Effect.succeed(false)),
    Effect.flatMap((up) => Metric.update(storeUp, up ? 1 : 0))
  )
  yield* look.pipe(Effect.repeat(Schedule.spaced(interval)), Effect.forkScoped)
})
