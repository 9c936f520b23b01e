/**
 * Whether what is about to be fetched fits on the disk, forecast from what answers took so far.
 *
 * The rows that are missing (by the timeframe, without what the calendar closes) times the bytes a row took in the newest answers of the
 * series, or of others of its vendor and timeframe; and what the store takes for a row. An answer that is a whole file, however
 * little of it was asked for, would make any range look huge: a request is not forecast to bring more than the largest answer
 * so far, unless its rows alone would.
 */
import { Effect } from "effect"
import * as Intervals from "../../domain/Intervals.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { AnswerSize } from "../../services/ProvenanceStore.ts"
import { DiskTooFull } from "../../services/StitchingCache.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { BarSeries } from "./project.ts"

/** Bytes of a row in an answer of which nothing like it was archived yet: a line of CSV, or a JSON object compressed. */
export const assumedRowBytes = 100

/** Bytes of a row in the market store, with its index and its share of the log that is written before it. */
export const storeRowBytes = 150

const rowsIn = (series: BarSeries, ranges: Intervals.Ranges): number => {
  const asked = Intervals.normalise(ranges)
  const first = asked[0]
  const last = asked.at(-1)
  if (first === undefined || last === undefined) return 0
  const closed = Intervals.intersect(asked, series.closedIn({ start: first.start, end: last.end }))
  return (Intervals.total(asked) - Intervals.total(closed)) / Timeframe.maxMillis(series.timeframe)
}

/** Bytes that requests for these ranges are forecast to take, in the archive and in the store. */
export const forecastBytes = (
  series: BarSeries,
  ranges: Intervals.Ranges,
  sizes: ReadonlyArray<AnswerSize>
): number => {
  const rows = Math.ceil(rowsIn(series, ranges))
  const assumed = rows * assumedRowBytes
  // Equal bytes are kept once, whatever they answered.
  const kept = new Map(sizes.map(({ sha256, storedBytes }) => [sha256, storedBytes]))
  const measuredRows = rowsIn(
    series,
    sizes.map(({ range }) => range)
  )
  if (measuredRows === 0) return assumed + rows * storeRowBytes
  const measuredBytes = [...kept.values()].reduce((sum, bytes) => sum + bytes, 0)
  const byRows = Math.ceil((rows * measuredBytes) / measuredRows)
  const byRequests = ranges.length * Math.max(...kept.values())
  return Math.min(byRows, Math.max(assumed, byRequests)) + rows * storeRowBytes
}

/** Fails with DiskTooFull where the forecast and the reserve are more than is free. */
export const checkRoom = Effect.fnUntraced(function* (
  { archive, disk }: Pick<CacheContext, "archive" | "disk">,
  series: BarSeries,
  requests: ReadonlyArray<{ readonly range: TimeRange }>
) {
  if (disk === null || requests.length === 0) return
  const free = yield* disk.free
  if (free === null) return
  const sizes = yield* archive.answerSizes(series.text)
  const ranges = requests.map(({ range }) => range)
  const needed = forecastBytes(series, ranges, sizes)
  if (needed + disk.reserve <= free) return
  return yield* new DiskTooFull({
    directory: disk.directory,
    freeBytes: free,
    neededBytes: needed,
    reserveBytes: disk.reserve
  })
})
