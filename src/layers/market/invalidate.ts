/**
 * Invalidation: an entry in the history of coverage that says nothing is known. Like an answer it has its place in the order of
 * knowledge, just after everything that was fetched by then; so an older answer that is committed late does not bring the
 * coverage back, and a newer one does. Rows are not touched.
 */
import { Effect } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { writeAnswers } from "./commit.ts"
import type { KnowledgeKey } from "./KnowledgeKey.ts"
import { num } from "./rows.ts"
import { findSeries } from "./seriesTable.ts"
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

export const invalidate: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  at: EpochMillis
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, key, range, at) {
  yield* database.transaction("invalidate", (step) =>
    Effect.gen(function* () {
      const found = yield* step((db) => {
        const series = findSeries(db, key)
        const knowledge = series === null ? null : keyAt(db, series.generation, at)
        return series === null || knowledge === null ? null : { generation: series.generation, key: knowledge }
      })
      if (found === null) return
      const { start, end } = range
      yield* writeAnswers(step, { ...found, applied: null }, [
        { start, end, code: StateCode.Missing, until: null, final: false, assertsRows: false }
      ])
    })
  )
}, mapStoreError)
