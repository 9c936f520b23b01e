import type { Farm } from "../Faults.ts"

export type SubscriptionKind =
  | "quote"
  | "tickByTick"
  | "depth"
  | "bars"
  | "history"
  | "pnl"
  | "pnlSingle"
  | "summary"
  | "positions"
  | "account"

/** Something that a client has asked for and gets until it is cancelled. */
export interface Subscription {
  readonly reqId: number
  readonly kind: SubscriptionKind
  /** The instrument's name; empty where it is about an account. */
  readonly symbol: string
  /** Null: it comes from the gateway itself. */
  readonly farm: Farm | null
  /** What only those get who may have it at once. */
  readonly live: boolean
  /** It sends no more, and nobody says so. */
  silent: boolean
  readonly stop: () => void
}
