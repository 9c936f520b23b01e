/** What a comparison of two series is made of: which of their bars can be held against each other, and what they disagree about. */
import type { CoverageInterval, StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import { type compared, type Mismatch, mismatchesOf } from "../../domain/Mismatch.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { BarPair } from "./pairBars.ts"

/** What makes the values of two series differ by right: then they say nothing about each other. Null: nothing does. */
export const differenceOf = (left: SeriesKey, right: SeriesKey): string | null => {
  if (canonical(left) === canonical(right)) return "they are the same series"
  const parts = ["kind", "timeframe", "price", "session", "adjustment"] as const
  const part = parts.find((name) => left[name] !== right[name])
  if (part !== undefined) {
    return `${part} is ${left[part]} at ${left.vendor} and ${right[part]} at ${right.vendor}; ask both for the same with --${part}`
  }
  return left.currency !== null && right.currency !== null && left.currency !== right.currency
    ? `they are in ${left.currency} and ${right.currency}`
    : null
}

/** Where rows are final, or known not to be there: a provisional one may still change, and a hole says nothing. */
export const finalRanges = (
  coverage: ReadonlyArray<Pick<CoverageInterval | StoredCoverage, "start" | "end" | "state">>
): Intervals.Ranges =>
  Intervals.normalise(
    coverage.filter(({ state }) => state._tag === "Covered" || state._tag === "Empty" || state._tag === "Closed")
  )

export interface Compared {
  readonly rows: number
  readonly onlyLeft: number
  readonly onlyRight: number
  /** Ascending by stamp. */
  readonly found: ReadonlyArray<Mismatch>
}

/** Compares ascending pairs, as far as they lie in `comparable`. */
export const comparePairs = (
  pairs: ReadonlyArray<BarPair>,
  comparable: Intervals.Ranges,
  fields: ReturnType<typeof compared>
): Compared => {
  const found: Array<Mismatch> = []
  let rows = 0
  let onlyLeft = 0
  let onlyRight = 0
  let next = 0
  for (const { left, right, ts } of pairs) {
    while (next < comparable.length && (comparable[next]?.end ?? 0) <= ts) next++
    if ((comparable[next]?.start ?? Infinity) > ts) continue
    rows++
    if (left !== null && right !== null) {
      found.push(...mismatchesOf(left, right, fields))
      continue
    }
    if (left === null) onlyRight++
    else onlyLeft++
    found.push({ ts, field: "row", left: left?.close ?? null, right: right?.close ?? null })
  }
  return { rows, onlyLeft, onlyRight, found }
}
