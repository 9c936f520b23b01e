import { Effect } from "effect"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { MarketStreams, StreamState } from "../../services/MarketStreams.ts"
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

/** How live streams stand; `active`: that are wanted, and have not ended. */
export interface StreamsStanding {
  readonly active: number
  /** Those that broke and do not run again, or that could not be had at the first try. */
  readonly broken: ReadonlyArray<StreamState>
}

export const streamsStanding = (streams: MarketStreams["Service"]): Effect.Effect<StreamsStanding> =>
  Effect.map(
    Effect.orElseSucceed(streams.states, (): ReadonlyArray<StreamState> => []),
    (states) => ({
      active: states.filter(({ state }) => state !== "closed").length,
      broken: states.filter(({ opened, state }) => state === "gap" || (state === "starting" && opened > 1))
    })
  )

const streamsCheck = ({ active, broken }: StreamsStanding): ReadonlyArray<Check> => {
  if (active === 0) return []
  const [first] = broken
  const detail =
    first === undefined
      ? `${active} run`
      : `${broken.length} of ${active} do not run, among them ${first.key.kind} of ${first.key.symbol} (${first.key.vendor})`
  return [{ name: "streams", ok: broken.length === 0, detail }]
}

/**
 * Whether calls can be sent here, for System.health and /readyz alike: the stores answer, live streams that are wanted run, and the server is not
 * going down.
 */
export const health = (
  stores: Stores,
  streams: StreamsStanding,
  draining: Effect.Effect<boolean>
): Effect.Effect<Health> =>
  Effect.gen(function* () {
    const ofStores = yield* storeChecks(stores)
    const isDraining = yield* draining
    const server: Check = {
      name: "server",
      ok: !isDraining,
      detail: isDraining ? "is shutting down" : "takes calls"
    }
    const checks = [...ofStores, ...streamsCheck(streams), server]
    return { ready: checks.every(({ ok }) => ok), checks }
  })
