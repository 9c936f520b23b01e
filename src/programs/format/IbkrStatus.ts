/** A session with a gateway, as `ibkr status` shows it. */
import type { LiveReadiness } from "../../layers/streams/liveReadiness.ts"
import type { VendorSession } from "../../services/VendorSession.ts"

/** A session, and where it is an owner's what streams over it. */
export interface GatewayStatus {
  readonly session: VendorSession
  /** Null: the connection is the command's own, over which nothing streams. */
  readonly live: LiveReadiness | null
}

export const statusDocument = ({ live, session }: GatewayStatus) => ({
  gateway: session.place,
  state: session.state,
  problem: session.problem,
  upstream: session.upstream,
  connection: session.connection,
  clientId: session.clientId,
  serverVersion: session.serverVersion,
  connectedAt: session.connectedAt,
  accounts: session.accounts,
  farms: session.farms,
  clockSkewMillis: session.clockSkew,
  lines: session.lines,
  ...(live === null ? {} : { streams: live.active, rehydrated: live.rehydrated })
})

const skewText = (skew: number | null): string => {
  if (skew === null) return "not told"
  // The gateway tells whole seconds.
  if (Math.abs(skew) < 1000) return "within a second of ours"
  return `${(Math.abs(skew) / 1000).toFixed(1)} s ${skew > 0 ? "ahead of" : "behind"} ours`
}

export const isConnected = ({ state }: VendorSession): boolean => state === "ready" || state === "degraded"

type Field = readonly [string, string]

const connectionFields = (session: VendorSession): ReadonlyArray<Field> => [
  ["client id", String(session.clientId)],
  ["version", String(session.serverVersion)],
  ["since", (session.connectedAt ?? "").replace(/^(\d{4})(\d\d)(\d\d) /, "$1-$2-$3 ")],
  ["accounts", session.accounts.length === 0 ? "none" : session.accounts.join(", ")],
  ...session.farms.map((farm): Field => [`farm ${farm.name}`, `${farm.serves}: ${farm.state}`]),
  ["clock", skewText(session.clockSkew)]
]

const liveFields = ({ active, problems, rehydrated }: LiveReadiness): ReadonlyArray<Field> => [
  ["streams", `${active}${rehydrated ? "" : ", not all of them live"}`],
  ...problems.map((problem): Field => ["waiting", problem])
]

export const statusFields = ({ live, session }: GatewayStatus): ReadonlyArray<Field> => [
  ["gateway", session.place],
  ["state", session.problem === null ? session.state : `${session.state}: ${session.problem}`],
  ...(isConnected(session) ? connectionFields(session) : []),
  // Of an owner's: the command's own is the first one, and has no lines.
  ...(live === null
    ? []
    : [
        ["connection", String(session.connection)] as const,
        ["lines", String(session.lines)] as const,
        ...liveFields(live)
      ])
]
