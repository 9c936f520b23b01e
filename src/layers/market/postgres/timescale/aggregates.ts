/**
 * Continuous aggregates of bars of a minute, one a timeframe, over all series of all tenants. They hold every generation; readers pin one, so
 * they see of them what they see of the bars.
 *
 * A table of bars has no timeframe: that is its generation's series', which never changes, so the definition joins the two ordinary tables.
 * Volume and count of a bar are null unless every bar in it has one, and vwap unless every one with a volume has one: a sum over some would pass for a sum over
 * all.
 */
import { Effect, Schedule } from "effect"
import {
  type DerivedTimeframe,
  derivedTimeframes,
  sourceTimeframe,
  widthOf
} from "../../../../domain/derivedTimeframes.ts"
import type { Aggregate } from "../../../../services/StorePolicies.ts"
import type { Query } from "../../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../../postgres/PostgresFailure.ts"
import { instantOf } from "../../../postgres/values.ts"
import { numOrNull } from "../../rows.ts"
import { appSchema, baseSchema } from "./baseSchema.ts"
import type { Extension } from "./extension.ts"

/** Where TimescaleDB keeps what it has made. */
export const materialised = (timeframe: DerivedTimeframe): string => `${baseSchema}.derived_${timeframe}`

/** How readers reach it. */
export const derivedView = (timeframe: DerivedTimeframe): string => `${appSchema}.bars_${timeframe}`

/** Where people find it. */
const shown = (timeframe: DerivedTimeframe): string => `tapestry.bars_${timeframe}`

/** As of the tables: of the tenant that is set alone, with a barrier for people's SQL. */
const views = (timeframe: DerivedTimeframe): ReadonlyArray<string> => [
  ...[derivedView(timeframe), `${shown(timeframe)} with (security_barrier = true)`].map(
    (view) => `create view ${view} as select * from ${materialised(timeframe)}
      where tenant = (select nullif(current_setting('app.tenant_id', true), '')::uuid)`
  ),
  `do $$ begin
    if exists (select from pg_roles where rolname = 'tapestry_app') then
      grant select on ${derivedView(timeframe)}, ${shown(timeframe)} to tapestry_app;
    end if;
  end $$`
]

export const bucketOf = (timeframe: DerivedTimeframe, ts: string, { fn }: Extension): string =>
  `${fn("time_bucket")}(interval '${widthOf(timeframe)} milliseconds', ${ts})`

/** Of the bars `b` of one bucket: {@link valueColumns} but the stamp. */
export const summed = ({ fn }: Extension): string => `${fn("first")}(b.open, b.ts) as open, max(b.high) as high,
    min(b.low) as low, ${fn("last")}(b.close, b.ts) as close,
    case when count(*) = count(b.volume) then sum(b.volume) end as volume,
    case when count(*) = count(*) filter (where b.volume = 0 or (b.volume is not null and b.vwap is not null))
      then sum(b.vwap * b.volume) filter (where b.volume > 0) / nullif(sum(b.volume), 0) end as vwap,
    case when count(*) = count(b.count) then sum(b.count) end as count`

const create = (timeframe: DerivedTimeframe, extension: Extension) => {
  const bucket = bucketOf(timeframe, "b.ts", extension)
  return `create materialized view ${materialised(timeframe)}
    with (timescaledb.continuous, timescaledb.materialized_only = true) as
    select b.generation, b.tenant, ${bucket} as ts, ${summed(extension)}
    from ${baseSchema}.bars b join ${baseSchema}.generations g on g.id = b.generation
    join ${baseSchema}.series s on s.id = g.series where s.timeframe = '${sourceTimeframe}'
    group by b.generation, b.tenant, ${bucket} with no data`
}

/** Whoever may ask may see the view, and not what is behind it. */
const exists = (timeframe: DerivedTimeframe) => `select to_regclass('${derivedView(timeframe)}') is not null`

const isThere = (query: Query, timeframe: DerivedTimeframe) =>
  Effect.map(query(exists(timeframe)), ([row]) => Boolean(row?.[0]))

/** Those that there are. */
export const listAggregates = (query: Query): Effect.Effect<ReadonlyArray<DerivedTimeframe>, PostgresFailure> =>
  Effect.filter(derivedTimeframes, (timeframe) => isThere(query, timeframe))

/**
 * What a refresh makes in one transaction, of all series. TimescaleDB's own ten buckets are an hour of bars of 5m: the first refresh of
 * years would be some hundred thousand transactions, nearly all of them for nothing.
 */
const batchMillis = 30 * 86_400_000

const milliseconds = (millis: number) => `interval '${millis} milliseconds'`

/**
 * Makes it, empty, with the policy that fills it and keeps it so, from the first bar to what is older than a bar of its own; where it is
 * there, only the policy is made anew. What is not filled yet, or not any more, readers have from the bars themselves.
 */
export const addAggregate = Effect.fnUntraced(function* (
  query: Query,
  extension: Extension,
  timeframe: DerivedTimeframe,
  everyMillis: number
) {
  const { fn } = extension
  const view = `'${materialised(timeframe)}'::regclass`
  const made = !(yield* isThere(query, timeframe))
  if (made) {
    yield* query(create(timeframe, extension))
    for (const statement of views(timeframe)) yield* query(statement)
  }
  yield* query(`select ${fn("remove_continuous_aggregate_policy")}(${view}, if_exists => true)`)
  yield* query(`select ${fn("add_continuous_aggregate_policy")}(${view}, start_offset => null,
    end_offset => ${milliseconds(widthOf(timeframe))}, schedule_interval => ${milliseconds(everyMillis)},
    buckets_per_batch => ${Math.ceil(batchMillis / widthOf(timeframe))})`)
  return made
})

/** Whether there was one; its policy goes with it. */
export const removeAggregate = Effect.fnUntraced(function* (query: Query, timeframe: DerivedTimeframe) {
  if (!(yield* isThere(query, timeframe))) return false
  yield* query(`drop view ${derivedView(timeframe)}, ${shown(timeframe)}`)
  yield* query(`drop materialized view ${materialised(timeframe)}`)
  return true
})

/** How far each has been made. */
export const describeAggregates = Effect.fnUntraced(function* (query: Query) {
  const found: Array<Aggregate> = []
  for (const timeframe of yield* listAggregates(query)) {
    const [row] = yield* query(`select max(ts) from ${materialised(timeframe)}`)
    const last = numOrNull(row?.[0] ?? null)
    found.push({ timeframe, upTo: last === null ? null : last + widthOf(timeframe) })
  }
  return found
})

/** Somebody refreshes the same: they are done soon. */
const isBusy = ({ sqlState }: PostgresFailure): boolean => sqlState === "55P03"
const patience = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 150 }))

/** Not in a transaction: it makes several of its own. */
export const refreshAggregate = (
  query: Query,
  { fn }: Extension,
  timeframe: DerivedTimeframe,
  range: { readonly start: number; readonly end: number } | null
) =>
  query(
    `call ${fn("refresh_continuous_aggregate")}('${materialised(timeframe)}'::regclass, $1::timestamptz, $2::timestamptz)`,
    [instantOf(range?.start ?? null), instantOf(range?.end ?? null)]
  ).pipe(Effect.retry({ schedule: patience, while: isBusy }))
