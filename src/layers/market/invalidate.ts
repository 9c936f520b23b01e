/**
 * Invalidation: an entry in the history of coverage that says nothing is known. Like an answer it has its place in the order of
 * knowledge, just after everything that was fetched by then; so an older answer that is committed late does not bring the
 * coverage back, and a newer one does. Rows are not touched. A generation that is published inherits the invalidations of the
 * one before it, for what it holds may have been fetched before them.
 */
import { Effect } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { SeriesOperation } from "../../domain/SeriesOperation.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { GenerationId, MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { BatchInterval } from "./CommitBatch.ts"
import { writeAnswers } from "./commit.ts"
import type { KnowledgeKey } from "./KnowledgeKey.ts"
import { num } from "./rows.ts"
import { ensureSeries, findGeneration, findSeries, operated, type SeriesRow } from "./seriesTable.ts"
import { StateCode } from "./stateCode.ts"
import { mapStoreError } from "./storeError.ts"

const selectNewest = `select fetched_at, response from applied where generation = ?
  order by fetched_at desc, response desc limit 1`
const selectLargest = "select max(response) from applied where generation = ?"

/** A clock that went backwards does not make an invalidation vain: it is never older than what it invalidates. */
const keyAt = (db: SyncDatabase, generation: number, at: EpochMillis): KnowledgeKey | null => {
  const newest = db.prepare(selectNewest).get(generation)
  if (newest === undefined) return null
  const largest = db.prepare(selectLargest).get(generation)
  return {
    fetchedAt: Math.max(at, num(newest[0])),
    response: num(largest?.[0]),
    decoderVersion: Number.MAX_SAFE_INTEGER
  }
}

export const nothingKnown = ({ end, start }: TimeRange): BatchInterval => ({
  start,
  end,
  code: StateCode.Missing,
  until: null,
  final: false,
  assertsRows: false
})

export interface InvalidateOptions {
  readonly operation?: Pick<SeriesOperation, "id" | "after">
  readonly generation?: GenerationId
}

const targetOf = (
  db: SyncDatabase,
  series: SeriesRow,
  at: EpochMillis,
  { generation, operation }: InvalidateOptions
) => {
  if (operation === undefined) {
    const target = generation ?? series.generation
    const key = keyAt(db, target, at)
    return key === null ? null : { generation: target, key }
  }
  // Those that are built beside the series have their operations when they take its place.
  if (generation === undefined) operated(db, series.id, operation.id)
  const key: KnowledgeKey = { fetchedAt: at, response: operation.after, decoderVersion: Number.MAX_SAFE_INTEGER }
  return { generation: generation ?? series.generation, key }
}

export const invalidate: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  at: EpochMillis,
  options: InvalidateOptions
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, key, range, at, options) {
  yield* database.transaction("invalidate", (step) =>
    Effect.gen(function* () {
      const found = yield* step((db) => {
        // With its place known it holds for answers that are committed later, too: also before there is anything.
        const { operation } = options
        const series = operation === undefined ? findSeries(db, key) : ensureSeries(db, key, at)
        if (series === null) return null
        const { generation } = options
        // One that is gone, or another series', has nothing to forget.
        if (generation !== undefined && findGeneration(db, generation)?.series !== series.id) return null
        return targetOf(db, series, at, options)
      })
      if (found === null) return
      yield* writeAnswers(step, { ...found, applied: null }, [nothingKnown(range)])
    })
  )
}, mapStoreError)

const selectInvalidations = `select start_ts, end_ts, fetched_at, response, decoder_version from answers
  where generation = ? and applied is null
  except select start_ts, end_ts, fetched_at, response, decoder_version from answers
  where generation = ? and applied is null`

/** Lays the invalidations of a generation over another that is about to replace it. May run again: each is laid once. */
export const inheritInvalidations: (
  database: SqliteDatabase,
  from: number,
  to: number
) => Effect.Effect<void, SqliteFailure> = Effect.fnUntraced(function* (database, from, to) {
  const found = yield* database.read("publish", (db) => db.prepare(selectInvalidations).all(from, to))
  for (const [start, end, fetchedAt, response, decoderVersion] of found) {
    const key = { fetchedAt: num(fetchedAt), response: num(response), decoderVersion: num(decoderVersion) }
    yield* database.transaction("publish", (step) =>
      writeAnswers(step, { generation: to, key, applied: null }, [nothingKnown({ start: num(start), end: num(end) })])
    )
  }
})
