/** What is known of bars that are made of smaller ones: of each only what is known of all that it is made of. */
import { Equal } from "effect"
import { type CoverageInterval, type CoverageState, isComplete } from "./Coverage.ts"
import type { TimeRange } from "./TimeRange.ts"

/** The lower, the less is known; of equal ones the later holds. */
const rank = (state: CoverageState): number => {
  switch (state._tag) {
    case "Covered":
      return 3
    case "Empty":
      return 4
    case "Closed":
      return 5
    case "Provisional":
      return 2
    default:
      return isComplete(state) ? 2 : 1
  }
}

/** A bar that is covered in part and closed, or empty, in the rest is covered; one that is not known in part is not known. */
const together = (states: ReadonlyArray<CoverageState>, first: CoverageState): CoverageState =>
  states.reduce((least, state) => (rank(state) <= rank(least) ? state : least), first)

const unknown: CoverageState = { _tag: "Missing", cause: null }

/**
 * Coverage of bars `width` long, of that of what they are made of, which is sorted, disjoint and without a hole from `range.start` on;
 * that and `range.end` are multiples of `width`.
 */
export const derivedCoverage = (
  source: ReadonlyArray<CoverageInterval>,
  range: TimeRange,
  width: number
): ReadonlyArray<CoverageInterval> => {
  const found: Array<CoverageInterval> = []
  const add = (start: number, end: number, state: CoverageState) => {
    const last = found.at(-1)
    if (last?.end === start && Equal.equals(last.state, state)) found[found.length - 1] = { ...last, end }
    else found.push({ start, end, state })
  }
  let index = 0
  for (let at = range.start; at < range.end; ) {
    while (index < source.length && (source[index]?.end ?? 0) <= at) index++
    const here = source[index]
    if (here === undefined) {
      add(at, range.end, unknown)
      break
    }
    const whole = at + Math.floor((Math.min(here.end, range.end) - at) / width) * width
    if (whole > at) {
      add(at, whole, here.state)
      at = whole
      continue
    }
    const states: Array<CoverageState> = []
    for (let next = index; next < source.length && (source[next]?.start ?? 0) < at + width; next++) {
      const piece = source[next]
      if (piece !== undefined) states.push(piece.state)
    }
    if ((source[source.length - 1]?.end ?? 0) < at + width) states.push(unknown)
    add(at, at + width, together(states, here.state))
    at += width
  }
  return found
}

/** Where there are bars to be had. */
export const hadIn = (coverage: ReadonlyArray<CoverageInterval>): ReadonlyArray<TimeRange> => {
  const ranges: Array<{ readonly start: number; end: number }> = []
  for (const { end, start, state } of coverage) {
    if (!isComplete(state)) continue
    const last = ranges.at(-1)
    if (last?.end === start) last.end = end
    else ranges.push({ start, end })
  }
  return ranges
}
