/** A coverage report as one line of blocks, left to right in time, one glyph a status. */
import type { CoverageInterval, CoverageState } from "../../domain/Coverage.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"

type Status = CoverageState["_tag"]

interface Mark {
  readonly glyph: string
  readonly label: string
}

/** In the order in which they win a block that they share: what is wrong is never hidden by what is well. */
const marks: Readonly<Record<Status, Mark>> = {
  Missing: { glyph: "_", label: "missing" },
  Throttled: { glyph: "~", label: "throttled" },
  NotEntitled: { glyph: "x", label: "not entitled" },
  NotFound: { glyph: "?", label: "not found" },
  Pending: { glyph: ">", label: "on its way" },
  Provisional: { glyph: "▒", label: "provisional" },
  Covered: { glyph: "█", label: "covered" },
  Empty: { glyph: "·", label: "empty" },
  Closed: { glyph: " ", label: "closed" }
}

const statuses: ReadonlyArray<Status> = [
  "Missing",
  "Throttled",
  "NotEntitled",
  "NotFound",
  "Pending",
  "Provisional",
  "Covered",
  "Empty",
  "Closed"
]

const rank = (status: Status): number => statuses.indexOf(status)

/** `width` glyphs for the range; each stands for an equal part of it. */
export const strip = (intervals: ReadonlyArray<CoverageInterval>, range: TimeRange, width: number): string => {
  const span = range.end - range.start
  let first = 0
  const blocks: Array<string> = []
  for (let block = 0; block < width; block++) {
    const start = range.start + Math.floor((span * block) / width)
    const end = Math.max(start + 1, range.start + Math.floor((span * (block + 1)) / width))
    let winner: Status = "Closed"
    while (first < intervals.length && (intervals[first]?.end ?? 0) <= start) first++
    for (let i = first; i < intervals.length; i++) {
      const interval = intervals[i]
      if (interval === undefined || interval.start >= end) break
      if (rank(interval.state._tag) < rank(winner)) winner = interval.state._tag
    }
    blocks.push(marks[winner].glyph)
  }
  return blocks.join("")
}

/** `█ covered   _ missing`: the glyphs that the report uses. */
export const legend = (intervals: ReadonlyArray<CoverageInterval>): string => {
  const used = new Set(intervals.map((interval) => interval.state._tag))
  return statuses
    .filter((status) => used.has(status))
    .map((status) => `${marks[status].glyph} ${marks[status].label}`)
    .join("   ")
}

export const labelOf = (status: Status): string => marks[status].label
