import { Effect } from "effect"
import { vendorSessions } from "../../layers/registry/vendorSessions.ts"
import { isConnected } from "../../layers/streams/liveReadiness.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { MarketStreams, StreamState } from "../../services/MarketStreams.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { VendorSession } from "../../services/VendorSession.ts"
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

/** How live data stand; `active`: streams that are wanted, and have not ended. */
export interface LiveStanding {
  readonly active: number
  /** They have no room at their vendor, and come in their turn: nobody can do anything about it here. */
  readonly waiting: number
  /** Those that broke and do not run again, or that could not be had at the first try. */
  readonly broken: ReadonlyArray<StreamState>
  readonly sessions: ReadonlyArray<VendorSession>
}

export const liveStanding = Effect.fnUntraced(function* (
  streams: MarketStreams["Service"],
  registry: AdapterRegistry["Service"]
): Effect.fn.Return<LiveStanding> {
  const states = yield* Effect.orElseSucceed(streams.states, (): ReadonlyArray<StreamState> => [])
  return {
    active: states.filter(({ state }) => state !== "closed").length,
    waiting: states.filter(({ state }) => state === "waiting").length,
    broken: states.filter(({ opened, state }) => state === "gap" || (state === "starting" && opened > 1)),
    sessions: yield* vendorSessions(registry)
  }
})

const streamsCheck = ({ active, broken, waiting }: LiveStanding): ReadonlyArray<Check> => {
  if (active === 0) return []
  const [first] = broken
  const waits = waiting === 0 ? "" : `; ${waiting} of ${active} wait for room at their vendor`
  const detail =
    first === undefined
      ? `${active - waiting} run`
      : `${broken.length} of ${active} do not run, among them ${first.key.kind} of ${first.key.symbol} (${first.key.vendor})`
  return [{ name: "streams", ok: broken.length === 0, detail: `${detail}${waits}` }]
}

const sessionCheck = (session: VendorSession): Check => ({
  name: `session ${session.vendor}`,
  ok: isConnected(session),
  detail: session.problem === null ? session.state : `${session.state}: ${session.problem}`
})

/** A part of the server as monitors of the system that this replaces read it. */
export interface HealthComponent {
  readonly name: string
  readonly state: "healthy" | "degraded" | "unhealthy"
  readonly details: Readonly<Record<string, string>>
}

/** What the process knows of its parts without asking anybody. */
export const componentsOf = (live: LiveStanding, draining: boolean): ReadonlyArray<HealthComponent> => {
  const { active, broken, sessions, waiting } = live
  const streams: HealthComponent = {
    name: "streams",
    state: broken.length === 0 ? "healthy" : "degraded",
    details: { active: String(active), waiting: String(waiting), broken: String(broken.length) }
  }
  return [
    {
      name: "server",
      state: draining ? "degraded" : "healthy",
      details: draining ? { detail: "is shutting down" } : {}
    },
    ...sessions.map((session): HealthComponent => {
      const { connectedAt, problem, state } = session
      return {
        name: `session ${session.vendor}`,
        state: isConnected(session) ? (state === "degraded" ? "degraded" : "healthy") : "unhealthy",
        details: {
          state,
          place: session.place,
          ...(problem === null ? {} : { problem }),
          ...(connectedAt === null ? {} : { connectedAt })
        }
      }
    }),
    ...(active === 0 ? [] : [streams])
  ]
}

/**
 * Whether calls can be sent here, for System.health and /readyz alike: the stores answer, sessions that are needed are connected, live streams that are
 * wanted run, and the server is not going down. A stream that its vendor has refused has ended, and one that waits for room comes in its turn: neither makes
 * a server that serves all others one that is not ready.
 */
export const health = (stores: Stores, live: LiveStanding, draining: Effect.Effect<boolean>): Effect.Effect<Health> =>
  Effect.gen(function* () {
    const ofStores = yield* storeChecks(stores)
    const isDraining = yield* draining
    const server: Check = {
      name: "server",
      ok: !isDraining,
      detail: isDraining ? "is shutting down" : "takes calls"
    }
    const checks = [...ofStores, ...live.sessions.map(sessionCheck), ...streamsCheck(live), server]
    return { ready: checks.every(({ ok }) => ok), checks }
  })
