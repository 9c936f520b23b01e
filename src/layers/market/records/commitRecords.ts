/**
 * Commits of records: rows, revisions, lineage, coverage and the mark that the response is applied, in one transaction.
 *
 * Responsibilities: put what one response says in its place in the order of knowledge, whatever was committed before.
 * Queueing: as commits of bars, whose locks and transactions they share: per series one at a time, in all one transaction at a time,
 * which is a row of steps of a few milliseconds with a turn of the event loop after each.
 *
 * Hard cases. Nearly every answer is the newest of its series: then what is stored is the last word before it, and each row is compared
 * with that. One that is older than another of its series takes the whole history of every row it speaks of (recordChain.ts),
 * for who confirmed or denied a row may have left no other trace of it. Withdrawn is only what an answer's own coverage holds; rows outside coverage are
 * added, and say nothing of others.
 */
import { Effect } from "effect"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { RecordCommit, RecordResult } from "../../../services/RecordStore.ts"
import { reached } from "../../FaultPoint.ts"
import type { SqliteDatabase, SqliteFailure, Step, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../../wholeMillis.ts"
import { answersIn } from "../answersTable.ts"
import { begin } from "../beginCommit.ts"
import { type CommitTarget, emptyTally } from "../CommitTarget.ts"
import { addCounts, writeAnswers } from "../commit.ts"
import { nothingDone } from "../nothingDone.ts"
import { num, text } from "../rows.ts"
import { absentFrom, type Covering, coveringNewer, type Placing, placeRows, withdrawRows } from "./placeRecords.ts"
import type { BatchRow, RecordBatch } from "./RecordBatch.ts"
import { type RowKey, toCells } from "./recordCells.ts"
import { nthInstant, RecordInserter, statements } from "./recordTables.ts"
import { recordEchoes, SqliteRecordRows } from "./SqliteRecordRows.ts"

const stepRows = 1_024

const selectNewer = `select 1 from applied
  where generation = ? and (fetched_at, response, decoder_version) > (?, ?, ?) limit 1`
const selectPastKeys =
  "select distinct ts, ns, identity from record_revisions where generation = ? and ts >= ? and ts < ?"

const writeChunk = (db: SyncDatabase, placing: Placing, given: ReadonlyArray<BatchRow>): void => {
  const { kind, newer, tally, target } = placing
  const { applied, generation } = target
  const start = given[0]?.ts ?? 0
  const end = (given[given.length - 1]?.ts ?? 0) + 1
  if (newer !== null || db.prepare(statements[kind].any).get(generation, start, end) !== undefined) {
    const echoes = newer === null ? null : recordEchoes(db, generation, start, end)
    placeRows(new SqliteRecordRows(db, kind, generation, echoes), placing, given)
    return
  }
  const inserter = new RecordInserter(db, kind, generation, applied)
  for (const row of given) inserter.add(row, toCells(kind, row.row), row.position)
  inserter.flush()
  tally.inserted += given.length
}

/** Takes away what is known of `[start, end)` and not in `given`. */
const withdraw = (
  db: SyncDatabase,
  placing: Placing,
  start: number,
  end: number,
  given: ReadonlyArray<RowKey>
): void => {
  const { kind, newer, target } = placing
  const { generation } = target
  const known = db.prepare(statements[kind].keys).all(generation, start, end)
  const past = newer === null ? [] : db.prepare(selectPastKeys).all(generation, start, end)
  const keys = [...known, ...past].map(([ts, ns, identity]) => ({ ts: num(ts), ns: num(ns), identity: text(identity) }))
  const absent = absentFrom(given, keys, start, end)
  if (absent.length === 0) return
  const echoes = newer === null ? null : recordEchoes(db, generation, start, end)
  withdrawRows(new SqliteRecordRows(db, kind, generation, echoes), placing, absent)
}

const withdrawals = Effect.fnUntraced(function* (step: Step, placing: Placing, { intervals, rows }: RecordBatch) {
  const { kind, target } = placing
  for (const interval of intervals) {
    if (!interval.assertsRows) continue
    let { start } = interval
    while (start < interval.end) {
      const from = start
      start = yield* step((db) => {
        const nth = nthInstant(db, kind, target.generation, from, interval.end, stepRows)
        // All rows of one millisecond go together.
        const end = nth === null ? interval.end : Math.min(interval.end, Math.max(nth, from + 1))
        withdraw(db, placing, from, end, rows)
        return end
      })
      if (start < interval.end) yield* Effect.yieldNow
    }
  }
})

/** Null when this answer is the newest of its generation. */
const newerAnswers = Effect.fnUntraced(function* (
  step: Step,
  { generation, key }: CommitTarget
): Effect.fn.Return<ReadonlyArray<Covering> | null, SqliteFailure> {
  const isLate = yield* step(
    (db) => db.prepare(selectNewer).get(generation, key.fetchedAt, key.response, key.decoderVersion) !== undefined
  )
  if (!isLate) return null
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number
  const answers = yield* answersIn(step, generation, MIN_SAFE_INTEGER, MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
  return coveringNewer(answers, key)
})

export interface PreparedRecords {
  readonly commit: RecordCommit
  readonly batch: RecordBatch
}

const within = Effect.fnUntraced(function* (step: Step, { batch, commit }: PreparedRecords, now: number) {
  const begun = yield* step((db) => begin(db, commit, now))
  if (begun._tag !== "Target") return nothingDone
  const { target } = begun
  const tally = emptyTally()
  const newer = yield* newerAnswers(step, target)
  const placing: Placing = { kind: commit.series.kind, target, tally, newer }
  yield* withdrawals(step, placing, batch)
  for (let from = 0; from < batch.rows.length; from += stepRows) {
    if (from > 0) yield* Effect.yieldNow
    yield* step((db) => writeChunk(db, placing, batch.rows.slice(from, from + stepRows)))
  }
  yield* reached("midCommit")
  yield* writeAnswers(step, target, batch.intervals)
  const { inserted, revisions, unchanged, updated, withdrawn } = tally
  yield* step((db) => db.prepare(addCounts).run(inserted - withdrawn, revisions, target.generation))
  const done: RecordResult = { inserted, updated, unchanged, withdrawn, alreadyApplied: false }
  return done
})

/** Runs prepared commits in their order; the caller holds the locks of their series. */
export const runRecordCommits: (
  database: SqliteDatabase,
  prepared: ReadonlyArray<PreparedRecords>
) => Effect.Effect<ReadonlyArray<RecordResult>, MarketStoreError | SqliteFailure> = Effect.fnUntraced(
  function* (database, prepared) {
    const now = yield* wholeMillis
    return yield* database.transaction("commit records", (step) =>
      Effect.forEach(prepared, (one) => Effect.tap(within(step, one, now), Effect.yieldNow))
    )
  }
)
