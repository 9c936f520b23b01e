import { Effect, Stream } from "effect"
import { IbkrError, type IbkrErrorReason, type IbkrSession, type IbkrState } from "../../../services/IbkrSession.ts"
import type { SessionCapability, VendorSession } from "../../../services/VendorSession.ts"

const said = (reason: IbkrErrorReason): string => new IbkrError({ reason }).message

type Standing = Pick<VendorSession, "state" | "problem"> & Partial<VendorSession>

const standingOf = (state: IbkrState): Standing => {
  switch (state._tag) {
    case "Idle":
      return { state: "idle", problem: null }
    case "Connecting":
      return { state: "connecting", problem: null, clientId: state.clientId }
    case "Handshaking":
      return { state: "connecting", problem: null, clientId: state.clientId, serverVersion: state.serverVersion }
    case "Reconnecting":
      return { state: "reconnecting", problem: said(state.cause), clientId: state.clientId }
    case "Closed":
      return { state: "closed", problem: state.cause === null ? null : said(state.cause) }
    case "Ready":
    case "Degraded": {
      const { _tag, connection: _, ...gateway } = state
      if (_tag === "Ready") return { ...gateway, state: "ready", problem: null }
      const lost = "upstream" in state && state.upstream
      const broken = state.farms.filter((farm) => farm.state === "broken").map(({ name }) => name)
      const problem = lost ? "the gateway has lost its line to IB" : `a data farm is broken: ${broken.join(", ")}`
      return { ...gateway, state: "degraded", problem, upstream: !lost }
    }
  }
}

/** The session in the words of all vendors. */
export const sessionCapability = (
  vendor: string,
  place: string,
  session: Pick<IbkrSession["Service"], "state" | "changes" | "counters" | "ready">
): SessionCapability => {
  const told = (state: IbkrState) =>
    Effect.map(
      session.counters,
      ({ connections, lines }): VendorSession => ({
        vendor,
        place,
        connection: connections,
        clientId: null,
        serverVersion: null,
        connectedAt: null,
        accounts: [],
        upstream: true,
        farms: [],
        clockSkew: null,
        lines,
        ...standingOf(state)
      })
    )
  return {
    now: Effect.flatMap(session.state, told),
    changes: Stream.mapEffect(session.changes, told),
    connect: Effect.ignore(session.ready)
  }
}
