/**
 * Commits: rows, revisions, lineage, coverage and the mark that the response is applied, of one response or of several, in one
 * transaction. The rules are those of ../commit.ts, and so are the steps; here a step reads its stretch with a statement or two,
 * works it out in memory, and writes what has changed with a few more.
 *
 * Queueing: per series one commit at a time, over all processes: a commit holds the rows of its series (in the order of their names)
 * until it ends. Within a process the lock of the series keeps those who would have to wait from holding a connection meanwhile.
 *
 * Hard cases. Whoever waits for the row of a series sees what the one before has committed, because each statement sees the
 * newest state (READ COMMITTED). A process that dies, or a connection that breaks, leaves nothing: the server rolls back.
 */
import { Clock, Effect } from "effect"
import { canonical } from "../../../domain/SeriesKey.ts"
import type { Commit, CommitResult, MarketStoreError } from "../../../services/MarketStore.ts"
import { reached } from "../../FaultPoint.ts"
import { queueJobs } from "../../jobs/ledger/postgresJobSql.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { int8 } from "../../postgres/values.ts"
import { type Put, writeBehind } from "../../postgres/writeBehind.ts"
import type { CommitBatch } from "../CommitBatch.ts"
import { type CommitTarget, emptyTally, type Tally } from "../CommitTarget.ts"
import { compareRows } from "../comparedRows.ts"
import { insertFresh } from "../freshRows.ts"
import type { Piece } from "../GenerationTables.ts"
import { type CoverInterval, HistorySweep } from "../HistorySweep.ts"
import { compare } from "../KnowledgeKey.ts"
import { nothingDone } from "../nothingDone.ts"
import { firstBarAt, type RowChunk } from "../RowChunk.ts"
import { rewriteHistory } from "../rewrittenHistory.ts"
import { num, type SqlRow } from "../rows.ts"
import { assertsRows, isFinal } from "../stateCode.ts"
import { generationGone } from "../storeError.ts"
import { insertActions } from "./actionRows.ts"
import { addCounts, begin } from "./beginCommit.ts"
import { answersBetween } from "./coverageRows.ts"
import { PiecesAhead } from "./PiecesAhead.ts"
import { barsBetween, echoesBetween, RowWindow, revisionsBetween } from "./RowWindow.ts"
import { holdSeries, type SeriesRow } from "./seriesRows.ts"
import { constraintViolation, isViolation } from "./storeFailure.ts"
import { namedByTable } from "./timescale/chunkFailure.ts"
import { writeAnswers } from "./writeAnswers.ts"

/** Rows in one step: encoding and comparing them takes the event loop some milliseconds. */
const stepRows = 2_048

/** The chunk that begins at `start`, as far as one step goes, with what is stored of it. */
interface Stretch {
  readonly chunk: RowChunk
  readonly pieces: ReadonlyArray<Piece>
  readonly bars: ReadonlyArray<SqlRow>
}

const stretchAt = Effect.fnUntraced(function* (
  query: Query,
  generation: number,
  ahead: PiecesAhead,
  batch: CommitBatch,
  start: number,
  from: number,
  last: number
): Effect.fn.Return<Stretch, PostgresFailure> {
  const [pieces, reach] = yield* ahead.from(start, Math.min(last, batch.bars[from + stepRows]?.ts ?? last))
  const chunk = (end: number): RowChunk => ({ start, end, from, to: firstBarAt(batch, from, end) })
  if (pieces.length === 0) return { chunk: chunk(reach), pieces, bars: [] }
  const bars = yield* barsBetween(query, generation, start, reach, stepRows + 1)
  const beyond = bars[stepRows]
  if (beyond === undefined) return { chunk: chunk(reach), pieces, bars }
  const end = num(beyond[0])
  return { chunk: chunk(end), pieces: pieces.filter((piece) => piece.start < end), bars: bars.slice(0, stepRows) }
})

const historyOf = Effect.fnUntraced(function* (query: Query, generation: number, start: number, end: number) {
  const covers: Array<CoverInterval> = []
  for (const answer of yield* answersBetween(query, generation, start, end, Number.MAX_SAFE_INTEGER)) {
    const { applied, code, until } = answer
    if (applied === null || !assertsRows(code)) continue
    covers.push({ ...answer, applied, final: isFinal(code, until) })
  }
  return { covers, sweep: new HistorySweep(covers) }
})

const coveringIds = (covers: ReadonlyArray<CoverInterval>, { end, start }: RowChunk): ReadonlyArray<number> => [
  ...new Set(covers.filter((cover) => cover.start < end && cover.end > start).map(({ applied }) => applied))
]

const writeRows = Effect.fnUntraced(function* (
  query: Query,
  put: Put<PostgresFailure>,
  target: CommitTarget,
  batch: CommitBatch
) {
  const tally: Tally = emptyTally()
  const { generation } = target
  const asserting = batch.intervals.filter((interval) => interval.assertsRows)
  const last = asserting[asserting.length - 1]?.end ?? 0
  const ahead = new PiecesAhead(query, generation, last)
  let start = asserting[0]?.start ?? last
  let from = 0
  let history: { readonly covers: ReadonlyArray<CoverInterval>; readonly sweep: HistorySweep } | undefined
  while (start < last) {
    const { bars, chunk, pieces } = yield* stretchAt(query, generation, ahead, batch, start, from, last)
    const stored = new Map([[generation, bars]])
    let window = new RowWindow({ generation, bars: stored })
    if (pieces.length === 0) insertFresh(window, target, batch, chunk, tally)
    else {
      const newest = pieces.every((piece) => compare(piece, target.key) < 0)
      if (!newest || !compareRows(window, target, batch, chunk, pieces, tally)) {
        history ??= yield* historyOf(query, generation, start, last)
        const revisions = yield* revisionsBetween(query, generation, chunk.start, chunk.end)
        const echoes = yield* echoesBetween(query, coveringIds(history.covers, chunk), chunk.start, chunk.end)
        window = new RowWindow({ generation, bars: stored, revisions, echoes })
        rewriteHistory(window, target, batch, chunk, history.sweep, tally)
      }
    }
    yield* put(window.changes()(query))
    start = chunk.end
    from = chunk.to
  }
  return tally
})

export interface Prepared {
  readonly commit: Commit
  readonly batch: CommitBatch
}

const within = Effect.fnUntraced(function* (
  database: PostgresDatabase,
  query: Query,
  { batch, commit }: Prepared,
  series: SeriesRow,
  now: number
) {
  const begun = yield* begin(query, commit, series)
  if (begun._tag === "AlreadyApplied") return nothingDone
  if (begun._tag === "Gone") {
    return yield* generationGone(`generation ${commit.generation} was published or dropped; begin another`)
  }
  const { target } = begun
  const { inserted, revisions, unchanged, updated, withdrawn } = yield* writeBehind((put: Put<PostgresFailure>) =>
    writeRows(query, put, target, batch)
  )
  yield* reached("midCommit")
  yield* writeAnswers(query, target, batch.intervals)
  if (commit.actions !== undefined) yield* insertActions(query, target, commit.actions)
  if (commit.jobs !== undefined) yield* queueJobs(database, query, commit.jobs, now)
  yield* query(addCounts, [int8(inserted - withdrawn), int8(revisions), int8(target.generation)])
  const done: CommitResult = { inserted, updated, unchanged, withdrawn, alreadyApplied: false }
  return done
})

/** Which of the bars the database refused: the one with the stamp that it names, where only one commit has it. */
const violated =
  (prepared: ReadonlyArray<Prepared>) =>
  (error: MarketStoreError | PostgresFailure): MarketStoreError | PostgresFailure => {
    if (error._tag === "MarketStoreError" || !isViolation(error)) return error
    const { table, ts } = error
    if (table !== "bars" || ts === null) return error
    // Of several with one stamp the last is the one that was written.
    const found = prepared
      .map(({ commit }) => commit.bars.findLastIndex((bar) => bar.ts === ts))
      .filter((index) => index >= 0)
    return constraintViolation(error, found.length === 1 ? (found[0] ?? null) : null)
  }

/** Runs prepared commits in their order; the caller holds this process's locks of their series. */
export const runCommits: (
  database: PostgresDatabase,
  prepared: ReadonlyArray<Prepared>
) => Effect.Effect<ReadonlyArray<CommitResult>, MarketStoreError | PostgresFailure> = Effect.fnUntraced(
  function* (database, prepared) {
    const now = yield* Clock.currentTimeMillis
    return yield* database
      .transaction("commit", (query) =>
        Effect.gen(function* () {
          const held = yield* holdSeries(
            query,
            prepared.map(({ commit }) => commit.series),
            now
          )
          const results: Array<CommitResult> = []
          for (const one of prepared) {
            const series = held.get(canonical(one.commit.series))
            if (series !== undefined) results.push(yield* within(database, query, one, series, now))
          }
          return results
        })
      )
      .pipe(Effect.catch(namedByTable(database)), Effect.mapError(violated(prepared)))
  }
)
