import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"

/** A stretch of the range about which one thing is stored, or nothing. */
export interface Stretch {
  readonly start: EpochMillis
  readonly end: EpochMillis
  readonly stored: StoredCoverage | null
}

/** The whole range as stretches: what is stored, and the holes between. */
export const stretchesOf = (range: TimeRange, coverage: ReadonlyArray<StoredCoverage>): Array<Stretch> => {
  const stretches: Array<Stretch> = []
  let at = range.start
  for (const stored of coverage) {
    const start = Math.max(stored.start, at)
    const end = Math.min(stored.end, range.end)
    if (start >= end) continue
    if (start > at) stretches.push({ start: at, end: start, stored: null })
    stretches.push({ start, end, stored })
    at = end
  }
  if (at < range.end) stretches.push({ start: at, end: range.end, stored: null })
  return stretches
}

/** Hands out the members of a sorted, disjoint list that meet ranges asked for in ascending order. */
export const walker = <A>(items: ReadonlyArray<A>, rangeOf: (item: A) => TimeRange) => {
  let first = 0
  const at = (index: number): TimeRange | null => {
    const item = items[index]
    return item === undefined ? null : rangeOf(item)
  }
  return (range: TimeRange): ReadonlyArray<A> => {
    while ((at(first)?.end ?? Infinity) <= range.start) first++
    let last = first
    while ((at(last)?.start ?? Infinity) < range.end) last++
    return first === last ? [] : items.slice(first, last)
  }
}
