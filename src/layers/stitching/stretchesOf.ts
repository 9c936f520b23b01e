import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"

/** A stretch of the range about which one thing is stored, or nothing. */
export interface Stretch {
  readonly start: EpochMillis
  readonly end: EpochMillis
  readonly stored: StoredCoverage | null
  /** Final, and to be fetched once more for late corrections. */
  readonly due?: boolean
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

/** Finds the members of a sorted, disjoint list that meet ranges asked about in ascending order. */
export const walker = <A>(items: ReadonlyArray<A>, rangeOf: (item: A) => TimeRange) => {
  let first = 0
  const startOf = (index: number): number => {
    const item = items[index]
    return item === undefined ? Infinity : rangeOf(item).start
  }
  const endOf = (index: number): number => {
    const item = items[index]
    return item === undefined ? Infinity : rangeOf(item).end
  }
  const last = (range: TimeRange): number => {
    while (endOf(first) <= range.start) first++
    let index = first
    while (startOf(index) < range.end) index++
    return index
  }
  return {
    members: (range: TimeRange): ReadonlyArray<A> => {
      const end = last(range)
      return first === end ? [] : items.slice(first, end)
    },
    count: (range: TimeRange): number => last(range) - first
  }
}
