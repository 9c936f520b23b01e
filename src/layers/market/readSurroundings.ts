/** What lies beside a range, and which generation readers see. */
import { Effect } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { GenerationId, type MarketStoreError, type Surroundings } from "../../services/MarketStore.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { goneOf, pinned, type ReadOptions } from "./pinned.ts"
import { toBar, valueColumns } from "./rows.ts"
import { findSeries } from "./seriesTable.ts"
import { mapStoreError } from "./storeError.ts"

const selectBefore = `select ${valueColumns} from bars
  where generation = ${Planned.number} and ts < ? and final = 1 order by ts desc limit 1`
const selectAfter = `select ${valueColumns} from bars
  where generation = ${Planned.number} and ts >= ? and final = 1 order by ts limit 1`
const selectOutside = `select exists (select 1 from bars where generation = ? and ts < ?)
  or exists (select 1 from bars where generation = ? and ts >= ?)`

const nothing: Surroundings = { before: null, after: null, rows: false }

export const readSurroundings: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
) => Effect.Effect<Surroundings, MarketStoreError> = Effect.fnUntraced(function* (database, key, range, options) {
  const found = yield* mapStoreError(
    database.read("surroundings", (db) => {
      const generation = pinned(db, key, options)
      if (generation === null) return nothing
      if (generation === "gone") return generation
      const before = db.prepare(selectBefore).get(generation, range.start)
      const after = db.prepare(selectAfter).get(generation, range.end)
      const rows =
        before !== undefined ||
        after !== undefined ||
        db.prepare(selectOutside).get(generation, range.start, generation, range.end)?.[0] === 1
      return {
        before: before === undefined ? null : toBar(before),
        after: after === undefined ? null : toBar(after),
        rows
      }
    })
  )
  return found === "gone" ? yield* goneOf(options) : found
})

export const readVisibleGeneration = (
  database: SqliteDatabase,
  key: SeriesKey
): Effect.Effect<GenerationId | null, MarketStoreError> =>
  mapStoreError(
    database.read("visible generation", (db) => {
      const series = findSeries(db, key)
      return series === null ? null : GenerationId.make(series.generation)
    })
  )
