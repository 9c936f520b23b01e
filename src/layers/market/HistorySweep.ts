/**
 * Which answers cover a stamp, for stamps asked in ascending order. Keeps the open ones sorted in the order of knowledge.
 */
import { compare, type KnowledgeKey } from "./KnowledgeKey.ts"
import type { Cover } from "./VersionHistory.ts"

/** An interval in which a response says of every stamp whether it has a row. */
export interface CoverInterval extends KnowledgeKey {
  readonly start: number
  readonly end: number
  readonly applied: number
  readonly final: boolean
}

interface OpenCover extends Cover {
  readonly end: number
}

export class HistorySweep {
  private readonly intervals: ReadonlyArray<CoverInterval>
  private open: Array<OpenCover> = []
  private taken = 0
  private nextEnd = Number.POSITIVE_INFINITY

  constructor(intervals: ReadonlyArray<CoverInterval>) {
    this.intervals = [...intervals].sort((a, b) => a.start - b.start)
  }

  /** The answers that cover `ts`, oldest knowledge first; `ts` never decreases from call to call. */
  at(ts: number): ReadonlyArray<Cover> {
    let changed = false
    if (ts >= this.nextEnd) {
      this.open = this.open.filter((cover) => cover.end > ts)
      changed = true
    }
    for (;;) {
      const interval = this.intervals[this.taken]
      if (interval === undefined || interval.start > ts) break
      this.taken++
      if (interval.end <= ts) continue
      const { applied, final, end } = interval
      this.open.push({ applied, final, end, key: interval })
      changed = true
    }
    if (changed) {
      this.open.sort((a, b) => compare(a.key, b.key))
      this.nextEnd = this.open.reduce((least, cover) => Math.min(least, cover.end), Number.POSITIVE_INFINITY)
    }
    return this.open
  }
}
