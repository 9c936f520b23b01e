/**
 * A history of generations that is built beside the one of a series, and put in its place.
 *
 * While it is built its generations are `building`: readers see none of them, a process that dies leaves them to be removed, and
 * the series is as it was. The switch is one small transaction; the rows of the old ones are removed after it, in steps. The
 * caller holds the lock of the series.
 */
import { Effect } from "effect"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { GenerationId, MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { type Building, buildingRow } from "./generations.ts"
import { inherit } from "./inherit.ts"
import { inheritInvalidations } from "./invalidate.ts"
import { removeDropped } from "./removal.ts"
import { findGeneration, operated, showGeneration } from "./seriesTable.ts"
import { generationGone, mapStoreError } from "./storeError.ts"

const supersede = "update generations set superseded_at = ? where id = ?"
const publish = "update generations set published_at = ? where id = ?"
const dropVisible = "update generations set state = 'dropped' where series = ? and state in ('current', 'superseded')"
const show = "update generations set state = ? where id = ?"

export const succeedGeneration: (
  database: SqliteDatabase,
  before: GenerationId,
  next: GenerationId,
  at: EpochMillis
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, before, next, at) {
  const row = yield* buildingRow(database, before)
  yield* buildingRow(database, next)
  const switched = Math.max(at, row.publishedAt ?? at)
  yield* inherit(database, before, next, switched)
  yield* inheritInvalidations(database, before, next)
  yield* database.write("succeed", (db) => {
    db.prepare(supersede).run(switched, before)
    db.prepare(publish).run(switched, next)
  })
}, mapStoreError)

export const replaceGenerations: (
  database: SqliteDatabase,
  generations: readonly [GenerationId, ...ReadonlyArray<GenerationId>],
  operation: number,
  building: Building
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, generations, operation, building) {
  const { series } = yield* buildingRow(database, generations[0])
  const newest = generations[generations.length - 1] ?? generations[0]
  const gone = yield* database.write("replace generations", (db) => {
    // The lock is this process's own: another one may have dropped what is built here.
    const missing = generations.find((generation) => {
      const row = findGeneration(db, generation)
      return row?.state !== "building" || row.series !== series
    })
    if (missing !== undefined) return missing
    db.prepare(dropVisible).run(series)
    for (const generation of generations) {
      db.prepare(show).run(generation === newest ? "current" : "superseded", generation)
    }
    showGeneration(db, series, newest)
    operated(db, series, operation)
    return null
  })
  if (gone !== null) return yield* generationGone(`generation ${gone} was published or dropped`)
  for (const generation of generations) building.delete(generation)
  yield* removeDropped(database)
}, mapStoreError)
