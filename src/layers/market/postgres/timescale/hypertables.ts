/**
 * Hypertables: the tables of rows and revisions, cut into chunks by `ts`, with the columnstore prepared. Apart from the numbered
 * migrations, because the extension may come to a database later, or never.
 *
 * Each table is converted in a transaction of its own, in which nobody reads or writes it: rows that it has are moved into chunks. Who
 * converts waits at the advisory lock of the migrations for whoever else does so or migrates, and finds it done.
 */
import { Effect } from "effect"
import type { Hypertable } from "../../../../services/StorePolicies.ts"
import { alone } from "../../../postgres/migrate.ts"
import type { PostgresDatabase, Query } from "../../../postgres/PostgresDatabase.ts"
import { text } from "../../../postgres/values.ts"
import { num } from "../../rows.ts"
import { baseSchema } from "./baseSchema.ts"
import { chunkedTables, qualified, segmentBy } from "./chunkedTables.ts"
import type { Extension } from "./extension.ts"

const selectHypertable = `select 1 from timescaledb_information.hypertables
  where hypertable_schema = '${baseSchema}' and hypertable_name = $1`
const hasColumnstore = `${selectHypertable} and compression_enabled`

export const isHypertable = (query: Query, table: string) =>
  Effect.map(query(selectHypertable, [text(table)]), (rows) => rows.length > 0)

/** Rows that are moved take as long as they take. */
const patiently = "set local statement_timeout = 0"

const convert = Effect.fnUntraced(function* (
  query: Query,
  { fn }: Extension,
  { interval, order, table }: (typeof chunkedTables)[number]
) {
  const here = [text(table)]
  const made = !(yield* isHypertable(query, table))
  if (made) {
    yield* query(patiently)
    yield* query(
      `select 1 from ${fn("create_hypertable")}('${qualified(table)}'::regclass,
        ${fn("by_range")}('ts', interval '${interval}'), create_default_indexes => false, migrate_data => true)`
    )
  }
  if ((yield* query(hasColumnstore, here)).length === 0) {
    yield* query(
      `alter table ${qualified(table)} set (timescaledb.enable_columnstore = true,
        timescaledb.segmentby = '${segmentBy}', timescaledb.orderby = '${order}')`
    )
  }
  return made
})

/** Makes those that are none yet, and says which; what is one already keeps its interval. */
export const makeHypertables = Effect.fnUntraced(function* (database: PostgresDatabase, extension: Extension) {
  const made: Array<string> = []
  for (const table of chunkedTables) {
    if (yield* alone(database, "hypertables", (query) => convert(query, extension, table))) made.push(table.table)
  }
  return made
})

const select = (fn: Extension["fn"]) => `select h.hypertable_name::text,
    (extract(epoch from d.time_interval) * 1000)::int8, h.num_chunks,
    coalesce(c.compressed, 0), c.before, c.after
  from timescaledb_information.hypertables h
  join timescaledb_information.dimensions d using (hypertable_schema, hypertable_name)
  left join lateral (select s.number_compressed_chunks as compressed, s.before_compression_total_bytes as before,
      s.after_compression_total_bytes as after
    from ${fn("hypertable_columnstore_stats")}(format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass) s) c on true
  where h.hypertable_schema = '${baseSchema}' order by 1`

const whole = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value))

export const listHypertables = (query: Query, { fn }: Extension) =>
  Effect.map(query(select(fn)), (rows) =>
    rows.map(
      (row): Hypertable => ({
        table: String(row[0]),
        chunkMillis: num(row[1]),
        chunks: num(row[2]),
        compressedChunks: num(row[3]),
        before: whole(row[4]),
        after: whole(row[5])
      })
    )
  )

/** Of chunks that are made from now on. */
export const setChunkInterval = (query: Query, { fn }: Extension, table: string, millis: number) =>
  query(`select ${fn("set_chunk_time_interval")}('${qualified(table)}'::regclass, interval '${millis} milliseconds')`)
