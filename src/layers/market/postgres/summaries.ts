/** Counts, the list of series, latest prices, and which responses are applied. */
import { Effect } from "effect"
import type { ResponseId } from "../../../domain/Response.ts"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { LatestPrice, MarketStoreError, SeriesSummary } from "../../../services/MarketStore.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { instantOf, int8, text, texts } from "../../postgres/values.ts"
import { byInstrument, keyOf } from "../priceOrder.ts"
import { tableOf as recordTables } from "../records/recordCells.ts"
import { num, numOrNull, responseId, text as textOf } from "../rows.ts"
import { generationIds, tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

/** Rows of a series are all in the table of its kind. */
const tables = { ...recordTables, bar: "bars" }

const countOf = (table: string, generation: string) =>
  `(select count(*) from tapestry_app.${table} where generation = ${generation} and ts >= $1 and ts < $2)`

/** The whole series is counted already. */
const countVisible = (
  table: string
) => `select case when bounds.first >= $1 and bounds.last < $2 then g.row_count else ${countOf(table, "g.id")} end
  from tapestry_app.series s join tapestry_app.generations g on g.id = s.generation
  cross join lateral (select (select min(ts) from tapestry_app.${table} where generation = g.id) as first,
    (select max(ts) from tapestry_app.${table} where generation = g.id) as last) bounds
  where s.tenant = $3 and s.canonical = $4`

export const countRows = (
  database: PostgresDatabase,
  table: string,
  key: SeriesKey,
  range: TimeRange,
  pinned?: number
): Effect.Effect<number, MarketStoreError> => {
  const query = database.query("count")
  const bounds = [instantOf(range.start), instantOf(range.end)]
  return mapStoreFailure(
    Effect.map(
      pinned === undefined
        ? query(countVisible(table), [...bounds, tenant, text(canonical(key))])
        : query(`select ${countOf(table, "$3")}`, [...bounds, int8(pinned)]),
      ([row]) => (row === undefined ? 0 : num(row[0]))
    )
  )
}

const selectApplied = `select distinct a.response from tapestry_app.applied a join tapestry_app.generations g on g.id = a.generation
  join tapestry_app.series s on s.id = g.series
  where s.tenant = $1 and s.canonical = $2 and a.decoder_version >= $3 and (g.state in ('current', 'superseded') or
  (g.state = 'building' and g.id = any($4)))`

/** `building`: the generations of this process whose responses count; what went into an abandoned one counts as not applied. */
export const appliedResponses = (
  database: PostgresDatabase,
  key: SeriesKey,
  decoderVersion: number,
  building: ReadonlySet<number>
): Effect.Effect<ReadonlySet<ResponseId>, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(
      database.query("applied")(selectApplied, [
        tenant,
        text(canonical(key)),
        int8(decoderVersion),
        generationIds(building)
      ]),
      (rows) => new Set(rows.map((row) => responseId(row[0])))
    )
  )

const selectIn = "select distinct response from tapestry_app.applied where generation = $1 and decoder_version >= $2"

/** As {@link appliedResponses}, of one generation whatever its state. */
export const responsesIn = (
  database: PostgresDatabase,
  generation: number,
  decoderVersion: number
): Effect.Effect<ReadonlySet<ResponseId>, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(
      database.query("applied")(selectIn, [int8(generation), int8(decoderVersion)]),
      (rows) => new Set(rows.map((row) => responseId(row[0])))
    )
  )

const selectNewest = `select response from tapestry_app.answers where tenant = $1 and applied is not null
  order by id desc limit 1`

export const newestResponse = (database: PostgresDatabase): Effect.Effect<ResponseId | null, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(database.query("newest response")(selectNewest, [tenant]), ([row]) =>
      row === undefined ? null : responseId(row[0])
    )
  )

const selectWitnesses = `(select response, fetched_at from tapestry_app.applied where tenant = $1 order by id limit 2)
  union (select response, fetched_at from tapestry_app.applied where tenant = $1 order by id desc limit 2)`

export const witnesses = (database: PostgresDatabase) =>
  mapStoreFailure(
    Effect.map(database.query("witnesses")(selectWitnesses, [tenant]), (rows) =>
      rows.map((row) => ({ response: responseId(row[0]), fetchedAt: num(row[1]) }))
    )
  )

/** The first or the last stamp of the generation `g` of the series `s`. */
export const boundOf = (which: "min" | "max"): string =>
  `case s.kind ${Object.entries(tables)
    .map(
      ([kind, table]) => `when '${kind}' then (select ${which}(ts) from tapestry_app.${table} where generation = g.id)`
    )
    .join(" ")} end`

const selectSeries = `select s.canonical, g.row_count, ${boundOf("min")}, ${boundOf("max")},
  (select sum(revision_count)::int8 from tapestry_app.generations where series = s.id and state in ('current', 'superseded'))
  from tapestry_app.series s join tapestry_app.generations g on g.id = s.generation where s.tenant = $1 order by s.canonical`

export const listSeries = (database: PostgresDatabase): Effect.Effect<ReadonlyArray<SeriesSummary>, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(database.query("series")(selectSeries, [tenant]), (rows) =>
      rows.flatMap((row): ReadonlyArray<SeriesSummary> => {
        const series = keyOf(textOf(row[0]))
        if (series === null) return []
        const [first, last] = [numOrNull(row[2]), numOrNull(row[3])]
        return [{ series, rows: num(row[1]), first, last, revisions: num(row[4]) }]
      })
    )
  )

const selectLatest = `select s.canonical, b.ts, b.close from tapestry_app.series s
  cross join lateral (select ts, close from tapestry_app.bars where generation = s.generation order by ts desc limit 1) b
  where s.tenant = $1 and s.kind = 'bar' and ($2::text is null or s.vendor = $2)
  and ($3::text[] is null or s.symbol = any($3)) order by s.canonical`

/** One price a series, by vendor and symbol; within a symbol those of trades come first, then the newest. */
export const latestPrices = (
  database: PostgresDatabase,
  options?: { readonly vendor?: string; readonly symbols?: ReadonlyArray<string> }
): Effect.Effect<ReadonlyArray<LatestPrice>, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(
      database.query("latest")(selectLatest, [
        tenant,
        text(options?.vendor ?? null),
        options?.symbols === undefined ? texts(null) : texts(options.symbols)
      ]),
      (rows) =>
        rows
          .flatMap((row): ReadonlyArray<LatestPrice> => {
            const series = keyOf(textOf(row[0]))
            return series === null ? [] : [{ series, ts: num(row[1]), price: num(row[2]) }]
          })
          .sort(byInstrument)
    )
  )
