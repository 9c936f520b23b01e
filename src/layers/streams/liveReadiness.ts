import type { StreamState } from "../../services/MarketStreams.ts"
import type { VendorSession } from "../../services/VendorSession.ts"

/** Whether what is live is as it should be. */
export interface LiveReadiness {
  /** Both of the next two. */
  readonly ready: boolean
  /** Every session that is needed is connected to what its vendor knows. */
  readonly connected: boolean
  /** The vendor sends what was asked for; rows of a gap may still be on their way. */
  readonly rehydrated: boolean
  /** Upstreams that have not ended, those that wait for room at the vendor among them. */
  readonly active: number
  /** What stands in the way, a line each, and what waits for room. */
  readonly problems: ReadonlyArray<string>
}

/** One that nobody has needed yet is as connected as it has to be. */
export const isConnected = ({ state, upstream }: VendorSession): boolean =>
  state === "idle" || state === "ready" || (state === "degraded" && upstream)

export const liveReadiness = (
  sessions: ReadonlyArray<VendorSession>,
  streams: ReadonlyArray<Pick<StreamState, "key" | "state">>
): LiveReadiness => {
  const away = sessions.filter((session) => !isConnected(session))
  const open = streams.filter(({ state }) => state !== "closed")
  const waiting = open.filter(({ state }) => state === "starting" || state === "gap")
  return {
    ready: away.length === 0 && waiting.length === 0,
    connected: away.length === 0,
    rehydrated: waiting.length === 0,
    active: open.length,
    problems: [
      ...away.map(({ problem, state, vendor }) => `${vendor}: ${problem ?? state}`),
      ...[...waiting, ...open.filter(({ state }) => state === "waiting")].map(
        ({ key, state }) => `${key.kind} of ${key.symbol} at ${key.vendor}: ${state}`
      )
    ]
  }
}
