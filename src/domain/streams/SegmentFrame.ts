/**
 * What a recorded stream consists of: frames, one JSON object a line, in the order in which they were told. Bigints are strings.
 *
 * A recording of a stream begins with a frame `open`, has a frame for every row and every word, and ends with `closed`; one that has no `closed`
 * broke off. `n` counts the frames of a recording from 1 without a hole. `at` is when it was received; when it happened is in the row.
 */
import { Schema } from "effect"
import { Bar } from "../Bar.ts"
import { News } from "../records/News.ts"
import { Trade } from "../records/Trade.ts"
import { EpochMillis } from "../TimeRange.ts"
import { StreamEvent } from "./StreamEvent.ts"
import { StreamKey } from "./StreamKey.ts"
import type { StreamKind } from "./StreamKind.ts"
import { AccountValue, Book, Holding, ProfitAndLoss, type StreamRow, Ticker } from "./StreamRow.ts"

/** Grows when a reader of the one before could not read it. */
export const segmentForm = 1

/** How the recording of a stream begins. */
export const SegmentOpening = Schema.Struct({
  form: Schema.Literal(segmentForm),
  stream: StreamKey,
  /** By how many milliseconds a row may come after one with a later stamp. */
  lateness: Schema.Finite,
  /** The recording of the same stream before this one: its session, up to where it was complete, and whether it was ended in order. */
  before: Schema.NullOr(
    Schema.Struct({ session: Schema.Int, through: Schema.NullOr(EpochMillis), closed: Schema.Boolean })
  )
})
export interface SegmentOpening extends Schema.Schema.Type<typeof SegmentOpening> {}

const frameOf = <Row extends Schema.Top>(row: Row) =>
  Schema.Struct({
    n: Schema.Int,
    at: EpochMillis,
    open: Schema.optionalKey(SegmentOpening),
    row: Schema.optionalKey(row),
    /** With a row: from here on all before this instant has come or was told of as missing. */
    through: Schema.optionalKey(EpochMillis),
    /** With a row: how things stood when the recording joined a stream that ran. */
    snapshot: Schema.optionalKey(Schema.Literal(true)),
    /** With a row: it stands in the segment before, under the same `n`, and is told again because this one proves its instant. */
    again: Schema.optionalKey(Schema.Literal(true)),
    /** A word; never one with rows. */
    event: Schema.optionalKey(StreamEvent),
    closed: Schema.optionalKey(Schema.Struct({ through: Schema.NullOr(EpochMillis), why: Schema.String }))
  })

/** One of `open`, `row`, `event` and `closed` is there. */
export interface SegmentFrame {
  readonly n: number
  readonly at: EpochMillis
  readonly open?: SegmentOpening
  readonly row?: StreamRow
  readonly through?: EpochMillis
  readonly snapshot?: true
  readonly again?: true
  readonly event?: StreamEvent
  readonly closed?: { readonly through: EpochMillis | null; readonly why: string }
}

const lineOf = <Row extends Schema.Codec<StreamRow, unknown>>(row: Row) =>
  Schema.fromJsonString(Schema.toCodecJson(frameOf(row)))

const lines = {
  quotes: lineOf(Ticker),
  trades: lineOf(Trade),
  depth: lineOf(Book),
  bars: lineOf(Bar),
  portfolio: lineOf(Holding),
  account: lineOf(AccountValue),
  pnl: lineOf(ProfitAndLoss),
  news: lineOf(News)
} satisfies Record<StreamKind, unknown>

// A frame of a stream has rows of its kind.
const codecOf = (kind: StreamKind) => lines[kind] as unknown as Schema.Codec<SegmentFrame, string>

/** The line of a frame of a stream of a kind, without its end. */
export const frameEncoder = (kind: StreamKind): ((frame: SegmentFrame) => string) => Schema.encodeSync(codecOf(kind))

export const frameDecoder = (kind: StreamKind) => Schema.decodeUnknownResult(codecOf(kind))
