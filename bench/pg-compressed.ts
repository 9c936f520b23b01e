/**
 * Claim: commits into compressed chunks of TimescaleDB work: new rows, the same again, corrections; and what they cost against the same commits
 * into chunks that are not compressed. Printed beside them: a bare upsert of the same bars by `unnest` into a compressed hypertable of its own, and the room that
 * compression saves.
 *
 * Run: `TAPESTRY_TEST_TIMESCALE_URL=postgres://... npm run bench -- pg-compressed`; without it, it says so and ends. Five rounds, in each
 * of which everybody has a database of its own; times are medians, ratios the medians of the rounds' ratios.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import type { Bar } from "../src/domain/Bar.ts"
import { ResponseId } from "../src/domain/Response.ts"
import * as MarketStorePostgres from "../src/layers/market/postgres/MarketStorePostgres.ts"
import { postgresUpkeep } from "../src/layers/market/upkeep/postgresUpkeep.ts"
import { float8s, instants, int8, types } from "../src/layers/postgres/values.ts"
import { type Commit, MarketStore } from "../src/services/MarketStore.ts"
import { sql } from "../test/support/postgres.ts"
import { clearTimescale, timescale } from "../test/support/timescale.ts"
import { barsOf, minute, series, start } from "./support/esMinutes.ts"

const rows = 100_000
const rounds = 5
const batch = 4_096

const end = start + rows * minute
const fresh = barsOf(rows)
const corrected = barsOf(rows, (index) => (index % 20 === 0 ? 0.25 : 0))
/** Every other minute first, the rest later: rows that are new among compressed ones. */
const half = fresh.filter((_, index) => index % 2 === 0)

const commitOf = (id: number, bars: ReadonlyArray<Bar>): Commit => ({
  series,
  response: ResponseId.make(id),
  fetchedAt: start + id,
  decoderVersion: 1,
  bars,
  positions: bars.map((_, index) => index + 2),
  coverage: [{ start, end, state: { _tag: "Covered", response: ResponseId.make(id) } }]
})

const seconds = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    globalThis.gc?.()
    const began = performance.now()
    yield* effect
    return (performance.now() - began) / 1_000
  })

const store = (url: string) =>
  Effect.map(Layer.build(Layer.fresh(MarketStorePostgres.layer({ url: Redacted.make(url) }))), Context.get(MarketStore))

const steps = ["same again", "one in twenty corrected", "half of the rows new"] as const
type Step = (typeof steps)[number]

/** Seconds of each step; before each, what is there is compressed where `compresses` says so. */
const committing = (compresses: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const took = new Map<Step, number>()
      let saved = 1
      const compressed = Effect.fnUntraced(function* (url: string) {
        if (!compresses) return
        const policies = yield* (yield* postgresUpkeep(Redacted.make(url), false)).policies
        if (typeof policies === "string") return yield* Effect.die(policies)
        yield* policies.compress("bars", end + 400 * 86_400_000)
        const bars = (yield* policies.hypertables).find(({ table }) => table === "bars")
        saved = (bars?.before ?? 1) / (bars?.after ?? 1)
      })
      const url = yield* timescale.fresh
      const market = yield* store(url)
      yield* market.commit(commitOf(1, fresh))
      yield* compressed(url)
      took.set("same again", yield* seconds(market.commit(commitOf(2, fresh))))
      yield* compressed(url)
      took.set("one in twenty corrected", yield* seconds(market.commit(commitOf(3, corrected))))
      const other = yield* timescale.fresh
      const second = yield* store(other)
      yield* second.commit(commitOf(1, half))
      yield* compressed(other)
      took.set("half of the rows new", yield* seconds(second.commit(commitOf(2, fresh))))
      return { took, saved }
    })
  )

const conflict = `on conflict (series, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
  close = excluded.close, volume = excluded.volume, vwap = excluded.vwap, count = excluded.count`
const byUnnest = `insert into bare select $1, r.* from unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::float8[], $6::float8[],
  $7::float8[], $8::float8[], $9::float8[]) r ${conflict}`

const columns = (bars: ReadonlyArray<Bar>) => [
  instants(bars.map(({ ts }) => ts)),
  ...(["open", "high", "low", "close", "volume", "vwap", "count"] as const).map((name) =>
    float8s(bars.map((bar) => bar[name]))
  )
]

/** The baseline: every row is rewritten, and nothing else is known of it. */
const upserting = Effect.scoped(
  Effect.gen(function* () {
    const url = yield* timescale.bare
    yield* sql(
      url,
      `create table bare (series int8 not null, ts timestamptz not null, open float8 not null, high float8 not null,
        low float8 not null, close float8 not null, volume float8, vwap float8, count float8, primary key (series, ts))`
    )
    yield* sql(
      url,
      "select create_hypertable('bare', by_range('ts', interval '30 days'), create_default_indexes => false)"
    )
    yield* sql(
      url,
      "alter table bare set (timescaledb.enable_columnstore, timescaledb.segmentby = 'series', timescaledb.orderby = 'ts')"
    )
    const context = yield* Layer.build(PgClient.layer({ url: Redacted.make(url), maxConnections: 1, types: types() }))
    const client = Context.get(context, PgClient.PgClient)
    const all = (bars: ReadonlyArray<Bar>) =>
      client.withTransaction(
        Effect.gen(function* () {
          for (let at = 0; at < bars.length; at += batch) {
            yield* client.unsafe(byUnnest, [int8(1), ...columns(bars.slice(at, at + batch))])
          }
        })
      )
    yield* all(fresh)
    const plain = yield* seconds(all(corrected))
    yield* client.unsafe("select compress_chunk(c, if_not_compressed => true) from show_chunks('bare') c")
    yield* client.unsafe("set timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
    return { plain, compressed: yield* seconds(all(corrected)) }
  })
)

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const round = Effect.all({ plain: committing(false), compressed: committing(true), bare: upserting })

if (timescale.there) {
  const all: Array<Effect.Success<typeof round>> = []
  for (let at = 0; at < rounds; at++) all.push(await Effect.runPromise(round))
  await Effect.runPromise(clearTimescale)
  const rate = (times: ReadonlyArray<number>) => `${Math.round(rows / median(times)).toLocaleString("en-US")} rows/s`
  console.table(
    [
      ...steps.map((step) => {
        const plain = all.map((round) => round.plain.took.get(step) ?? Number.NaN)
        const compressed = all.map((round) => round.compressed.took.get(step) ?? Number.NaN)
        return { what: `commit: ${step}`, plain, compressed }
      }),
      {
        what: "bare upsert of all by unnest",
        plain: all.map(({ bare }) => bare.plain),
        compressed: all.map(({ bare }) => bare.compressed)
      }
    ].map(({ compressed, plain, what }) => ({
      what,
      "not compressed": rate(plain),
      compressed: rate(compressed),
      ratio: median(plain.map((time, at) => time / (compressed[at] ?? Number.NaN))).toFixed(2)
    }))
  )
  console.log(`compression saves room by ${median(all.map(({ compressed }) => compressed.saved)).toFixed(1)} times`)
} else console.log("not run: TAPESTRY_TEST_TIMESCALE_URL names no server with TimescaleDB")
