import type { TimeRange } from "../../domain/TimeRange.ts"

/** A range that a request in flight will bring. */
export interface InFlight {
  readonly id: string
  readonly range: TimeRange
}

/** Flights may overlap (a forced one beside another): each instant is given to the first. */
export const inOrder = (inFlight: ReadonlyArray<InFlight>): ReadonlyArray<InFlight> => {
  let end = -Infinity
  return [...inFlight]
    .sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end)
    .flatMap(({ id, range }) => {
      const start = Math.max(range.start, end)
      end = Math.max(range.end, end)
      return start < range.end ? [{ id, range: { start, end: range.end } }] : []
    })
}
