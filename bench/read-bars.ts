/**
 * Claim: a covered range of 100,000 bars is read in process at 1,500,000 rows a second, as a Stream of records, and at no less
 * than 0.4 times what bare keyset pages of arrays give. Also prints what reading 100,000 intervals of coverage takes.
 *
 * Run: `npm run bench -- read-bars`. Baseline: better-sqlite3, pages of 4,000 rows as arrays from the very same file. Medians
 * of five, each the best of ten reads, since a read is over in tens of milliseconds.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import { Effect, Stream } from "effect"
import { ResponseId } from "../src/domain/Response.ts"
import type { SeriesKey } from "../src/domain/SeriesKey.ts"
import * as MarketStoreSqlite from "../src/layers/market/MarketStoreSqlite.ts"
import { MarketStore } from "../src/services/MarketStore.ts"

const rows = 100_000
const minute = 60_000
const start = Date.UTC(2020, 0, 1)
const range = { start, end: start + rows * minute }

const seriesOf = (symbol: string): SeriesKey => ({
  vendor: "bench",
  dataset: null,
  symbol,
  kind: "bar",
  timeframe: "1m",
  price: "trade",
  session: "all",
  currency: "USD",
  adjustment: "raw"
})

const bars = Array.from({ length: rows }, (_, index) => {
  const open = 4_000 + ((index * 7) % 997) / 4
  return {
    ts: start + index * minute,
    open,
    high: open + 2.25,
    low: open - 1.75,
    close: open + 0.5,
    volume: 100 + (index % 977),
    vwap: open + 0.125,
    count: 1 + (index % 31)
  }
})
const positions = bars.map((_, index) => index)
const response = ResponseId.make(1)

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
const filename = join(directory, "market.sqlite")

const bestOf = <E, R>(times: number, read: Effect.Effect<number, E, R>) =>
  Effect.gen(function* () {
    let best = Number.POSITIVE_INFINITY
    for (let time = 0; time < times; time++) {
      const begun = performance.now()
      const found = yield* read
      best = Math.min(best, performance.now() - begun)
      if (found !== rows) return yield* Effect.die(new Error(`read ${found} of ${rows}`))
    }
    return best
  })

const program = Effect.gen(function* () {
  const store = yield* MarketStore
  const whole = seriesOf("ES")
  const pieces = seriesOf("PIECES")
  const common = { response, fetchedAt: start, decoderVersion: 1 }
  const covered = { _tag: "Covered", response } as const
  yield* store.commit({ ...common, series: whole, bars, positions, coverage: [{ ...range, state: covered }] })
  yield* store.commit({
    ...common,
    series: pieces,
    bars: [],
    positions: [],
    coverage: bars.map(({ ts }, index) => ({
      start: ts,
      end: ts + minute / 2,
      state: index % 2 === 0 ? covered : ({ _tag: "Empty", response, recheckAfter: null } as const)
    }))
  })

  const db = new Database(filename, { readonly: true })
  const page = db
    .prepare(
      `select ts, open, high, low, close, volume, vwap, count from bars
       where generation = (select generation from series where symbol = 'ES') and ts >= ? and ts < ? order by ts limit 4000`
    )
    .raw(true)
  const bare = Effect.sync(() => {
    let from = range.start
    let found = 0
    for (;;) {
      const rows = page.all(from, range.end) as ReadonlyArray<ReadonlyArray<number>>
      found += rows.length
      if (rows.length < 4_000) return found
      from = (rows[rows.length - 1]?.[0] ?? 0) + 1
    }
  })
  const streamed = Stream.runFold(
    Stream.chunks(store.bars(whole, range)),
    () => 0,
    (found, chunk) => found + chunk.length
  )
  const coverage = Effect.map(store.coverage(pieces, range), (found) => found.length)

  const measured = { bare: [] as number[], streamed: [] as number[], coverage: [] as number[] }
  for (let run = 0; run < 5; run++) {
    measured.bare.push(yield* bestOf(10, bare))
    measured.streamed.push(yield* bestOf(10, streamed))
    measured.coverage.push(yield* bestOf(3, coverage))
  }
  db.close()
  return { bare: median(measured.bare), streamed: median(measured.streamed), coverage: median(measured.coverage) }
})

const { bare, coverage, streamed } = await Effect.runPromise(
  Effect.provide(program, MarketStoreSqlite.layer({ filename }))
)
rmSync(directory, { recursive: true, force: true })

const row = (read: string, millis: number) => ({
  read,
  ms: Number(millis.toFixed(1)),
  "rows/s": Math.round((rows / millis) * 1_000),
  "ratio to bare": Number((bare / millis).toFixed(2))
})
console.table([
  row("bare keyset pages, arrays", bare),
  row("MarketStore.bars, records", streamed),
  row("MarketStore.coverage, intervals", coverage)
])
const holds = rows / streamed >= 1_500 && bare / streamed >= 0.4
console.log(`claim (1,500,000 rows/s, 0.4 x bare): ${holds ? "holds" : "DOES NOT HOLD"}`)
process.exitCode = holds ? 0 : 1
