/** The tables `series` and `generations`. A series exists from its first commit or generation on. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { PostgresRow, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { int8, int8s, ownTenant, text, texts } from "../../postgres/values.ts"
import { num, numOrNull } from "../rows.ts"

/** Whose rows these are, as a parameter. */
export const tenant = ownTenant

export interface SeriesRow {
  readonly id: number
  /** The generation that readers see. */
  readonly generation: number
}

export interface GenerationRow {
  readonly series: number
  readonly state: "building" | "current" | "superseded" | "dropped"
  /** Null for the first one, which was visible from the beginning. */
  readonly publishedAt: number | null
}

const selectSeries = "select id, generation from tapestry_app.series where tenant = $1 and canonical = $2"
/** In one order for everybody who locks several. */
const lockSeries = `select canonical, id, generation from tapestry_app.series
  where tenant = $1 and canonical = any($2) order by canonical for update`
const lockSeriesOf = `select s.id, s.generation from tapestry_app.series s join tapestry_app.generations g on g.series = s.id
  where g.id = $1 for update of s`
const insertSeries = `insert into tapestry_app.series (tenant, canonical, sha256, vendor, dataset, symbol, kind, timeframe, price,
  session, currency, adjustment, generation) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
  on conflict (tenant, canonical) do nothing returning id`
const insertGeneration = `insert into tapestry_app.generations (tenant, series, state, created_at)
  values ($1, $2, $3, $4) returning id`
const pointAt = "update tapestry_app.series set generation = $1 where id = $2"
const setOperation = "update tapestry_app.series set operation = greatest(operation, $1) where id = $2"
const selectGeneration = "select series, state, published_at from tapestry_app.generations where id = $1"

const seriesRow = (row: PostgresRow): SeriesRow => ({ id: num(row[0]), generation: num(row[1]) })

export const findSeries = (query: Query, key: SeriesKey): Effect.Effect<SeriesRow | null, PostgresFailure> =>
  Effect.map(query(selectSeries, [tenant, text(canonical(key))]), ([row]) =>
    row === undefined ? null : seriesRow(row)
  )

export const insertGenerationRow = (
  query: Query,
  series: number,
  state: "building" | "current",
  now: number
): Effect.Effect<number, PostgresFailure> =>
  Effect.map(query(insertGeneration, [tenant, int8(series), text(state), int8(now)]), ([row]) => num(row?.[0]))

export const showGeneration = (query: Query, series: number, generation: number) =>
  query(pointAt, [int8(generation), int8(series)])

/** A series that is new, with an empty generation for readers; nothing where another process has just made it. */
const make = Effect.fnUntraced(function* (query: Query, key: SeriesKey, now: number) {
  const name = canonical(key)
  const { adjustment, currency, dataset, kind, price, session, symbol, timeframe, vendor } = key
  const sha256 = createHash("sha256").update(name).digest("hex")
  const [row] = yield* query(insertSeries, [
    tenant,
    ...[name, sha256, vendor, dataset, symbol, kind, timeframe, price, session, currency, adjustment].map(text)
  ])
  if (row === undefined) return
  const id = num(row[0])
  yield* showGeneration(query, id, yield* insertGenerationRow(query, id, "current", now))
})

const locked = (query: Query, names: ReadonlyArray<string>) =>
  Effect.map(
    query(lockSeries, [tenant, texts(names)]),
    (rows) => new Map(rows.map(([name, ...row]) => [String(name), seriesRow(row)]))
  )

/**
 * Finds series, or makes them, and holds them until the transaction ends: whoever else would change them, here or in another
 * process, waits. By canonical name. `now` only dates generations.
 */
export const holdSeries = Effect.fnUntraced(function* (query: Query, keys: ReadonlyArray<SeriesKey>, now: number) {
  const byName = new Map(keys.map((key) => [canonical(key), key]))
  const names = [...byName.keys()].sort()
  const found = yield* locked(query, names)
  if (found.size === names.length) return found
  for (const name of names) {
    const key = byName.get(name)
    if (key !== undefined && !found.has(name)) yield* make(query, key, now)
  }
  return yield* locked(query, names)
})

/** As {@link holdSeries} for one that may be missing: then there is nothing to hold. */
export const holdIfThere = (query: Query, key: SeriesKey): Effect.Effect<SeriesRow | null, PostgresFailure> =>
  Effect.map(locked(query, [canonical(key)]), (found) => found.get(canonical(key)) ?? null)

/** Holds the series that a generation belongs to; null where there is no such generation. */
export const holdSeriesOf = (query: Query, generation: number): Effect.Effect<SeriesRow | null, PostgresFailure> =>
  Effect.map(query(lockSeriesOf, [int8(generation)]), ([row]) => (row === undefined ? null : seriesRow(row)))

/** The archive's operation that the series has now; an older one changes nothing. */
export const operated = (query: Query, series: number, operation: number) =>
  query(setOperation, [int8(operation), int8(series)])

const stateOf = (found: unknown): GenerationRow["state"] =>
  found === "building" || found === "current" || found === "superseded" ? found : "dropped"

export const findGeneration = (
  query: Query,
  generation: number
): Effect.Effect<GenerationRow | null, PostgresFailure> =>
  Effect.map(query(selectGeneration, [int8(generation)]), ([row]) =>
    row === undefined ? null : { series: num(row[0]), state: stateOf(row[1]), publishedAt: numOrNull(row[2]) }
  )

export const generationIds = (ids: Iterable<number>) => int8s([...ids])
