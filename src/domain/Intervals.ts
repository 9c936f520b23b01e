/**
 * Arithmetic over sets of instants, kept as sorted, disjoint, non-touching half-open ranges (the normal form). Every function
 * but `normalise` expects normal form and returns it; each is linear in its inputs and its result, so a whole plan is
 * O(n log n).
 */
import type { EpochMillis, TimeRange } from "./TimeRange.ts"

/** A set of instants. */
export type Ranges = ReadonlyArray<TimeRange>

/** Any ranges, in any order, as a normal form; empty and reversed ones vanish, touching ones join. */
export const normalise = (ranges: Ranges): Ranges => {
  const sorted = ranges.filter((range) => range.start < range.end).sort((a, b) => a.start - b.start || a.end - b.end)
  return mergeSorted(sorted, 0)
}

const mergeSorted = (sorted: Ranges, within: number): Ranges => {
  const merged: Array<TimeRange> = []
  let start = 0
  let end = 0
  let open = false
  for (const range of sorted) {
    if (open && range.start - end <= within) {
      if (range.end > end) end = range.end
    } else {
      if (open) merged.push({ start, end })
      start = range.start
      end = range.end
      open = true
    }
  }
  if (open) merged.push({ start, end })
  return merged
}

/** Joins ranges whose distance is at most `within`, so that one request can serve both. */
export const mergeNear = (ranges: Ranges, within: number): Ranges => mergeSorted(ranges, Math.max(0, within))

/** The instants of either set. */
export const union = (a: Ranges, b: Ranges): Ranges => {
  const both: Array<TimeRange> = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const x = a[i]
    const y = b[j]
    if (y === undefined || (x !== undefined && x.start <= y.start)) {
      if (x !== undefined) both.push(x)
      i++
    } else {
      both.push(y)
      j++
    }
  }
  return mergeSorted(both, 0)
}

/** The instants of both sets. */
export const intersect = (a: Ranges, b: Ranges): Ranges => {
  const common: Array<TimeRange> = []
  let i = 0
  let j = 0
  while (true) {
    const x = a[i]
    const y = b[j]
    if (x === undefined || y === undefined) return common
    const start = Math.max(x.start, y.start)
    const end = Math.min(x.end, y.end)
    if (start < end) common.push({ start, end })
    if (x.end < y.end) i++
    else j++
  }
}

/** What is in `a` and not in `b`. */
export const subtract = (a: Ranges, b: Ranges): Ranges => {
  const rest: Array<TimeRange> = []
  let j = 0
  for (const range of a) {
    let start = range.start
    while (j < b.length) {
      const cut = b[j]
      if (cut === undefined || cut.start >= range.end) break
      if (cut.end > start) {
        if (cut.start > start) rest.push({ start, end: cut.start })
        start = cut.end
      }
      if (cut.end > range.end) break
      j++
    }
    if (start < range.end) rest.push({ start, end: range.end })
  }
  return rest
}

/**
 * Cuts each range into pieces of at most `span` milliseconds (of one, where `span` is less). `next` gives the first boundary
 * after an instant and moves the cuts onto a grid (bar stamps, file boundaries); a span shorter than one step of the grid
 * yields single steps. It is asked a few dozen times a piece, however fine the grid. After `most` pieces it goes no further but
 * for one, which says that there are more.
 */
export const splitBySpan = (
  ranges: Ranges,
  span: number,
  next?: (instant: EpochMillis) => EpochMillis,
  most = Number.POSITIVE_INFINITY
): Ranges => {
  const length = Math.max(1, Math.floor(span))
  const pieces: Array<TimeRange> = []
  for (const range of ranges) {
    let start = range.start
    while (start < range.end) {
      // The last piece is not measured against the grid: the range itself ends it.
      const whole = next === undefined || range.end - start <= length
      const end = Math.min(range.end, whole ? start + length : lastBoundary(start, start + length, next))
      pieces.push({ start, end })
      if (pieces.length > most) return pieces
      start = end
    }
  }
  return pieces
}

/** The last boundary after `start` and not after `limit`; the first one after `start` where all are after `limit`. */
const lastBoundary = (
  start: EpochMillis,
  limit: EpochMillis,
  next: (instant: EpochMillis) => EpochMillis
): EpochMillis => {
  let boundary = next(start)
  let beyond = limit
  while (beyond - boundary > 1) {
    const middle = boundary + Math.floor((beyond - boundary) / 2)
    const found = next(middle)
    if (found <= limit) boundary = found
    else beyond = middle
  }
  const further = next(boundary)
  return further <= limit ? further : boundary
}

/** The sum of the lengths, in milliseconds. */
export const total = (ranges: Ranges): number => ranges.reduce((sum, range) => sum + range.end - range.start, 0)
