import type { Connection, Phase } from "./Connection.ts"
import type { SubscriptionKind } from "./Subscription.ts"

/** One client as the gateway sees it. */
export interface ClientState {
  /** Counts the connections since the gateway was started, from 1. */
  readonly connection: number
  /** -1 before it has said it. */
  readonly clientId: number
  /** The version of the protocol that was agreed on; 0 before. */
  readonly version: number
  readonly phase: Phase
  readonly marketDataType: number
  /** Requests that it has sent, and the most within a second of the machine's clock. */
  readonly requests: number
  readonly peakRequests: number
  readonly framesSent: number
  readonly bytesSent: number
  readonly bytesUnsent: number
  readonly open: ReadonlyArray<{
    readonly reqId: number
    readonly kind: SubscriptionKind
    readonly symbol: string
    /** It sends no more and the client was not told. */
    readonly silent: boolean
  }>
  /** What has no request id: `positions`, `account`, `bulletins`. */
  readonly standing: ReadonlyArray<string>
}

export const clientState = (one: Connection): ClientState => ({
  connection: one.number,
  clientId: one.clientId,
  version: one.version,
  phase: one.phase,
  marketDataType: one.marketDataType,
  requests: one.requests,
  peakRequests: one.peak,
  framesSent: one.outbox.frames,
  bytesSent: one.outbox.bytes,
  bytesUnsent: one.outbox.unsent,
  open: [...one.subscriptions.values()].map(({ kind, reqId, silent, symbol }) => ({ reqId, kind, symbol, silent })),
  standing: [...one.standing.keys()]
})
