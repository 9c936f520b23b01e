/** A session with a gateway, as `ibkr status` shows it. */
import type { IbkrState } from "../../services/IbkrSession.ts"

type Connected = Extract<IbkrState, { readonly _tag: "Ready" | "Degraded" }>

export const statusDocument = (gateway: string, state: Connected) => ({
  gateway,
  state: state._tag.toLowerCase(),
  upstream: state._tag === "Ready" || !state.upstream,
  clientId: state.clientId,
  serverVersion: state.serverVersion,
  connectedAt: state.connectedAt,
  accounts: state.accounts,
  farms: state.farms,
  clockSkewMillis: state.clockSkew
})

const skewText = (skew: number | null): string => {
  if (skew === null) return "not told"
  // The gateway tells whole seconds.
  if (Math.abs(skew) < 1000) return "within a second of ours"
  return `${(Math.abs(skew) / 1000).toFixed(1)} s ${skew > 0 ? "ahead of" : "behind"} ours`
}

export const statusFields = (gateway: string, state: Connected): ReadonlyArray<readonly [string, string]> => [
  ["gateway", gateway],
  [
    "state",
    state._tag === "Ready"
      ? "ready"
      : state.upstream
        ? "degraded: the gateway has lost its line to IB"
        : "degraded: a data farm is broken"
  ],
  ["client id", String(state.clientId)],
  ["version", String(state.serverVersion)],
  ["since", state.connectedAt],
  ["accounts", state.accounts.length === 0 ? "none" : state.accounts.join(", ")],
  ...state.farms.map((farm): readonly [string, string] => [`farm ${farm.name}`, `${farm.serves}: ${farm.state}`]),
  ["clock", skewText(state.clockSkew)]
]
