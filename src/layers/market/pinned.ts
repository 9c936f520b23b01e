/** Which generation is read. */
import { Effect } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { GenerationId, MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { findGeneration, findSeries, generationAt } from "./seriesTable.ts"
import { generationGone, mapStoreError } from "./storeError.ts"

export interface ReadOptions {
  readonly asOf?: EpochMillis
  readonly generation?: GenerationId
  readonly cuts?: number
}

/**
 * The generation to read, as a part of a step; null when the series has none yet. A generation of another series, or a dropped one,
 * is gone.
 */
export const pinned = (db: SyncDatabase, key: SeriesKey, options: ReadOptions | undefined): number | null | "gone" => {
  const series = findSeries(db, key)
  if (options?.generation !== undefined) {
    const row = findGeneration(db, options.generation)
    return row === null || row.series !== series?.id || row.state === "dropped" ? "gone" : options.generation
  }
  if (series === null) return null
  return options?.asOf === undefined ? series.generation : generationAt(db, series.id, options.asOf)
}

export const goneOf = (options: ReadOptions | undefined): MarketStoreError =>
  generationGone(`generation ${options?.generation} was dropped, or is of another series`)

export const pinGeneration = (
  database: SqliteDatabase,
  key: SeriesKey,
  options: ReadOptions | undefined
): Effect.Effect<number | null, MarketStoreError> =>
  database
    .read("pin generation", (db) => pinned(db, key, options))
    .pipe(
      mapStoreError,
      Effect.flatMap((found) => (found === "gone" ? Effect.fail(goneOf(options)) : Effect.succeed(found)))
    )
