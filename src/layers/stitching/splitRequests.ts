/** From what is needed to what single requests ask for: cut to the limits, and never for closed time alone. */
import * as Intervals from "../../domain/Intervals.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { RequestLimit } from "../../domain/VendorLimits.ts"

/**
 * Most requests of one plan. A range of a million years cut by days would fill memory while nothing else is served: a draft stops
 * at one more, and is none that may be carried out.
 */
export const maxRequests = 100_000

/** The shortest distance between two stamps: what a row costs of a limit that is given in rows. */
const minMillis = (timeframe: Timeframe.Timeframe): number => {
  const day = 86_400_000
  return timeframe === "1mo" ? 28 * day : timeframe === "3mo" ? 90 * day : Timeframe.maxMillis(timeframe)
}

/** How ranges are cut, at most `most` pieces and one. */
type Cut = (ranges: Intervals.Ranges, most: number) => Intervals.Ranges

const cutOf = (timeframe: Timeframe.Timeframe, limit: RequestLimit): Cut => {
  const step = minMillis(timeframe)
  const span = Math.min(limit.maxSpan ?? Infinity, limit.maxRows === null ? Infinity : limit.maxRows * step)
  if (span === Infinity) return (ranges) => ranges
  return timeframe === "1mo" || timeframe === "3mo"
    ? (ranges, most) => Intervals.splitBySpan(ranges, span, (instant) => Timeframe.ceil(timeframe, instant + 1), most)
    : (ranges, most) => Intervals.splitBySpan(ranges, Math.max(step, Math.floor(span / step) * step), undefined, most)
}

/** The closed stretch that holds an instant; null where none does. */
const holding = (closed: Intervals.Ranges, instant: EpochMillis): TimeRange | null => {
  let low = 0
  let high = closed.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((closed[middle]?.end ?? Infinity) <= instant) low = middle + 1
    else high = middle
  }
  const found = closed[low]
  return found !== undefined && found.start <= instant ? found : null
}

/** A range without the closed time at its ends; null when there is nothing else. */
export const trim = (range: TimeRange, closed: Intervals.Ranges): TimeRange | null => {
  const start = holding(closed, range.start)?.end ?? range.start
  const end = holding(closed, range.end - 1)?.start ?? range.end
  return start < end ? { start, end } : null
}

/** Where the first request of a range ends that reaches back to `from`; one that would be all closed time does not reach back. */
const endOf = (cut: Cut, from: EpochMillis, rest: TimeRange): EpochMillis => {
  const end = cut([{ start: from, end: rest.end }], 0)[0]?.end ?? rest.end
  const isMostlyClosed = end - rest.start < rest.start - from && end < rest.end
  return isMostlyClosed ? (cut([rest], 0)[0]?.end ?? rest.end) : end
}

/**
 * Cuts ranges to the limits of one request. `overlaps`: each leaves room for the closed time between it and the one before, so that it
 * can reach over that to the last bar of the other. What is closed is part of a request where there is something to ask for on both sides
 * of it, and is left out else; after a cut, the next request begins with the next open time.
 */
export const split = (
  ranges: Intervals.Ranges,
  timeframe: Timeframe.Timeframe,
  limit: RequestLimit,
  closed: Intervals.Ranges,
  overlaps = false
): Intervals.Ranges => {
  const cut = cutOf(timeframe, limit)
  if (closed.length === 0) return cut(ranges, maxRequests)
  const pieces: Array<TimeRange> = []
  for (const range of ranges) {
    let rest = trim(range, closed)
    let last = Number.NaN
    while (rest !== null && pieces.length <= maxRequests) {
      const from = overlaps && last < rest.start ? last : rest.start
      const end = endOf(cut, from, rest)
      const piece = trim({ start: rest.start, end }, closed)
      if (piece !== null) {
        pieces.push(piece)
        last = piece.end
      }
      rest = end < rest.end ? trim({ start: end, end: rest.end }, closed) : null
    }
  }
  return pieces
}
