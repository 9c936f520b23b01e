/** The rows of live streams, by kind: the records of the store where it keeps such rows, and what only lives. */
import { Schema } from "effect"
import type { Bar } from "../Bar.ts"
import type { News } from "../records/News.ts"
import { Quote, quoteShape } from "../records/Quote.ts"
import { Trade, tradeShape } from "../records/Trade.ts"
import { EpochMillis } from "../TimeRange.ts"
import type { StreamKind } from "./StreamKind.ts"

const Figure = Schema.NullOr(Schema.Finite)

/**
 * An instrument at an instant, whole: never a change to an earlier one. A quote as the store keeps it, and the day's figures where the
 * vendor gives them. `tsNs` is the vendor's stamp where it has one, else when the row was received. `previousClose` is the last session's.
 */
export const Ticker = Schema.Struct({
  ...Quote.fields,
  last: Figure,
  lastSize: Figure,
  volume: Figure,
  open: Figure,
  high: Figure,
  low: Figure,
  previousClose: Figure
})
export interface Ticker extends Schema.Schema.Type<typeof Ticker> {}

/** Price and size, best first. Prices of a side differ from each other, unless the vendor keeps the orders of venues apart. */
export const BookLevel = Schema.Tuple([Schema.Finite, Schema.Finite])
export type BookLevel = typeof BookLevel.Type

/** A book at an instant, whole, to the depth that was asked for; an empty side has no levels. */
export const Book = Schema.Struct({
  tsNs: Trade.fields.tsNs,
  bids: Schema.Array(BookLevel),
  asks: Schema.Array(BookLevel)
})
export interface Book extends Schema.Schema.Type<typeof Book> {}

/** What an account holds of an instrument; `position` 0 when it holds none any more. Money is in `currency`. */
export const Holding = Schema.Struct({
  ts: EpochMillis,
  account: Schema.String,
  symbol: Schema.String,
  position: Schema.Finite,
  marketPrice: Figure,
  marketValue: Figure,
  averageCost: Figure,
  unrealized: Figure,
  realized: Figure,
  currency: Schema.NullOr(Schema.String)
})
export interface Holding extends Schema.Schema.Type<typeof Holding> {}

/** One figure of an account, in the vendor's words; `currency` is null where the value is no money. */
export const AccountValue = Schema.Struct({
  ts: EpochMillis,
  account: Schema.String,
  tag: Schema.String,
  value: Schema.String,
  currency: Schema.NullOr(Schema.String)
})
export interface AccountValue extends Schema.Schema.Type<typeof AccountValue> {}

/** What an account, or its position in `symbol`, has won and lost. */
export const ProfitAndLoss = Schema.Struct({
  ts: EpochMillis,
  account: Schema.String,
  symbol: Schema.NullOr(Schema.String),
  position: Figure,
  daily: Figure,
  unrealized: Figure,
  realized: Figure,
  value: Figure
})
export interface ProfitAndLoss extends Schema.Schema.Type<typeof ProfitAndLoss> {}

/** A kind by the row that it has. */
export interface StreamRowByKind {
  readonly quotes: Ticker
  readonly trades: Trade
  readonly depth: Book
  readonly bars: Bar
  readonly portfolio: Holding
  readonly account: AccountValue
  readonly pnl: ProfitAndLoss
  readonly news: News
}

export type StreamRow<K extends StreamKind = StreamKind> = StreamRowByKind[K]

const nanosPerMilli = 1_000_000n

/** The millisecond that a row is of. */
export const millisOf = (row: StreamRow): EpochMillis => {
  if ("ts" in row) return row.ts
  const millis = Number(row.tsNs / nanosPerMilli)
  return row.tsNs < 0n && row.tsNs % nanosPerMilli !== 0n ? millis - 1 : millis
}

/** How a row of a kind lies in time and is told from others. */
interface Shape<K extends StreamKind> {
  /** Rows of one slot replace each other for who wants the newest; all of a stream but these kinds have one. */
  readonly slot: (row: StreamRow<K>) => string
  /** What tells a row from the others of its stream. */
  readonly identity: (row: StreamRow<K>) => string
  /** True where the vendor numbers or names its rows, so that a second one of an identity is a repetition and no event of its own. */
  readonly unique: (row: StreamRow<K>) => boolean
  readonly compare: (a: StreamRow<K>, b: StreamRow<K>) => number
}

const one = () => ""
const never = () => false
const always = () => true
const byNanos = (a: { readonly tsNs: bigint }, b: { readonly tsNs: bigint }): number =>
  a.tsNs < b.tsNs ? -1 : a.tsNs > b.tsNs ? 1 : 0
const byMillis = (a: { readonly ts: number }, b: { readonly ts: number }): number => a.ts - b.ts
/** Numbers of different venues do not compare. */
const bySequence = (a: Trade, b: Trade): number =>
  byNanos(a, b) ||
  (a.sequence === null || b.sequence === null || a.venue !== b.venue ? 0 : Math.sign(a.sequence - b.sequence))

const shapes: { readonly [K in StreamKind]: Shape<K> } = {
  quotes: {
    slot: one,
    identity: (row) => `${row.tsNs}|${quoteShape.identity(row)}`,
    unique: ({ sequence }) => sequence !== null,
    compare: byNanos
  },
  trades: {
    slot: one,
    identity: (row) => `${row.tsNs}|${tradeShape.identity(row)}`,
    unique: ({ sequence }) => sequence !== null,
    compare: bySequence
  },
  depth: { slot: one, identity: ({ tsNs }) => `${tsNs}`, unique: never, compare: byNanos },
  bars: { slot: one, identity: ({ ts }) => `${ts}`, unique: always, compare: byMillis },
  portfolio: { slot: ({ symbol }) => symbol, identity: ({ symbol }) => symbol, unique: never, compare: byMillis },
  account: {
    slot: ({ currency, tag }) => `${tag}|${currency ?? ""}`,
    identity: ({ currency, tag }) => `${tag}|${currency ?? ""}`,
    unique: never,
    compare: byMillis
  },
  pnl: { slot: ({ symbol }) => symbol ?? "", identity: ({ symbol }) => symbol ?? "", unique: never, compare: byMillis },
  news: {
    slot: one,
    identity: ({ id, title, ts, url }) => id ?? JSON.stringify([ts, title, url]),
    unique: always,
    compare: byMillis
  }
}

// Which shape a kind has is known only where the kind is, and there its rows are of that kind.
export const shapeOf = (kind: StreamKind): Shape<StreamKind> => shapes[kind] as unknown as Shape<StreamKind>

/** Whether every row of the kind takes the place of the one before. */
export const hasOneSlot = (kind: StreamKind): boolean => shapes[kind].slot === one
