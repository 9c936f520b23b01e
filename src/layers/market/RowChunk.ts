/** A part of a commit that is written in one step: the stamps of `[start, end)`, which are the batch's bars `[from, to)`. */
import type { BatchInterval, CommitBatch } from "./CommitBatch.ts"

export interface RowChunk {
  readonly start: number
  readonly end: number
  readonly from: number
  readonly to: number
}

/** The first bar of the batch, at `from` or after it, whose stamp is `ts` or later. */
export const firstBarAt = (batch: CommitBatch, from: number, ts: number): number => {
  let low = from
  let high = batch.bars.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((batch.bars[middle]?.ts ?? Number.POSITIVE_INFINITY) < ts) low = middle + 1
    else high = middle
  }
  return low
}

/** Finds the interval of ascending stamps, where it says which of them have rows. */
export const intervalCursor = (intervals: ReadonlyArray<BatchInterval>): ((ts: number) => BatchInterval | null) => {
  let at = -1
  return (ts) => {
    if (at < 0) {
      let high = intervals.length
      at = 0
      while (at < high) {
        const middle = (at + high) >>> 1
        if ((intervals[middle]?.end ?? Number.POSITIVE_INFINITY) <= ts) at = middle + 1
        else high = middle
      }
    }
    let interval = intervals[at]
    while (interval !== undefined && interval.end <= ts) interval = intervals[++at]
    return interval !== undefined && interval.start <= ts && interval.assertsRows ? interval : null
  }
}
