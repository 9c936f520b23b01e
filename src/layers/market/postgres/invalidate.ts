/** Invalidation: an entry in the history of coverage that says nothing is known; see ../invalidate.ts for its place in the order. */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import { int8 } from "../../postgres/values.ts"
import { type InvalidateOptions, nothingKnown } from "../invalidate.ts"
import type { KnowledgeKey } from "../KnowledgeKey.ts"
import { num } from "../rows.ts"
import { findGeneration, holdIfThere, holdSeries, operated, type SeriesRow } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"
import { writeAnswers } from "./writeAnswers.ts"

const selectNewest = `select max(fetched_at), max(response), count(*) from tapestry_app.applied where generation = $1`

/** A clock that went backwards does not make an invalidation vain: it is never older than what it invalidates. */
const keyAt = Effect.fnUntraced(function* (query: Query, generation: number, at: EpochMillis) {
  const [row] = yield* query(selectNewest, [int8(generation)])
  if (row === undefined || row[2] === 0) return null
  const key: KnowledgeKey = {
    fetchedAt: Math.max(at, num(row[0])),
    response: num(row[1]),
    decoderVersion: Number.MAX_SAFE_INTEGER
  }
  return key
})

const targetOf = Effect.fnUntraced(function* (
  query: Query,
  series: SeriesRow,
  at: EpochMillis,
  { generation, operation }: InvalidateOptions
) {
  const target = generation ?? series.generation
  if (operation === undefined) {
    const key = yield* keyAt(query, target, at)
    return key === null ? null : { generation: target, key }
  }
  // Those that are built beside the series have their operations when they take its place.
  if (generation === undefined) yield* operated(query, series.id, operation.id)
  const key: KnowledgeKey = { fetchedAt: at, response: operation.after, decoderVersion: Number.MAX_SAFE_INTEGER }
  return { generation: target, key }
})

export const invalidate: (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange,
  at: EpochMillis,
  options: InvalidateOptions
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, key, range, at, options) {
  yield* database.transaction("invalidate", (query) =>
    Effect.gen(function* () {
      // With its place known it holds for answers that are committed later, too: also before there is anything.
      const series =
        options.operation === undefined
          ? yield* holdIfThere(query, key)
          : (yield* holdSeries(query, [key], at)).get(canonical(key))
      if (series === null || series === undefined) return
      // A generation that is gone, or another series', has nothing to forget.
      if (options.generation !== undefined) {
        const row = yield* findGeneration(query, options.generation)
        if (row?.series !== series.id) return
      }
      const found = yield* targetOf(query, series, at, options)
      if (found !== null) yield* writeAnswers(query, { ...found, applied: null }, [nothingKnown(range)])
    })
  )
}, mapStoreFailure)

const selectInvalidations = `select start_ts, end_ts, fetched_at, response, decoder_version from tapestry_app.answers
  where generation = $1 and applied is null
  except select start_ts, end_ts, fetched_at, response, decoder_version from tapestry_app.answers
  where generation = $2 and applied is null`

/** Lays the invalidations of a generation over another that is about to replace it. */
export const inheritInvalidations = Effect.fnUntraced(function* (query: Query, from: number, to: number) {
  const found = yield* query(selectInvalidations, [int8(from), int8(to)])
  for (const [start, end, fetchedAt, response, decoderVersion] of found) {
    const key = { fetchedAt: num(fetchedAt), response: num(response), decoderVersion: num(decoderVersion) }
    yield* writeAnswers(query, { generation: to, key, applied: null }, [
      nothingKnown({ start: num(start), end: num(end) })
    ])
  }
})
