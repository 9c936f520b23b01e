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
import type { RecordKind } from "../../../domain/records/RecordKind.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { RecordCommit, RecordResult } from "../../../services/RecordStore.ts"
import { reached } from "../../FaultPoint.ts"
import type { SqliteDatabase, SqliteFailure, SqlValue, Step, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../../wholeMillis.ts"
import { answersIn } from "../answersTable.ts"
import { begin } from "../beginCommit.ts"
import { type CommitTarget, emptyTally, type Tally } from "../CommitTarget.ts"
import { addCounts, writeAnswers } from "../commit.ts"
import { compare } from "../KnowledgeKey.ts"
import { nothingDone } from "../nothingDone.ts"
import { num, RevisionKind, text } from "../rows.ts"
import { assertsRows } from "../stateCode.ts"
import type { BatchRow, RecordBatch } from "./RecordBatch.ts"
import { rewriteChain, type Said } from "./recordChain.ts"
import { type Echo, putRecordEchoes, recordEchoes } from "./recordEchoes.ts"
import { putPast } from "./recordRevisions.ts"
import {
  keyText,
  nthInstant,
  putRow,
  RecordInserter,
  type RowKey,
  removeRow,
  sameCells,
  statements,
  toCells
} from "./recordTables.ts"

const stepRows = 1_024

const selectNewer = `select 1 from applied
  where generation = ? and (fetched_at, response, decoder_version) > (?, ?, ?) limit 1`
const selectPastKeys =
  "select distinct ts, ns, identity from record_revisions where generation = ? and ts >= ? and ts < ?"

/** A commit under way. */
interface Writing {
  readonly kind: RecordKind
  readonly target: CommitTarget
  readonly tally: Tally
  /** Of the answers that are newer than this one, where each covers; null when there is none. */
  readonly newer: ReadonlyArray<Covering> | null
}

interface Covering {
  readonly start: number
  readonly end: number
  readonly applied: number
}

interface StoredRow extends Said {
  readonly cells: ReadonlyArray<SqlValue>
}

const storedAt = (db: SyncDatabase, { kind, target }: Writing, at: RowKey): StoredRow | null => {
  const { columns, one } = statements[kind]
  const row = db.prepare(one).get(target.generation, at.ts, at.ns, at.identity)
  if (row === undefined) return null
  const width = columns.length
  return { cells: row.slice(0, width), applied: num(row[width]), position: num(row[width + 1]) }
}

const filled = (cells: ReadonlyArray<SqlValue>, stored: StoredRow): ReadonlyArray<SqlValue> =>
  cells.map((cell, index) => cell ?? stored.cells[index] ?? null)

/** True when the row was repeated. */
const placeNewest = (db: SyncDatabase, writing: Writing, row: BatchRow): boolean => {
  const { kind, tally, target } = writing
  const { applied, generation, keepsNulls } = target
  const stored = storedAt(db, writing, row)
  const given = toCells(kind, row.row)
  if (stored === null) {
    putRow(db, kind, generation, row, given, applied, row.position)
    tally.inserted++
    return false
  }
  const cells = keepsNulls ? filled(given, stored) : given
  if (sameCells(stored.cells, cells)) {
    tally.unchanged++
    return true
  }
  putPast(db, generation, row, { ...stored, kind: RevisionKind.corrected, supersededBy: applied })
  putRow(db, kind, generation, row, cells, applied, row.position)
  tally.updated++
  tally.revisions++
  return false
}

const withdrawNewest = (db: SyncDatabase, writing: Writing, at: RowKey): void => {
  const { kind, tally, target } = writing
  const stored = storedAt(db, writing, at)
  if (stored === null) return
  putPast(db, target.generation, at, { ...stored, kind: RevisionKind.withdrawn, supersededBy: target.applied })
  removeRow(db, kind, target.generation, at)
  tally.withdrawn++
  tally.revisions++
}

const placeLate = (
  db: SyncDatabase,
  writing: Writing,
  at: RowKey,
  said: Omit<Said, "applied">,
  echoes: ReadonlyMap<string, ReadonlyArray<Echo>>
): void => {
  const { kind, newer, tally, target } = writing
  const stored = storedAt(db, writing, at)
  const covering = (newer ?? []).filter(({ end, start }) => start <= at.ts && at.ts < end)
  const { current, echoing, revisions } = rewriteChain(db, target, {
    kind,
    key: at,
    stored,
    echoes: echoes.get(keyText(at)) ?? [],
    covering: covering.map(({ applied }) => applied),
    late: { ...said, applied: target.applied }
  })
  for (const { applied, position } of echoing) putRecordEchoes(db, target.generation, applied, [{ ...at, position }])
  tally.revisions += revisions
  if (current === null) {
    if (stored !== null) tally.withdrawn++
    else if (said.cells !== null) tally.unchanged++
  } else if (stored === null) tally.inserted++
  else if (!sameCells(stored.cells, current)) tally.updated++
  else if (said.cells !== null) tally.unchanged++
}

const writeChunk = (db: SyncDatabase, writing: Writing, rows: ReadonlyArray<BatchRow>): void => {
  const { kind, newer, tally, target } = writing
  const { applied, generation } = target
  const start = rows[0]?.ts ?? 0
  const end = (rows[rows.length - 1]?.ts ?? 0) + 1
  if (newer !== null) {
    const echoes = recordEchoes(db, generation, start, end)
    for (const row of rows) {
      placeLate(db, writing, row, { cells: toCells(kind, row.row), position: row.position }, echoes)
    }
    return
  }
  if (db.prepare(statements[kind].any).get(generation, start, end) !== undefined) {
    putRecordEchoes(
      db,
      generation,
      applied,
      rows.filter((row) => placeNewest(db, writing, row))
    )
    return
  }
  const inserter = new RecordInserter(db, kind, generation, applied)
  for (const row of rows) inserter.add(row, toCells(kind, row.row), row.position)
  inserter.flush()
  tally.inserted += rows.length
}

/** Takes away what is known of `[start, end)` and not in `given`. */
const withdraw = (
  db: SyncDatabase,
  writing: Writing,
  start: number,
  end: number,
  given: () => ReadonlySet<string>
): void => {
  const { kind, newer, target } = writing
  const known = db.prepare(statements[kind].keys).all(target.generation, start, end)
  const past = newer === null ? [] : db.prepare(selectPastKeys).all(target.generation, start, end)
  if (known.length === 0 && past.length === 0) return
  const echoes = newer === null ? new Map() : recordEchoes(db, target.generation, start, end)
  const seen = new Set<string>()
  for (const [ts, ns, identity] of [...known, ...past]) {
    const at: RowKey = { ts: num(ts), ns: num(ns), identity: text(identity) }
    const key = keyText(at)
    if (given().has(key) || seen.has(key)) continue
    seen.add(key)
    if (newer === null) withdrawNewest(db, writing, at)
    else placeLate(db, writing, at, { cells: null, position: -1 }, echoes)
  }
}

const withdrawals = Effect.fnUntraced(function* (step: Step, writing: Writing, { intervals, rows }: RecordBatch) {
  const { kind, target } = writing
  let known: Set<string> | null = null
  const given = (): ReadonlySet<string> => {
    known ??= new Set(rows.map(keyText))
    return known
  }
  for (const interval of intervals) {
    if (!interval.assertsRows) continue
    let { start } = interval
    while (start < interval.end) {
      const from = start
      start = yield* step((db) => {
        const nth = nthInstant(db, kind, target.generation, from, interval.end, stepRows)
        // All rows of one millisecond go together.
        const end = nth === null ? interval.end : Math.min(interval.end, Math.max(nth, from + 1))
        withdraw(db, writing, from, end, given)
        return end
      })
      if (start < interval.end) yield* Effect.yieldNow
    }
  }
})

/** Null when this answer is the newest of its generation. */
const newerAnswers = Effect.fnUntraced(function* (step: Step, { generation, key }: CommitTarget) {
  const isLate = yield* step(
    (db) => db.prepare(selectNewer).get(generation, key.fetchedAt, key.response, key.decoderVersion) !== undefined
  )
  if (!isLate) return null
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number
  const answers = yield* answersIn(step, generation, MIN_SAFE_INTEGER, MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
  const newer: Array<Covering> = []
  for (const answer of answers) {
    const { applied, code, end, start } = answer
    if (applied !== null && assertsRows(code) && compare(answer, key) > 0) newer.push({ start, end, applied })
  }
  return newer
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
  const writing: Writing = { kind: commit.series.kind, target, tally, newer }
  yield* withdrawals(step, writing, batch)
  for (let from = 0; from < batch.rows.length; from += stepRows) {
    if (from > 0) yield* Effect.yieldNow
    yield* step((db) => writeChunk(db, writing, batch.rows.slice(from, from + stepRows)))
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
