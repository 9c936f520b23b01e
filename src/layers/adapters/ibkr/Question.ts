import type { GatewayApi } from "./GatewayApi.ts"
import type { LineSort } from "./LineQuota.ts"
import type { OutboundLine } from "./Outbound.ts"
import type { Answer, AnswerFrames } from "./Pending.ts"

/** A request to the gateway, and the answer that it waits for. */
export interface Question extends Answer {
  readonly line: OutboundLine
  readonly send: (api: GatewayApi, requestId: number) => void
  /** Gives the request up at the gateway; absent where IB has no way to. */
  readonly cancel?: (api: GatewayApi, requestId: number) => void
  /** Milliseconds from when it was sent. */
  readonly within: number
  /** What is asked, for the message of an error. */
  readonly what: string
  /** IB sends until it is told not to: that is done behind the last frame, and what came by `within` is the answer. */
  readonly endless?: boolean
  /** Of which of the account's lines it takes one while it is asked. */
  readonly takes?: LineSort
}

export interface AnswerOfGateway extends AnswerFrames {
  /** The version in which the frames are written. */
  readonly serverVersion: number
  readonly connection: number
}
