/**
 * Commits: rows, revisions, lineage, coverage and the mark that the response is applied, of one response or of several, in one
 * transaction.
 *
 * Responsibilities: put one response's assertions in their place in the order of knowledge, whatever was committed before.
 * Queueing: per series one commit at a time, in all one transaction at a time; both first come first served. The transaction
 * is a row of steps of a few milliseconds, with a turn of the event loop after each, so others go on in between. Small commits
 * that share a transaction share turns too: one when `turnAfter` has gone.
 *
 * Hard cases. A response older than what is stored changes only the part of history that is its own (rewrittenHistory.ts). An
 * answer without rows over a long stretch withdraws rows that no batch lists, so the chunks follow the stored rows as well as
 * the new ones. Death between two steps, or an interruption, leaves nothing: the transaction rolls back.
 */
import { Effect } from "effect"
import type { Commit, CommitResult, MarketStoreError } from "../../services/MarketStore.ts"
import { reached } from "../FaultPoint.ts"
import { queueJobs } from "../jobs/ledger/sqliteJobSql.ts"
import type { SqliteDatabase, SqliteFailure, Step, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { insertActions } from "./actionsTable.ts"
import { answersIn, insertAnswerRow } from "./answersTable.ts"
import { begin } from "./beginCommit.ts"
import type { CommitBatch } from "./CommitBatch.ts"
import { type CommitTarget, emptyTally, type Tally } from "./CommitTarget.ts"
import { compareRows } from "./comparedRows.ts"
import { coverageTables, piecesIn } from "./coverageTable.ts"
import { insertFresh } from "./freshRows.ts"
import { type CoverInterval, HistorySweep } from "./HistorySweep.ts"
import { compare } from "./KnowledgeKey.ts"
import { nothingDone } from "./nothingDone.ts"
import { beginOverlay, type Overlay, overlay, tableOf } from "./overlay.ts"
import { firstBarAt, type RowChunk } from "./RowChunk.ts"
import { rewriteHistory } from "./rewrittenHistory.ts"
import { nthStamp, rowTables } from "./rowTables.ts"
import { assertsRows, isFinal } from "./stateCode.ts"
import { generationGone } from "./storeError.ts"

/** Rows, or pieces of coverage, in one step. */
const stepRows = 1_024
const stepIntervals = 1_024
/** Milliseconds after which small commits of one transaction let the event loop turn. */
const turnAfter = 2

/** Done in one step or two, between which nobody needs a turn. */
const isSmall = ({ bars, intervals }: CommitBatch): boolean => bars.length <= stepRows && intervals.length <= 8

/** Adds to what a generation counts of its rows and revisions. */
export const addCounts =
  "update generations set row_count = row_count + ?, revision_count = revision_count + ? where id = ?"

/** What became of a chunk: written up to `end` and the bar `to`, or left to be rewritten with its history. */
type Planned =
  | { readonly _tag: "Done"; readonly end: number; readonly to: number }
  | { readonly _tag: "NeedsHistory"; readonly chunk: RowChunk }

const writeChunk = (
  db: SyncDatabase,
  target: CommitTarget,
  batch: CommitBatch,
  start: number,
  from: number,
  last: number,
  tally: Tally
): Planned => {
  let end = Math.min(last, batch.bars[from + stepRows]?.ts ?? last)
  let pieces = piecesIn(db, target.generation, start, end, stepRows)
  if (pieces.length > 0) {
    if (pieces.length >= stepRows) end = pieces[pieces.length - 1]?.end ?? end
    end = Math.min(end, last, nthStamp(db, target.generation, start, stepRows) ?? last)
    const clipped = end
    pieces = pieces.filter((piece) => piece.start < clipped)
  }
  const chunk: RowChunk = { start, end, from, to: firstBarAt(batch, from, end) }
  if (pieces.length === 0) insertFresh(rowTables(db), target, batch, chunk, tally)
  else {
    const newest = pieces.every((piece) => compare(piece, target.key) < 0)
    if (!newest || !compareRows(rowTables(db), target, batch, chunk, pieces, tally))
      return { _tag: "NeedsHistory", chunk }
  }
  return { _tag: "Done", end, to: chunk.to }
}

const historyOf = Effect.fnUntraced(function* (step: Step, target: CommitTarget, start: number, end: number) {
  const answers = yield* answersIn(step, target.generation, start, end, Number.MAX_SAFE_INTEGER)
  const covers: Array<CoverInterval> = []
  for (const answer of answers) {
    const { applied, code, until } = answer
    if (applied === null || !assertsRows(code)) continue
    covers.push({ ...answer, applied, final: isFinal(code, until) })
  }
  return new HistorySweep(covers)
})

const writeRows = Effect.fnUntraced(function* (step: Step, target: CommitTarget, batch: CommitBatch) {
  const tally = emptyTally()
  const small = isSmall(batch)
  const asserting = batch.intervals.filter((interval) => interval.assertsRows)
  const last = asserting[asserting.length - 1]?.end ?? 0
  let start = asserting[0]?.start ?? last
  let from = 0
  let sweep: HistorySweep | undefined
  while (start < last) {
    const at = start
    const index = from
    const planned = yield* step((db) => writeChunk(db, target, batch, at, index, last, tally))
    if (planned._tag === "NeedsHistory") {
      const { chunk } = planned
      if (sweep === undefined) sweep = yield* historyOf(step, target, at, last)
      const history = sweep
      yield* Effect.yieldNow
      yield* step((db) => rewriteHistory(rowTables(db), target, batch, chunk, history, tally))
      start = chunk.end
      from = chunk.to
    } else {
      start = planned.end
      from = planned.to
    }
    if (!small) yield* Effect.yieldNow
  }
  return tally
})

/** Writes the answers of a batch and lays them over the coverage; for an invalidation `applied` is null. */
export const writeAnswers = Effect.fnUntraced(function* (
  step: Step,
  target: Pick<CommitTarget, "generation" | "key"> & { readonly applied: number | null },
  intervals: CommitBatch["intervals"]
) {
  const { applied, generation, key } = target
  let index = 0
  let progress: Overlay | null = null
  while (index < intervals.length) {
    yield* step((db) => {
      const tables = { coverage: coverageTables(db, "coverage"), refusals: coverageTables(db, "refusals") }
      for (let done = 0; done < stepIntervals && index < intervals.length; done++) {
        const interval = intervals[index]
        if (interval === undefined) return
        const answer = { ...interval, ...key }
        if (progress === null) {
          insertAnswerRow(db, generation, { ...answer, applied })
          progress = beginOverlay(answer, interval.final)
        }
        progress = overlay(tables[tableOf(answer.code)], generation, answer, progress, stepIntervals)
        if (progress !== null) return
        index++
      }
    })
    if (index < intervals.length) yield* Effect.yieldNow
  }
})

export interface Prepared {
  readonly commit: Commit
  readonly batch: CommitBatch
}

const within = Effect.fnUntraced(function* (step: Step, { batch, commit }: Prepared, now: number) {
  const begun = yield* step((db) => begin(db, commit, now))
  if (begun._tag === "AlreadyApplied") return nothingDone
  if (begun._tag === "Gone") {
    return yield* generationGone(`generation ${commit.generation} was published or dropped; begin another`)
  }
  const { target } = begun
  const { inserted, revisions, unchanged, updated, withdrawn } = yield* writeRows(step, target, batch)
  yield* reached("midCommit")
  yield* writeAnswers(step, target, batch.intervals)
  const { actions } = commit
  if (actions !== undefined) yield* step((db) => insertActions(db, target, actions))
  yield* step((db) => db.prepare(addCounts).run(inserted - withdrawn, revisions, target.generation))
  if (commit.jobs !== undefined) yield* queueJobs(step, commit.jobs, now)
  if (!isSmall(batch)) yield* Effect.yieldNow
  const done: CommitResult = { inserted, updated, unchanged, withdrawn, alreadyApplied: false }
  return done
})

/** Runs prepared commits in their order; the caller holds the locks of their series. */
export const runCommits: (
  database: SqliteDatabase,
  prepared: ReadonlyArray<Prepared>
) => Effect.Effect<ReadonlyArray<CommitResult>, MarketStoreError | SqliteFailure> = Effect.fnUntraced(
  function* (database, prepared) {
    const now = yield* wholeMillis
    return yield* database.transaction("commit", (step) =>
      Effect.gen(function* () {
        const results: Array<CommitResult> = []
        let turnedAt = performance.now()
        for (const one of prepared) {
          if (performance.now() - turnedAt > turnAfter) {
            yield* Effect.yieldNow
            turnedAt = performance.now()
          }
          results.push(yield* within(step, one, now))
        }
        return results
      })
    )
  }
)
