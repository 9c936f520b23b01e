/**
 * Generations: beginning one beside the visible one, publishing it, dropping it, and forgetting a series whole.
 *
 * The switch is one small transaction. What is long (inherit.ts, removal.ts) runs before it or after it, in steps. The caller
 * holds the lock of the series throughout, so no commit comes in between.
 */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { GenerationId, type MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { inherit } from "./inherit.ts"
import { inheritInvalidations } from "./invalidate.ts"
import { removeDropped } from "./removal.ts"
import { num, text } from "./rows.ts"
import {
  ensureSeries,
  findGeneration,
  findSeries,
  insertGenerationRow,
  operated,
  showGeneration
} from "./seriesTable.ts"
import { generationGone, mapStoreError } from "./storeError.ts"

/**
 * The generations that this process is building, and whether what goes into them counts as applied; what another process left
 * behind is abandoned.
 */
export type Building = Map<number, { readonly counts: boolean }>

const abandon = `update generations set state = 'dropped'
  where series = ? and state = 'building' and id not in (select value from json_each(?))`
const drop = "update generations set state = 'dropped' where id = ? and state = 'building'"
const supersede = "update generations set state = 'superseded', superseded_at = ? where id = ?"
const publish = "update generations set state = 'current', published_at = ? where id = ?"
const dropAll = "update generations set state = 'dropped' where series = ?"
const deleteSeries = "delete from series where id = ?"

export const beginGeneration: (
  database: SqliteDatabase,
  key: SeriesKey,
  building: Building,
  apart: boolean
) => Effect.Effect<GenerationId, MarketStoreError> = Effect.fnUntraced(function* (database, key, building, apart) {
  const now = yield* wholeMillis
  const id = yield* database.write("begin generation", (db) => {
    const series = ensureSeries(db, key, now)
    db.prepare(abandon).run(series.id, JSON.stringify([...building.keys()]))
    const made = insertGenerationRow(db, series.id, "building", now)
    building.set(made, { counts: !apart })
    return made
  })
  yield* removeDropped(database)
  return GenerationId.make(id)
}, mapStoreError)

/** The canonical key of the series that a generation belongs to, by which it is locked. */
export const seriesOf: (database: SqliteDatabase, generation: GenerationId) => Effect.Effect<string, MarketStoreError> =
  Effect.fnUntraced(function* (database, generation) {
    const row = yield* database.read("generation", (db) =>
      db
        .prepare(
          "select s.canonical from generations g join series s on s.id = g.series where g.id = ? and s.tenant = ?"
        )
        .get(generation, db.tenant)
    )
    return row === undefined ? yield* generationGone(`there is no generation ${generation}`) : text(row[0])
  }, mapStoreError)

export const buildingRow = Effect.fnUntraced(function* (database: SqliteDatabase, generation: GenerationId) {
  const row = yield* database.read("generation", (db) => findGeneration(db, generation))
  if (row === null || row.state !== "building") {
    return yield* generationGone(`generation ${generation} was published or dropped`)
  }
  return row
})

export const publishGeneration: (
  database: SqliteDatabase,
  generation: GenerationId,
  at: EpochMillis,
  building: Building,
  operation: number | undefined
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (
  database,
  generation,
  at,
  building,
  operation
) {
  const { series } = yield* buildingRow(database, generation)
  const before = yield* database.read("publish", (db) => {
    const id = num(db.prepare("select generation from series where id = ?").get(series)?.[0])
    return { id, publishedAt: findGeneration(db, id)?.publishedAt ?? at }
  })
  // Readers as of an instant need the switches in ascending order, whatever the clock did.
  const switched = Math.max(at, before.publishedAt)
  yield* inherit(database, before.id, generation, switched)
  yield* inheritInvalidations(database, before.id, generation)
  const shown = yield* database.write("publish", (db) => {
    // The lock is this process's own: another one may have dropped this generation, or published one, in the meantime.
    const visible = db.prepare("select generation from series where id = ?").get(series)?.[0]
    if (findGeneration(db, generation)?.state !== "building" || visible !== before.id) return false
    db.prepare(supersede).run(switched, before.id)
    db.prepare(publish).run(switched, generation)
    showGeneration(db, series, generation)
    if (operation !== undefined) operated(db, series, operation)
    return true
  })
  if (!shown) {
    return yield* generationGone(
      `another process has published or dropped a generation beside generation ${generation}`
    )
  }
  building.delete(generation)
}, mapStoreError)

export const dropGeneration: (
  database: SqliteDatabase,
  generation: GenerationId,
  building: Building
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, generation, building) {
  yield* buildingRow(database, generation)
  yield* database.write("drop generation", (db) => db.prepare(drop).run(generation))
  building.delete(generation)
  yield* removeDropped(database)
}, mapStoreError)

/** The series is gone at once; the rows follow. Gives the rows that readers saw. */
export const forget: (database: SqliteDatabase, key: SeriesKey) => Effect.Effect<number, MarketStoreError> =
  Effect.fnUntraced(function* (database, key) {
    const rows = yield* database.write(`forget ${canonical(key)}`, (db) => {
      const series = findSeries(db, key)
      if (series === null) return 0
      const count = db.prepare("select row_count from generations where id = ?").get(series.generation)
      db.prepare(dropAll).run(series.id)
      db.prepare(deleteSeries).run(series.id)
      return num(count?.[0])
    })
    yield* removeDropped(database)
    return rows
  }, mapStoreError)
