import * as Intervals from "../../domain/Intervals.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { Filled } from "./topicParts.ts"

type Part = Filled["parts"][number]

/**
 * The parts of exactly this range, sorted and without a hole: what lies outside of it is cut off, and what none of them is about could not be had.
 * A topic whose gap is told as another range than it is would wait for its rows for ever.
 */
export const partsWithin = (range: TimeRange, parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const cut: Array<Part> = []
  let told = range.start
  for (const part of parts.toSorted((a, b) => a.start - b.start)) {
    const start = Math.max(part.start, told)
    const end = Math.min(part.end, range.end)
    if (start >= end) continue
    cut.push({ ...part, start, end })
    told = end
  }
  const missing = Intervals.subtract([range], Intervals.normalise(cut))
  return [...cut, ...missing.map((part) => ({ ...part, why: "the history's answer was not about it" }))].sort(
    (a, b) => a.start - b.start
  )
}
