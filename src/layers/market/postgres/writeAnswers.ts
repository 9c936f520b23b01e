/** Answers written down and laid over the coverage, several thousand intervals at a time. */
import { Effect } from "effect"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import type { BatchInterval, CommitBatch } from "../CommitBatch.ts"
import type { CommitTarget } from "../CommitTarget.ts"
import type { PieceTable } from "../GenerationTables.ts"
import { beginOverlay, type Overlay, overlay, tableOf } from "../overlay.ts"
import * as CoverageWindow from "./CoverageWindow.ts"
import { insertAnswerRows } from "./coverageRows.ts"

const groupIntervals = 2_048

type Target = Pick<CommitTarget, "generation" | "key"> & { readonly applied: number | null }

const layGroup = Effect.fnUntraced(function* (
  query: Query,
  { generation, key }: Target,
  table: PieceTable,
  intervals: ReadonlyArray<BatchInterval>
) {
  const end = intervals[intervals.length - 1]?.end ?? 0
  let index = 0
  let progress: Overlay | null = null
  while (index < intervals.length) {
    const begin: number = progress === null ? (intervals[index]?.start ?? end) : progress.from
    const window = yield* CoverageWindow.load(query, table, generation, begin, end)
    for (; index < intervals.length; index++) {
      const interval = intervals[index]
      if (interval === undefined) break
      const from: number = progress === null ? interval.start : progress.from
      if (from >= window.reach) break
      const whole = interval.end <= window.reach
      // Where there may be more behind the window, the overlay stops at the last piece that is in it.
      const limit: number = whole ? Number.POSITIVE_INFINITY : window.count(from, interval.end)
      progress = overlay(
        window,
        generation,
        { ...interval, ...key },
        progress ?? beginOverlay({ ...interval, ...key }, interval.final),
        limit
      )
      if (progress !== null) break
    }
    yield* window.flush(query)
  }
})

/** For an invalidation `applied` is null. */
export const writeAnswers = Effect.fnUntraced(function* (
  query: Query,
  target: Target,
  intervals: CommitBatch["intervals"]
) {
  for (let from = 0; from < intervals.length; from += groupIntervals) {
    const group = intervals.slice(from, from + groupIntervals)
    yield* insertAnswerRows(query, target.generation, target.key, target.applied, group)
    // Each table has its own pieces, and what is laid over one says nothing of the other.
    for (const table of ["coverage", "refusals"] as const) {
      const laid = group.filter(({ code }) => tableOf(code) === table)
      if (laid.length > 0) yield* layGroup(query, target, table, laid)
    }
    yield* Effect.yieldNow
  }
})
