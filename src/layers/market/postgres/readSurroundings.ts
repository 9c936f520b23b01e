/** What lies beside a range, and which generation readers see. */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import { GenerationId, type MarketStoreError, type Surroundings } from "../../../services/MarketStore.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { instantOf, int8, text } from "../../postgres/values.ts"
import { num, toBar, valueColumns } from "../rows.ts"
import { pinGeneration, type ReadOptions } from "./seriesMark.ts"
import { findSeries, tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

/** One statement: what it finds is of one moment. A row with only its number says that there is a row outside. */
const selectBeside = `
  (select ${valueColumns}, 1 from tapestry_app.bars where generation = $1 and ts < $2 and final = 1 order by ts desc limit 1)
  union all
  (select ${valueColumns}, 2 from tapestry_app.bars where generation = $1 and ts >= $3 and final = 1 order by ts limit 1)
  union all
  (select ts, null, null, null, null, null, null, null, 3 from tapestry_app.bars where generation = $1 and ts < $2 limit 1)
  union all
  (select ts, null, null, null, null, null, null, null, 3 from tapestry_app.bars where generation = $1 and ts >= $3 limit 1)`
const selectOperation = "select operation from tapestry_app.series where tenant = $1 and canonical = $2"

const nothing: Surroundings = { before: null, after: null, rows: false }

export const readSurroundings: (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
) => Effect.Effect<Surroundings, MarketStoreError> = Effect.fnUntraced(function* (database, key, range, options) {
  const generation = yield* pinGeneration(database, key, options)
  if (generation === null) return nothing
  const rows = yield* mapStoreFailure(
    database.query("surroundings")(selectBeside, [int8(generation), instantOf(range.start), instantOf(range.end)])
  )
  const numbered = (which: number) => rows.find((row) => row[8] === which)
  const before = numbered(1)
  const after = numbered(2)
  return {
    before: before === undefined ? null : toBar(before),
    after: after === undefined ? null : toBar(after),
    rows: numbered(3) !== undefined
  }
})

export const readVisibleGeneration = (
  database: PostgresDatabase,
  key: SeriesKey
): Effect.Effect<GenerationId | null, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(findSeries(database.query("visible generation"), key), (series) =>
      series === null ? null : GenerationId.make(series.generation)
    )
  )

/** The last operation of the archive that a series has. */
export const readOperation = (database: PostgresDatabase, key: SeriesKey): Effect.Effect<number, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(database.query("last operation")(selectOperation, [tenant, text(canonical(key))]), ([row]) =>
      row === undefined ? 0 : num(row[0])
    )
  )
