/**
 * Bars derived from bars of a minute: from the aggregate where it is up to date, from the bars themselves where they have changed since, in
 * one statement, and so of one moment.
 *
 * TimescaleDB writes down what has changed below the end of what it has aggregated in the transaction that changes it, and strikes it
 * out in the one that aggregates it anew; it says so in three tables of its catalogue, one for each stage. What lies in none of them is as the
 * bars are. Where a release of TimescaleDB has these tables otherwise, everything is made from the bars: the same rows, in more time.
 */
import { Effect, Option, Stream } from "effect"
import type { Bar } from "../../../../domain/Bar.ts"
import { type DerivedTimeframe, sourceTimeframe, widthOf } from "../../../../domain/derivedTimeframes.ts"
import type { SeriesKey } from "../../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../../domain/TimeRange.ts"
import type { DerivedBars } from "../../../../services/DerivedBars.ts"
import { GenerationId, type MarketStoreError } from "../../../../services/MarketStore.ts"
import type { PostgresDatabase, PostgresRow, Query } from "../../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../../postgres/PostgresFailure.ts"
import { instantOf, int4, int8 } from "../../../postgres/values.ts"
import { num, toBar, valueColumns } from "../../rows.ts"
import type { Mark } from "../../seriesMark.ts"
import { isWhole, lost, type ReadOptions, readMark } from "../seriesMark.ts"
import { mapStoreFailure } from "../storeFailure.ts"
import { bucketOf, derivedView, listAggregates, summed } from "./aggregates.ts"
import { appSchema, baseSchema } from "./baseSchema.ts"
import { type Extension, findExtension } from "./extension.ts"

const pageRows = 4_000

const micros = (ts: string) => `(extract(epoch from ${ts}) * 1000000)::int8`

/** The bars of a stretch, by bucket; both bounds are such. */
const direct = (timeframe: DerivedTimeframe, extension: Extension, from: string, to: string) => {
  const bucket = bucketOf(timeframe, "b.ts", extension)
  return `select ${bucket} as ts, ${summed(extension)} from ${appSchema}.bars b
    where b.generation = $1 and b.ts >= ${from} and b.ts < ${to} group by ${bucket}`
}

/** From $2 to $3, $4 rows at most, of the generation $1; nothing says whether that is still there. */
const bothOf = (timeframe: DerivedTimeframe, extension: Extension) => {
  const bucket = (ts: string) => bucketOf(timeframe, ts, extension)
  const catalogue = "_timescaledb_catalog.continuous_aggs"
  const toInstant = "_timescaledb_functions.to_timestamp"
  return `with aggregate as materialized (
      select mat_hypertable_id as made, raw_hypertable_id as raw from _timescaledb_catalog.continuous_agg
      where user_view_schema = '${baseSchema}' and user_view_name = 'derived_${timeframe}'
    ), changes as materialized (
      select lowest_modified_value as low, greatest_modified_value as high
        from ${catalogue}_hypertable_invalidation_log join aggregate on hypertable_id = raw
      union all select lowest_modified_value, greatest_modified_value
        from ${catalogue}_materialization_invalidation_log join aggregate on materialization_id = made
      union all select lowest_modified_value, greatest_modified_value
        from ${catalogue}_materialization_ranges join aggregate on materialization_id = made
    ), clipped as materialized (
      select greatest(low, ${micros("$2")}) as low, least(high, ${micros("$3")} - 1) as high from changes
      where high >= ${micros("$2")} and low < ${micros("$3")}
    ), stale as materialized (
      select range_agg(tstzrange(${bucket(`${toInstant}(low)`)},
        ${bucket(`${toInstant}(high)`)} + interval '${widthOf(timeframe)} milliseconds')) as ranges from clipped
    )
    select ${valueColumns} from (
      (select ${valueColumns} from ${derivedView(timeframe)} d
        where d.generation = $1 and d.ts >= $2 and d.ts < $3
        and coalesce(not (select ranges from stale) @> d.ts, true) order by ts limit $4)
      union all
      (select v.* from (select unnest(ranges) as r from stale) s
        cross join lateral (${direct(timeframe, extension, "lower(s.r)", "upper(s.r)")}) v order by ts limit $4)
    ) bars order by ts limit $4`
}

const onlyDirect = (timeframe: DerivedTimeframe, extension: Extension) =>
  `${direct(timeframe, extension, "$2", "$3")} order by 1 limit $4`

/** A table, a column or a function that is not there. */
const isUnknown = ({ sqlState }: PostgresFailure): boolean =>
  sqlState === "42P01" || sqlState === "42703" || sqlState === "42883"

const selectWhole = `select 1 from ${appSchema}.generations g where g.id = $1 and ${isWhole("$2", "$3")}`

const page = (
  query: Query,
  timeframe: DerivedTimeframe,
  extension: Extension,
  generation: number,
  range: TimeRange
): Effect.Effect<ReadonlyArray<PostgresRow>, PostgresFailure> => {
  const params = [int8(generation), instantOf(range.start), instantOf(range.end), int4(pageRows)]
  return Effect.catchIf(query(bothOf(timeframe, extension), params), isUnknown, () =>
    query(onlyDirect(timeframe, extension), params)
  )
}

/** `range` begins and ends where buckets do. */
const read = (
  database: PostgresDatabase,
  timeframe: DerivedTimeframe,
  extension: Extension,
  mark: Mark,
  range: TimeRange
): Stream.Stream<Bar, MarketStoreError> => {
  const query = database.query("read derived bars")
  return Stream.paginate<number, Bar, MarketStoreError>(range.start, (start) =>
    Effect.gen(function* () {
      const rows = yield* page(query, timeframe, extension, mark.generation, { start, end: range.end })
      // After its rows: those of a generation that is whole now were there when they were read.
      const whole = yield* query(selectWhole, [int8(mark.generation), int8(mark.cuts), int8(start)])
      if (whole.length === 0) return yield* lost(database, mark.generation)
      const last = rows[rows.length - 1]
      const next =
        last === undefined || rows.length < pageRows
          ? Option.none<number>()
          : Option.some(num(last[0]) + widthOf(timeframe))
      return [rows.map(toBar), next] as const
    }).pipe(mapStoreFailure)
  )
}

/** Null where there is no such aggregate, or nothing is stored of the series' bars of a minute. */
export const derivedBars = Effect.fnUntraced(function* (
  database: PostgresDatabase,
  key: SeriesKey,
  timeframe: DerivedTimeframe,
  options: Pick<ReadOptions, "generation" | "cuts"> | undefined
) {
  const query = database.query("derived bars")
  const extension = yield* findExtension(query)
  if (extension === null || !(yield* listAggregates(query)).includes(timeframe)) return null
  const source: SeriesKey = { ...key, timeframe: sourceTimeframe }
  const mark = yield* readMark(database, source, options)
  if (mark === null) return null
  const derived: DerivedBars = {
    source,
    generation: GenerationId.make(mark.generation),
    cuts: mark.cuts,
    bars: (range) => read(database, timeframe, extension, mark, range)
  }
  return derived
}, mapStoreFailure)
