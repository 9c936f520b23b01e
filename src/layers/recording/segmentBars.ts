/**
 * What a segment of recorded bars says of their series.
 *
 * A bar that the watermark has passed is final, and the stamps that it has passed are covered. One that it has not passed when the segment
 * ends is stored and provisional: the stream may tell of it once more, and the next segment does.
 */
import { Effect } from "effect"
import { type Bar, defectOf } from "../../domain/Bar.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { Response } from "../../domain/Response.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { Commit, GenerationId } from "../../services/MarketStore.ts"
import { readFrames, UnreadableSegment } from "./readFrames.ts"
import { segmentParams } from "./segmentRequest.ts"
import { segmentDecoderVersion, segmentRows } from "./segmentRows.ts"

/** Spreads and energy trade below zero, and a consumer was told what was told. */
const rules = { allowNonPositivePrices: true }

export const segmentBars = Effect.fnUntraced(function* (
  series: SeriesKey,
  timeframe: Timeframe.Timeframe,
  params: unknown,
  { askedAt, fetchedAt, id: response }: Response,
  payload: Uint8Array,
  generation?: GenerationId
): Effect.fn.Return<{ readonly commit: Commit; readonly rejected: number }, UnreadableSegment> {
  const of = segmentParams(params)
  if (of?.stream.kind !== "bars") {
    return yield* new UnreadableSegment({ message: "its request is not that of a segment of bars" })
  }
  const { positions, proven, rows } = segmentRows("bars", yield* readFrames("bars", payload), of.from)
  const bars: Array<Bar> = []
  const lines: Array<number> = []
  const refused: Array<TimeRange> = []
  const periodOf = (ts: number): TimeRange => ({ start: ts, end: Timeframe.periodEnd(timeframe, ts) })
  for (const [index, row] of rows.entries()) {
    // Rows of a stream of bars are bars.
    const bar = row as Bar
    if (defectOf(bar, rules) === null) {
      bars.push(bar)
      lines.push(positions[index] ?? 0)
    } else refused.push(periodOf(bar.ts))
  }
  // What holds of the stamps before an instant holds of the periods that begin there.
  const stamped = proven.map(({ end, start }) => ({
    start: Timeframe.ceil(timeframe, start),
    end: Timeframe.ceil(timeframe, end)
  }))
  const covered = Intervals.subtract(
    Intervals.normalise(stamped.filter(({ end, start }) => start < end)),
    Intervals.normalise(refused)
  )
  const had = Intervals.normalise(bars.map(({ ts }) => periodOf(ts)))
  const coverage: Array<Commit["coverage"][number]> = [
    ...covered.map((range) => ({ ...range, state: { _tag: "Covered" as const, response } })),
    ...Intervals.subtract(had, covered).map((range) => ({
      ...range,
      state: { _tag: "Provisional" as const, response, until: askedAt }
    }))
  ]
  return {
    commit: {
      series,
      response,
      askedAt,
      fetchedAt,
      decoderVersion: segmentDecoderVersion,
      bars,
      positions: lines,
      coverage: coverage.sort((a, b) => a.start - b.start),
      ...rules,
      ...(generation === undefined ? {} : { generation })
    },
    rejected: refused.length
  }
})
