/**
 * What TimescaleDB does by itself: jobs that compress chunks, drop what is old, and refresh aggregates. They are the server's and run
 * while no process of ours does; here they are set, changed, removed, and listed with what became of their last run.
 */
import { Effect } from "effect"
import type { Policy, Retention } from "../../../../services/StorePolicies.ts"
import type { Query } from "../../../postgres/PostgresDatabase.ts"
import { instantOf, text } from "../../../postgres/values.ts"
import { baseSchema } from "./baseSchema.ts"
import { qualified } from "./chunkedTables.ts"
import type { Extension } from "./extension.ts"
import { installRetention } from "./retention.ts"

const millisOf = (interval: string) => `(extract(epoch from ${interval}) * 1000)::int8`

const select = `select j.job_id::int8,
    case j.proc_name when 'retain_job' then 'retention' when 'policy_refresh_continuous_aggregate' then 'refresh' else 'compress' end,
    case j.proc_name when 'retain_job' then concat_ws(' ', j.config ->> 'kind', j.config ->> 'timeframe')
      when 'policy_refresh_continuous_aggregate' then replace(j.hypertable_name::text, 'derived_', '')
      else j.hypertable_name::text end,
    ${millisOf("coalesce(j.config ->> 'compress_after', j.config ->> 'drop_after', j.config ->> 'end_offset')::interval")},
    ${millisOf("j.schedule_interval")},
    ${millisOf("nullif(s.last_run_started_at, '-infinity')")},
    case when s.job_status = 'Running' then 'running' when s.last_run_status = 'Success' then 'succeeded' else 'failed' end,
    ${millisOf("nullif(j.next_start, '-infinity')")}
  from timescaledb_information.jobs j left join timescaledb_information.job_stats s using (job_id)
  where (j.proc_schema = '${baseSchema}' and j.proc_name = 'retain_job')
    or (j.hypertable_schema = '${baseSchema}'
      and j.proc_name in ('policy_compression', 'policy_columnstore', 'policy_refresh_continuous_aggregate'))
  order by 2, 3`

const whole = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))

type Outcome = NonNullable<Policy["lastRun"]>["outcome"]

const outcomeOf = (value: unknown): Outcome => (value === "running" || value === "succeeded" ? value : "failed")

const actionOf = (value: unknown): Policy["action"] =>
  value === "retention" || value === "refresh" ? value : "compress"

export const listPolicies = (query: Query) =>
  Effect.map(query(select), (rows) =>
    rows.map(([job, action, of, after, every, last, outcome, next]): Policy => {
      const at = whole(last)
      return {
        job: Number(job),
        action: actionOf(action),
        of: String(of),
        afterMillis: whole(after),
        everyMillis: Number(every),
        lastRun: at === null ? null : { at, outcome: outcomeOf(outcome) },
        nextRun: whole(next)
      }
    })
  )

const interval = (millis: number) => `interval '${millis} milliseconds'`

/** Whether there was one. */
export const removeCompression = (query: Query, { fn }: Extension, table: string) =>
  Effect.map(
    query(`select ${fn("remove_compression_policy")}('${qualified(table)}'::regclass, if_exists => true)`),
    ([row]) => Boolean(row?.[0])
  )

/** In the place of what was set before. */
export const setCompression = Effect.fnUntraced(function* (
  query: Query,
  extension: Extension,
  table: string,
  afterMillis: number
) {
  yield* removeCompression(query, extension, table)
  yield* query(
    `call ${extension.fn("add_columnstore_policy")}('${qualified(table)}'::regclass, after => ${interval(afterMillis)})`
  )
})

const chunksBefore = `select format('%I.%I', chunk_schema, chunk_name), chunk_name::text from timescaledb_information.chunks
  where hypertable_schema = '${baseSchema}' and hypertable_name = $1 and range_end <= $2 order by range_end`
const isCompressed = `select 1 from timescaledb_information.chunks
  where hypertable_schema = '${baseSchema}' and chunk_name = $1 and is_compressed`

/**
 * Compresses the chunks of a table that end before an instant, also those into which rows have come since they were compressed; says how
 * many it looked at. Each is a transaction of its own. Where a policy does the same at the same time, one of the two is told so.
 */
export const compressChunks = Effect.fnUntraced(function* (
  query: Query,
  { fn }: Extension,
  table: string,
  before: number
) {
  const chunks = yield* query(chunksBefore, [text(table), instantOf(before)])
  for (const [chunk, name] of chunks) {
    yield* Effect.catch(query(`call ${fn("convert_to_columnstore")}('${chunk}'::regclass)`), (failure) =>
      Effect.flatMap(query(isCompressed, [text(String(name))]), (done) =>
        done.length > 0 ? Effect.void : Effect.fail(failure)
      )
    )
  }
  return chunks.length
})

const jobsOf = `select job_id::int8 from timescaledb_information.jobs where proc_schema = '${baseSchema}'
  and proc_name = 'retain_job' and config ->> 'kind' = $1 and config ->> 'timeframe' is not distinct from $2`

/** Whether there was one. */
export const removeRetention = Effect.fnUntraced(function* (
  query: Query,
  { fn }: Extension,
  { kind, timeframe }: Retention
) {
  const jobs = yield* query(jobsOf, [text(kind), text(timeframe)])
  for (const [job] of jobs) yield* query(`select ${fn("delete_job")}(${job}::int4)`)
  return jobs.length > 0
})

/** A day: what is shorter is a mistake, and would empty the store while everybody sleeps. */
export const shortestRetention = 86_400_000

/** In the place of what was set before; it runs once a day. */
export const setRetention = Effect.fnUntraced(function* (
  query: Query,
  extension: Extension,
  of: Retention,
  afterMillis: number
) {
  yield* installRetention(query, extension)
  yield* removeRetention(query, extension, of)
  yield* query(
    `select ${extension.fn("add_job")}('${baseSchema}.retain_job'::regproc, interval '1 day',
      config => jsonb_build_object('kind', $1::text, 'timeframe', $2::text, 'drop_after', $3::text))`,
    [text(of.kind), text(of.timeframe), text(`${afterMillis} milliseconds`)]
  )
})
