/**
 * What a consumer of a live stream gets, in the order in which it happened. Instants are UTC epoch milliseconds.
 *
 * A gap is never silent: `Gap` says from when on rows may be missing, `Resumed` that the vendor sends again, and then every part
 * of the gap is `Repaired` (its rows came, in their place in time) or `Unrepairable` (they did not). Until then the complete-through
 * watermark of the rows stands still.
 */
import { Schema } from "effect"
import { Bar } from "../Bar.ts"
import { News } from "../records/News.ts"
import { Trade } from "../records/Trade.ts"
import { EpochMillis } from "../TimeRange.ts"
import type { StreamKind } from "./StreamKind.ts"
import { AccountValue, Book, Holding, ProfitAndLoss, type StreamRow, Ticker } from "./StreamRow.ts"

/** How fresh the vendor's data are by its own word; `simulated`: made by a market that does not exist. */
export const DataType = Schema.Literals(["live", "frozen", "delayed", "delayed-frozen", "simulated"])
export type DataType = typeof DataType.Type

const about = {
  /**
   * Everything before this instant has come or has been told of as Unrepairable; null until the vendor has said that it began. Rows
   * of a vendor that sends late ones may still come for instants after it.
   */
  through: Schema.NullOr(EpochMillis),
  /** When the newest of the rows was received. */
  receivedAt: EpochMillis,
  /** True of what is told to who joins late or has been away: how things stand, not what happened. */
  snapshot: Schema.Boolean,
  /** Rows that this consumer was not given before these, because of its policy `sliding`. */
  dropped: Schema.Int
}

const rowEvents = {
  Quotes: { rows: Schema.Array(Ticker), ...about },
  Trades: { rows: Schema.Array(Trade), ...about },
  Depth: { rows: Schema.Array(Book), ...about },
  Bars: { rows: Schema.Array(Bar), ...about },
  Portfolio: { rows: Schema.Array(Holding), ...about },
  Account: { rows: Schema.Array(AccountValue), ...about },
  Pnl: { rows: Schema.Array(ProfitAndLoss), ...about },
  News: { rows: Schema.Array(News), ...about }
}

const lifecycle = {
  /** The vendor sends. What happens from `through` on will come, or be told of as missing. */
  Started: { at: EpochMillis, through: EpochMillis },
  /** From this instant on rows may be missing, and what is shown may be stale. Another one while a gap is open tells of another reason. */
  Gap: { from: EpochMillis, reason: Schema.String },
  /** The vendor sends again. What is shown is fresh from the next row on; rows of a tape wait for those of the gap. */
  Resumed: { at: EpochMillis },
  /** The rows of this part of a gap have come before this; `rows` of them were not known before. */
  Repaired: { from: EpochMillis, to: EpochMillis, rows: Schema.Int },
  /** The rows of this part of a gap are missing here. `job` is the key of the job that will have them stored; null: none. */
  Unrepairable: { from: EpochMillis, to: EpochMillis, why: Schema.String, job: Schema.NullOr(Schema.String) },
  DataType: { dataType: DataType },
  /** What the vendor sends at the beginning, and after a gap, has all come. */
  SnapshotComplete: {},
  /** The last of this stream. `retryable`: another subscription may succeed. */
  Closed: { retryable: Schema.Boolean, cause: Schema.String }
}

export const StreamEvent = Schema.TaggedUnion({ ...rowEvents, ...lifecycle })
export type StreamEvent = typeof StreamEvent.Type

type RowEventTag = keyof typeof rowEvents
export type RowEvent = Extract<StreamEvent, { readonly _tag: RowEventTag }>
export type LifecycleEvent = Exclude<StreamEvent, { readonly _tag: RowEventTag }>

const tags: { readonly [K in StreamKind]: RowEventTag } = {
  quotes: "Quotes",
  trades: "Trades",
  depth: "Depth",
  bars: "Bars",
  portfolio: "Portfolio",
  account: "Account",
  pnl: "Pnl",
  news: "News"
}

export const isRows = (event: StreamEvent): event is RowEvent => event._tag in rowEvents

/** The event of some rows of a kind. */
export const rowsOf = (
  kind: StreamKind,
  rows: ReadonlyArray<StreamRow>,
  about: Pick<RowEvent, "through" | "receivedAt" | "snapshot" | "dropped">
): RowEvent => ({ _tag: tags[kind], rows, ...about }) as unknown as RowEvent

/** An event and which of the streams of a subscription it is of, counted from 0 in the order in which they were asked for. */
export const StreamItem = Schema.Struct({ stream: Schema.Int, event: StreamEvent })
export interface StreamItem extends Schema.Schema.Type<typeof StreamItem> {}
