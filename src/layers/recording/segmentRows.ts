/** What a segment of a recorded stream says of the series under which its rows are stored. Pure in its inputs. */

import type { Bar } from "../../domain/Bar.ts"
import * as Intervals from "../../domain/Intervals.ts"
import { type Quote, quoteShape } from "../../domain/records/Quote.ts"
import type { AnyRecord } from "../../domain/records/RecordKind.ts"
import type { SegmentFrame } from "../../domain/streams/SegmentFrame.ts"
import type { StreamEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import type { StreamRow, Ticker } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"

/** Raised whenever the same bytes would give other rows. */
export const segmentDecoderVersion = 1

export interface SegmentRows {
  readonly rows: ReadonlyArray<Bar | AnyRecord>
  /** The line of each, from 1. */
  readonly positions: ReadonlyArray<number>
  /** Of which instants the segment has every row. */
  readonly proven: ReadonlyArray<TimeRange>
}

/**
 * True of kinds whose streams have every row that there is: what a segment has of an instant is all of it. What comes of quotes is as much as
 * the vendor cares to send, and what else there was of news nobody says.
 */
export const provesAll = (kind: StreamKind): boolean => kind === "trades" || kind === "bars"

const quoteOf = ({ ask, askSize, bid, bidSize, conditions, sequence, tsNs, venue }: Ticker): Quote => ({
  tsNs,
  bid,
  bidSize,
  ask,
  askSize,
  venue,
  sequence,
  conditions
})

/** Up to where all has come or was told of as missing when a word was told; null where it does not say. */
export const passedBy = (event: StreamEvent | undefined): EpochMillis | null => {
  if (event?._tag === "Started") return event.through
  return event?._tag === "Repaired" || event?._tag === "Unrepairable" ? event.to : null
}

/** The ranges that the watermark passed, but for those that are told to be missing. */
const provenIn = (frames: ReadonlyArray<SegmentFrame>, from: EpochMillis | null): ReadonlyArray<TimeRange> => {
  let through = from
  const proven: Array<TimeRange> = []
  const pass = (to: EpochMillis, had: boolean) => {
    if (through !== null && to > through && had) proven.push({ start: through, end: to })
    through = Math.max(through ?? to, to)
  }
  for (const { event, through: to } of frames) {
    if (to !== undefined) pass(to, true)
    const word = passedBy(event)
    if (word !== null) pass(word, event?._tag === "Repaired")
  }
  return Intervals.normalise(proven)
}

/** `from`: up to where the recording was complete when the segment began. */
export const segmentRows = (
  kind: StreamKind,
  frames: ReadonlyArray<SegmentFrame>,
  from: EpochMillis | null
): SegmentRows => {
  const rows: Array<Bar | AnyRecord> = []
  const positions: Array<number> = []
  const take = (row: StreamRow, index: number) => {
    rows.push(row as Bar | AnyRecord)
    positions.push(index + 1)
  }
  let shown: string | null = null
  for (const [index, { row, snapshot }] of frames.entries()) {
    if (row === undefined || snapshot === true) continue
    if (kind === "trades" || kind === "bars" || kind === "news") take(row, index)
    if (kind !== "quotes") continue
    // A ticker also comes when the last price has changed, and says the same of the book then.
    const quote = quoteOf(row as Ticker)
    const says = quoteShape.identity(quote)
    if (says === shown) continue
    shown = says
    take(quote as Ticker, index)
  }
  return { rows, positions, proven: provesAll(kind) ? provenIn(frames, from) : [] }
}
