/**
 * Generations: beginning one beside the visible one, publishing it, putting several in the place of a series, dropping one, and
 * forgetting a series whole.
 *
 * Each is one transaction that holds the series, so that over all processes nothing comes in between; readers see the state before
 * it until it commits. What is dropped is emptied after it (removal.ts).
 */
import { Clock, Effect } from "effect"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { GenerationId, type MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import { int8, text } from "../../postgres/values.ts"
import { num, text as textOf } from "../rows.ts"
import { generationGone } from "../storeError.ts"
import { inherit } from "./inherit.ts"
import { inheritInvalidations } from "./invalidate.ts"
import { removeDropped } from "./removal.ts"
import {
  findGeneration,
  generationIds,
  holdIfThere,
  holdSeries,
  holdSeriesOf,
  insertGenerationRow,
  operated,
  showGeneration
} from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

/**
 * The generations that this process is building: whether what goes into them counts as applied, and their series, so that who
 * publishes one takes its place in the line of the series before it asks the database anything.
 */
export type Building = Map<number, { readonly counts: boolean; readonly series: string }>

const abandon = `update tapestry_app.generations set state = 'dropped'
  where series = $1 and state = 'building' and id <> all($2)`
const supersede = "update tapestry_app.generations set state = 'superseded', superseded_at = $1 where id = $2"
const publish = "update tapestry_app.generations set state = 'current', published_at = $1 where id = $2"
const succeed = "update tapestry_app.generations set superseded_at = $1 where id = $2"
const follow = "update tapestry_app.generations set published_at = $1 where id = $2"
const show = "update tapestry_app.generations set state = $1 where id = $2"
const drop = "update tapestry_app.generations set state = 'dropped' where id = $1"
const dropVisible = `update tapestry_app.generations set state = 'dropped'
  where series = $1 and state in ('current', 'superseded')`
const dropAll = "update tapestry_app.generations set state = 'dropped' where series = $1"
const deleteSeries = "delete from tapestry_app.series where id = $1"
const selectName = `select s.canonical from tapestry_app.generations g join tapestry_app.series s on s.id = g.series where g.id = $1`
const selectCount = "select row_count from tapestry_app.generations where id = $1"

export const beginGeneration: (
  database: PostgresDatabase,
  key: SeriesKey,
  building: Building,
  apart: boolean
) => Effect.Effect<GenerationId, MarketStoreError> = Effect.fnUntraced(function* (database, key, building, apart) {
  const now = yield* Clock.currentTimeMillis
  const id = yield* database.transaction("begin generation", (query) =>
    Effect.gen(function* () {
      const series = (yield* holdSeries(query, [key], now)).get(canonical(key))?.id ?? 0
      yield* query(abandon, [int8(series), generationIds(building.keys())])
      return yield* insertGenerationRow(query, series, "building", now)
    })
  )
  building.set(id, { counts: !apart, series: canonical(key) })
  yield* removeDropped(database)
  return GenerationId.make(id)
}, mapStoreFailure)

/** The canonical key of the series that a generation belongs to, by which it is locked within this process. */
export const seriesOf: (
  database: PostgresDatabase,
  generation: GenerationId
) => Effect.Effect<string, MarketStoreError> = Effect.fnUntraced(function* (database, generation) {
  const [row] = yield* database.query("generation")(selectName, [int8(generation)])
  return row === undefined ? yield* generationGone(`there is no generation ${generation}`) : textOf(row[0])
}, mapStoreFailure)

/** Holds the series of a generation that is being built. */
const holdBuilding = Effect.fnUntraced(function* (query: Query, generation: GenerationId) {
  const series = yield* holdSeriesOf(query, generation)
  const row = yield* findGeneration(query, generation)
  if (series === null || row === null || row.state !== "building") {
    return yield* generationGone(`generation ${generation} was published or dropped`)
  }
  return { series, row }
})

export const publishGeneration: (
  database: PostgresDatabase,
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
  yield* database.transaction("publish", (query) =>
    Effect.gen(function* () {
      const { series } = yield* holdBuilding(query, generation)
      const before = series.generation
      // Readers as of an instant need the switches in ascending order, whatever the clock did.
      const switched = Math.max(at, (yield* findGeneration(query, before))?.publishedAt ?? at)
      yield* inherit(query, before, generation, switched)
      yield* inheritInvalidations(query, before, generation)
      yield* query(supersede, [int8(switched), int8(before)])
      yield* query(publish, [int8(switched), int8(generation)])
      yield* showGeneration(query, series.id, generation)
      if (operation !== undefined) yield* operated(query, series.id, operation)
    })
  )
  building.delete(generation)
}, mapStoreFailure)

export const succeedGeneration: (
  database: PostgresDatabase,
  before: GenerationId,
  next: GenerationId,
  at: EpochMillis
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, before, next, at) {
  yield* database.transaction("succeed", (query) =>
    Effect.gen(function* () {
      const { row } = yield* holdBuilding(query, before)
      yield* holdBuilding(query, next)
      const switched = Math.max(at, row.publishedAt ?? at)
      yield* inherit(query, before, next, switched)
      yield* inheritInvalidations(query, before, next)
      yield* query(succeed, [int8(switched), int8(before)])
      yield* query(follow, [int8(switched), int8(next)])
    })
  )
}, mapStoreFailure)

export const replaceGenerations: (
  database: PostgresDatabase,
  generations: readonly [GenerationId, ...ReadonlyArray<GenerationId>],
  operation: number,
  building: Building
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, generations, operation, building) {
  const newest = generations[generations.length - 1] ?? generations[0]
  yield* database.transaction("replace generations", (query) =>
    Effect.gen(function* () {
      const { series } = yield* holdBuilding(query, generations[0])
      for (const generation of generations) {
        const { row } = yield* holdBuilding(query, generation)
        if (row.series !== series.id) return yield* generationGone(`generation ${generation} is of another series`)
      }
      yield* query(dropVisible, [int8(series.id)])
      for (const generation of generations) {
        yield* query(show, [text(generation === newest ? "current" : "superseded"), int8(generation)])
      }
      yield* showGeneration(query, series.id, newest)
      yield* operated(query, series.id, operation)
    })
  )
  for (const generation of generations) building.delete(generation)
  yield* removeDropped(database)
}, mapStoreFailure)

export const dropGeneration: (
  database: PostgresDatabase,
  generation: GenerationId,
  building: Building
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, generation, building) {
  yield* database.transaction("drop generation", (query) =>
    Effect.andThen(holdBuilding(query, generation), query(drop, [int8(generation)]))
  )
  building.delete(generation)
  yield* removeDropped(database)
}, mapStoreFailure)

/** The series is gone at once; the rows follow. Gives the rows that readers saw. */
export const forget: (database: PostgresDatabase, key: SeriesKey) => Effect.Effect<number, MarketStoreError> =
  Effect.fnUntraced(function* (database, key) {
    const rows = yield* database.transaction(`forget ${canonical(key)}`, (query) =>
      Effect.gen(function* () {
        const series = yield* holdIfThere(query, key)
        if (series === null) return 0
        const [count] = yield* query(selectCount, [int8(series.generation)])
        yield* query(dropAll, [int8(series.id)])
        yield* query(deleteSeries, [int8(series.id)])
        return num(count?.[0])
      })
    )
    yield* removeDropped(database)
    return rows
  }, mapStoreFailure)
