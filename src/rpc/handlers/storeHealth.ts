import { Effect } from "effect"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { Health } from "../contract/SystemRpcs.ts"

type Check = Health["checks"][number]

export interface Stores {
  readonly archive: ProvenanceStore["Service"]
  readonly market: MarketStore["Service"]
}

/** A store that takes longer is no store to send calls to. */
const patience = "2 seconds"

const answers = (name: string, probe: Effect.Effect<unknown, { readonly message: string }>): Effect.Effect<Check> =>
  probe.pipe(
    Effect.as({ name, ok: true, detail: "answers" }),
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.succeed({ name, ok: false, detail: `did not answer within ${patience}` })
    }),
    Effect.catch(({ message }) => Effect.succeed({ name, ok: false, detail: message }))
  )

/** Asks both stores at once; each has two seconds. */
export const storeChecks = ({ archive, market }: Stores): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.all([answers("archive", archive.sessions({ limit: 1 })), answers("market store", market.newestResponse)], {
    concurrency: "unbounded"
  })

/** Whether calls can be sent here, for System.health and /readyz alike: the stores answer, and the server is not going down. */
export const health = (stores: Stores, draining: Effect.Effect<boolean>): Effect.Effect<Health> =>
  Effect.gen(function* () {
    const ofStores = yield* storeChecks(stores)
    const isDraining = yield* draining
    const server: Check = {
      name: "server",
      ok: !isDraining,
      detail: isDraining ? "is shutting down" : "takes calls"
    }
    const checks = [...ofStores, server]
    return { ready: checks.every(({ ok }) => ok), checks }
  })
