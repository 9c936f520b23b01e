/**
 * What a reader of pages holds on to (see SeriesMark in services/MarketStore.ts), and whether what it has still to read is there.
 *
 * Retention counts in the generation how often it has dropped rows of it, and keeps the highest instant before which it did. A reader whose
 * count is another one, and who is not past that instant, may have been told of rows that are gone: it fails, and so it is no gap.
 */
import { Effect } from "effect"
import { formatInstant, utc } from "../../domain/Instant.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { GenerationId, type MarketStoreError, type SeriesMark } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { goneOf, pinned, type ReadOptions } from "./pinned.ts"
import { findGeneration } from "./seriesTable.ts"
import { generationGone, mapStoreError } from "./storeError.ts"

export interface Mark {
  readonly generation: number
  readonly cuts: number
}

export const removed = generationGone("the series was removed while it was read")

export const droppedUnderReader = (before: number): MarketStoreError =>
  generationGone(
    `retention has dropped rows before ${formatInstant(before, utc)} while they were to be read: ask again`
  )

/** Why rows from an instant on are not what they were when the mark was taken; null where they are. Look after they were read. */
export const lost = (db: SyncDatabase, mark: Mark, from: number): MarketStoreError | null => {
  const row = findGeneration(db, mark.generation)
  if (row === null || row.state === "dropped") return removed
  const { cutBefore, cuts } = row
  return cuts === mark.cuts || (cutBefore !== null && cutBefore <= from) ? null : droppedUnderReader(cutBefore ?? from)
}

/** The mark to read with, as a part of a step: `cuts` as given, or as they are now. */
export const markOf = (db: SyncDatabase, key: SeriesKey, options: ReadOptions | undefined): Mark | null | "gone" => {
  const generation = pinned(db, key, options)
  if (generation === null || generation === "gone") return generation
  return { generation, cuts: options?.cuts ?? findGeneration(db, generation)?.cuts ?? 0 }
}

export const readMark = (
  database: SqliteDatabase,
  key: SeriesKey,
  options: ReadOptions | undefined
): Effect.Effect<Mark | null, MarketStoreError> =>
  database
    .read("mark", (db) => markOf(db, key, options))
    .pipe(
      mapStoreError,
      Effect.flatMap((found) => (found === "gone" ? Effect.fail(goneOf(options)) : Effect.succeed(found)))
    )

export const toSeriesMark = (mark: Mark | null): SeriesMark | null =>
  mark === null ? null : { generation: GenerationId.make(mark.generation), cuts: mark.cuts }
