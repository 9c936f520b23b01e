/** The visible rows of a series with where each came from, as a stream of pages. */
import { Effect, Option, Stream } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError, StoredBar } from "../../services/MarketStore.ts"
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { isThere, pinGeneration, selectStoredPage, toStored } from "./readBars.ts"
import { generationGone, mapStoreError } from "./storeError.ts"

const pageRows = 4_000

/** The generation is chosen when the stream starts, and stays. */
export const readStoredBars = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange
): Stream.Stream<StoredBar, MarketStoreError> =>
  Stream.unwrap(
    Effect.map(pinGeneration(database, key, undefined), (generation) =>
      generation === null
        ? Stream.empty
        : Stream.paginate<number, StoredBar, MarketStoreError>(range.start, (from) =>
            mapStoreError(
              database.read("read stored bars", (db) => {
                const rows = db.prepare(selectStoredPage).all(generation, from, range.end, pageRows)
                return isThere(db, generation) ? rows.map(toStored) : null
              })
            ).pipe(
              Effect.tap(Effect.yieldNow),
              Effect.flatMap((rows) =>
                rows === null ? generationGone("the series was removed while it was read") : Effect.succeed(rows)
              ),
              Effect.map((rows) => {
                const last = rows.length < pageRows ? undefined : rows[rows.length - 1]
                return [rows, last === undefined ? Option.none() : Option.some(last.bar.ts + 1)] as const
              })
            )
          )
    )
  )
