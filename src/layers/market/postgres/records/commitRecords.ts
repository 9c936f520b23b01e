/**
 * Commits of records: rows, revisions, lineage, coverage and the mark that the response is applied, in one transaction. The rules are
 * those of ../../records/commitRecords.ts, and so are the steps (placeRecords.ts, recordChain.ts); here each reads what is known of
 * some thousand rows beforehand, works it out in memory, and writes what has changed.
 *
 * Queueing: as commits of bars (../commit.ts), whose locks, series and transactions they share: per series one at a time over all
 * processes, several series in the order of their names.
 *
 * Hard cases. Rows of one instant may be more than a step has: withdrawals look at all of a millisecond at once, what is given is looked
 * up by its keys alone. Whoever waits for the row of a series sees what the one before has committed (READ COMMITTED).
 */
import { Clock, Effect } from "effect"
import type { RecordKind } from "../../../../domain/records/RecordKind.ts"
import { canonical } from "../../../../domain/SeriesKey.ts"
import type { MarketStoreError } from "../../../../services/MarketStore.ts"
import type { RecordCommit, RecordResult } from "../../../../services/RecordStore.ts"
import { reached } from "../../../FaultPoint.ts"
import type { PostgresDatabase, Query } from "../../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../../postgres/PostgresFailure.ts"
import { instantOf, int4, int8 } from "../../../postgres/values.ts"
import { type Put, writeBehind } from "../../../postgres/writeBehind.ts"
import { type CommitTarget, emptyTally } from "../../CommitTarget.ts"
import type { KnowledgeKey } from "../../KnowledgeKey.ts"
import { nothingDone } from "../../nothingDone.ts"
import { absentFrom, coveringNewer, type Placing, placeRows, withdrawRows } from "../../records/placeRecords.ts"
import type { BatchRow, RecordBatch } from "../../records/RecordBatch.ts"
import { type RowKey, tableOf, toCells } from "../../records/recordCells.ts"
import { num, text } from "../../rows.ts"
import { addCounts, begin } from "../beginCommit.ts"
import { answersBetween } from "../coverageRows.ts"
import { holdSeries, type SeriesRow } from "../seriesRows.ts"
import { constraintViolation, isViolation } from "../storeFailure.ts"
import { namedByTable } from "../timescale/chunkFailure.ts"
import { writeAnswers } from "../writeAnswers.ts"
import { loadHistory, loadNewest } from "./RecordWindow.ts"
import { insertRecords, statements } from "./recordStatements.ts"

/** Rows in one step: encoding and comparing them takes the event loop some milliseconds. */
const stepRows = 2_048
const allRows = 2 ** 31 - 1

const selectNewer = `select 1 from tapestry_app.applied
  where generation = $1 and (fetched_at, response, decoder_version) > ($2, $3, $4) limit 1`

/** A commit under way, and where answers that its rows meet stand in the order of knowledge, as far as that was asked. */
interface Writing extends Placing {
  readonly knowledge: Map<number, KnowledgeKey>
}

const windowOf = (query: Query, { kind, knowledge, newer, target }: Writing, keys: ReadonlyArray<RowKey>) =>
  newer === null
    ? loadNewest(query, kind, target.generation, keys)
    : loadHistory(query, kind, target.generation, keys, knowledge)

/** Whether these rows, which ascend, meet none in all of their stretch; where newer answers are known, that is not asked. */
const meetNone = (query: Query, { kind, newer, target }: Writing, given: ReadonlyArray<BatchRow>) =>
  newer !== null
    ? Effect.succeed(false)
    : Effect.map(
        query(statements[kind].any, [
          int8(target.generation),
          instantOf(given[0]?.ts ?? 0),
          instantOf((given[given.length - 1]?.ts ?? 0) + 1)
        ]),
        (rows) => rows.length === 0
      )

const insertNew = ({ kind, tally, target }: Writing, given: ReadonlyArray<BatchRow>) => {
  const rows = given.map(({ identity, ns, position, row, ts }) => ({
    ts,
    ns,
    identity,
    cells: toCells(kind, row),
    position
  }))
  tally.inserted += given.length
  return insertRecords(kind, target.generation, target.applied, rows)
}

/** Rows of a batch, a step at a time. What streams meets none in its whole stretch, and one look says so. */
const writeGiven = (query: Query, writing: Writing, given: ReadonlyArray<BatchRow>) =>
  writeBehind((put: Put<PostgresFailure>) =>
    Effect.gen(function* () {
      const fresh = given.length > 0 && (yield* meetNone(query, writing, given))
      for (let from = 0; from < given.length; from += stepRows) {
        const step = given.slice(from, from + stepRows)
        if (fresh || (step.length < given.length && (yield* meetNone(query, writing, step)))) {
          yield* put(insertNew(writing, step)(query))
          continue
        }
        const window = yield* windowOf(query, writing, step)
        placeRows(window, writing, step)
        yield* put(window.flush(query))
      }
    })
  )

/** Where rows stand, or ever stood, from `start` on, and the end of what was looked at: all of a millisecond, or nothing of it. */
const keysFrom = Effect.fnUntraced(function* (
  query: Query,
  { kind, newer, target }: Writing,
  start: number,
  end: number
): Effect.fn.Return<{ readonly keys: ReadonlyArray<RowKey>; readonly upTo: number }, PostgresFailure> {
  const { keysEver, keysNow } = statements[kind]
  const read = (to: number, limit: number) =>
    Effect.map(
      query(newer === null ? keysNow : keysEver, [
        int8(target.generation),
        instantOf(start),
        instantOf(to),
        int4(limit)
      ]),
      (rows) => rows.map(([ts, ns, identity]): RowKey => ({ ts: num(ts), ns: num(ns), identity: text(identity) }))
    )
  const keys = yield* read(end, stepRows)
  const last = keys[keys.length - 1]
  if (last === undefined || keys.length < stepRows) return { keys, upTo: end }
  if (last.ts === keys[0]?.ts) {
    const upTo = last.ts + 1
    return { keys: yield* read(upTo, allRows), upTo }
  }
  return { keys: keys.filter(({ ts }) => ts < last.ts), upTo: last.ts }
})

/** Takes away what is known of the intervals that say which rows there are, and not in the answer. */
const withdrawals = Effect.fnUntraced(function* (query: Query, writing: Writing, { intervals, rows }: RecordBatch) {
  for (const { assertsRows, end, start } of intervals) {
    if (!assertsRows) continue
    for (let from = start; from < end; ) {
      const { keys, upTo } = yield* keysFrom(query, writing, from, end)
      const absent = absentFrom(rows, keys, from, upTo)
      for (let at = 0; at < absent.length; at += stepRows) {
        const some = absent.slice(at, at + stepRows)
        const window = yield* windowOf(query, writing, some)
        withdrawRows(window, writing, some)
        yield* window.flush(query)
      }
      from = upTo
    }
  }
})

/** What newer answers cover, null when this one is the newest of its generation; and their places in the order of knowledge. */
const newerAnswers = Effect.fnUntraced(function* (query: Query, { applied, generation, key }: CommitTarget) {
  const knowledge = new Map<number, KnowledgeKey>([[applied, key]])
  const { decoderVersion, fetchedAt, response } = key
  const [newer] = yield* query(selectNewer, [int8(generation), int8(fetchedAt), int8(response), int8(decoderVersion)])
  if (newer === undefined) return { newer: null, knowledge }
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number
  const answers = yield* answersBetween(query, generation, MIN_SAFE_INTEGER, MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
  for (const answer of answers) if (answer.applied !== null) knowledge.set(answer.applied, answer)
  return { newer: coveringNewer(answers, key), knowledge }
})

export interface PreparedRecords {
  readonly commit: RecordCommit
  readonly batch: RecordBatch
}

const within = Effect.fnUntraced(function* (query: Query, { batch, commit }: PreparedRecords, series: SeriesRow) {
  const begun = yield* begin(query, commit, series)
  if (begun._tag !== "Target") return nothingDone
  const { target } = begun
  const kind: RecordKind = commit.series.kind
  const writing: Writing = { kind, target, tally: emptyTally(), ...(yield* newerAnswers(query, target)) }
  yield* withdrawals(query, writing, batch)
  yield* writeGiven(query, writing, batch.rows)
  yield* reached("midCommit")
  yield* writeAnswers(query, target, batch.intervals)
  const { inserted, revisions, unchanged, updated, withdrawn } = writing.tally
  yield* query(addCounts, [int8(inserted - withdrawn), int8(revisions), int8(target.generation)])
  const done: RecordResult = { inserted, updated, unchanged, withdrawn, alreadyApplied: false }
  return done
})

/** Which of the rows the database refused: the one of the millisecond that it names, where there is one alone. */
const violated =
  (prepared: ReadonlyArray<PreparedRecords>) =>
  (error: PostgresFailure): PostgresFailure | MarketStoreError => {
    const { table, ts } = error
    if (!isViolation(error) || ts === null) return error
    const found = prepared.flatMap(({ batch, commit: { rows, series } }) =>
      table === tableOf[series.kind]
        ? batch.rows.filter((placed) => placed.ts === ts).map(({ row }) => rows.lastIndexOf(row))
        : []
    )
    return constraintViolation(error, found.length === 1 ? (found[0] ?? null) : null)
  }

/** Runs prepared commits in their order; the caller holds this process's locks of their series. */
export const runRecordCommits: (
  database: PostgresDatabase,
  prepared: ReadonlyArray<PreparedRecords>
) => Effect.Effect<ReadonlyArray<RecordResult>, MarketStoreError | PostgresFailure> = Effect.fnUntraced(
  function* (database, prepared) {
    const now = yield* Clock.currentTimeMillis
    return yield* database
      .transaction("commit records", (query) =>
        Effect.gen(function* () {
          const held = yield* holdSeries(
            query,
            prepared.map(({ commit }) => commit.series),
            now
          )
          const results: Array<RecordResult> = []
          for (const one of prepared) {
            const series = held.get(canonical(one.commit.series))
            if (series !== undefined) results.push(yield* within(query, one, series))
          }
          return results
        })
      )
      .pipe(Effect.catch(namedByTable(database)), Effect.mapError(violated(prepared)))
  }
)
