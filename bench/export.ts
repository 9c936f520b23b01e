/**
 * Claim: an export is written at no less than 0.5 times the rate of a plain loop that writes the same rows as CSV, though it hashes,
 * sums and accounts for each of them, and memory does not grow with the rows: at most 120 MB above what it was, for any number.
 *
 * Run: `npm run bench -- export`; another number of rows, and one format: `npx node bench/export.ts 10000000 arrow`. Baseline: better-sqlite3 pages of 4,000
 * rows as arrays from the very same file, joined to CSV lines and written to a file. One pass each: a pass takes seconds.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import Database from "better-sqlite3"
import { Effect, Layer } from "effect"
import type { SeriesKey } from "../src/domain/SeriesKey.ts"
import type { ExportFormat } from "../src/layers/export/Manifest.ts"
import { verifyExport } from "../src/layers/export/verifyExport.ts"
import { writeExport } from "../src/layers/export/writeExport.ts"
import * as MarketStoreSqlite from "../src/layers/market/MarketStoreSqlite.ts"
import * as ProvenanceStoreSqlite from "../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { MarketStore } from "../src/services/MarketStore.ts"
import { ProvenanceStore } from "../src/services/ProvenanceStore.ts"

const rows = Number(process.argv[2] ?? 1_000_000)
const perAnswer = 100_000
const minute = 60_000
const start = Date.UTC(2000, 0, 1)
const range = { start, end: start + rows * minute }
const target = { ratio: 0.5, megabytes: 120 }

const series: SeriesKey = {
  vendor: "bench",
  dataset: null,
  symbol: "ES",
  kind: "bar",
  timeframe: "1m",
  price: "trade",
  session: "all",
  currency: "USD",
  adjustment: "raw"
}

const barAt = (index: number) => {
  const open = 4_000 + ((index * 7) % 997) / 4
  return {
    ts: start + index * minute,
    open,
    high: open + 2.25,
    low: open - 1.75,
    close: open + 0.5,
    volume: index % 50 === 0 ? null : 100 + (index % 977),
    vwap: null,
    count: null
  }
}

const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
const filename = join(directory, "market.sqlite")
const metadata = {
  contentType: null,
  encoding: null,
  transportStatus: null,
  url: null,
  elapsedMillis: null,
  headers: {},
  adapter: {}
}

/** One answer of 100,000 rows after the other. */
const fill = Effect.gen(function* () {
  const market = yield* MarketStore
  const archive = yield* ProvenanceStore
  const session = yield* archive.openSession({ source: "bench", mode: "batch", asOf: null })
  for (let from = 0; from < rows; from += perAnswer) {
    const to = Math.min(rows, from + perAnswer)
    const identity = {
      source: "bench",
      kind: "bars",
      method: "GET",
      params: { from },
      body: null,
      bucket: null,
      cacheTag: null
    } as const
    const request = yield* archive.openRequest({ session, identity, subject: null, cacheMode: { _tag: "bypass" } })
    const body = new TextEncoder().encode(String(from))
    const asked = { request, attempt: 1, askedAt: start, status: "ok", body, metadata, cause: null, waited: 0 } as const
    const response = yield* archive.append(asked)
    const bars = Array.from({ length: to - from }, (_, index) => barAt(from + index))
    yield* market.commit({
      series,
      response: response.id,
      fetchedAt: response.fetchedAt,
      decoderVersion: 1,
      bars,
      positions: bars.map((_, index) => index),
      coverage: [
        { start: start + from * minute, end: start + to * minute, state: { _tag: "Covered", response: response.id } }
      ]
    })
  }
})

const seconds = (begun: number) => (performance.now() - begun) / 1000

const baseline = (): number => {
  const db = new Database(filename, { readonly: true })
  const page = db
    .prepare<[number, number], ReadonlyArray<number | null>>(
      "select ts, open, high, low, close, volume, vwap, count from bars where generation = 1 and ts >= ? and ts < ? order by ts limit 4000"
    )
    .raw(true)
  const file = openSync(join(directory, "plain.csv"), "w")
  const begun = performance.now()
  let from = range.start
  for (;;) {
    const found = page.all(from, range.end)
    let text = ""
    for (const [ts, ...values] of found)
      text += `${new Date(ts ?? 0).toISOString()},${values.map((value) => value ?? "").join(",")}\n`
    writeSync(file, text)
    const last = found.at(-1)?.[0]
    if (last === undefined || last === null) break
    from = last + 1
  }
  fsyncSync(file)
  const elapsed = seconds(begun)
  closeSync(file)
  db.close()
  return elapsed
}

let most = 0
const sample = Effect.sync(() => {
  most = Math.max(most, process.memoryUsage.rss())
})

const per = (elapsed: number) =>
  `${Math.round(rows / elapsed)
    .toLocaleString("en")
    .padStart(10)} rows/s`

const program = Effect.gen(function* () {
  const market = yield* MarketStore
  yield* fill
  const coverage = yield* market.coverage(series, range)
  const plan = {
    series,
    range,
    policy: "cacheOnly",
    plannedAt: start,
    pieces: [],
    requests: [],
    waits: 0,
    cost: 0
  } as const
  const answers = [{ series, range, plan, coverage }]
  const plain = baseline()
  console.log(`export of ${rows.toLocaleString("en")} rows of ${Math.ceil(rows / perAnswer)} answers`)
  console.log(`  baseline, a plain loop to CSV  ${per(plain)}`)
  const all: ReadonlyArray<ExportFormat> = ["csv", "ndjson", "arrow"]
  const formats = all.filter((format) => process.argv[3] === undefined || process.argv[3] === format)
  for (const format of formats) {
    const out = join(directory, format)
    globalThis.gc?.()
    const before = process.memoryUsage.rss()
    most = before
    const begun = performance.now()
    const manifest = yield* writeExport({ answers, directory: out, format, product: "bench", progress: () => sample })
    const written = seconds(begun)
    const grown = (most - before) / 1e6
    if (manifest.series[0]?.file.rows !== rows) return yield* Effect.die(new Error("not all rows were written"))
    const again = performance.now()
    most = process.memoryUsage.rss()
    const low = most
    const report = yield* verifyExport({ directory: out, against: null, progress: () => sample })
    if (report.problems.length > 0 || report.rows !== rows) return yield* Effect.die(new Error("the export is damaged"))
    const verified = seconds(again)
    const ratio = plain / written
    const holds = ratio >= target.ratio && grown <= target.megabytes
    if (!holds) process.exitCode = 1
    console.log(
      `  ${format.padEnd(6)}  written ${per(written)}   ${ratio.toFixed(2)} x the baseline; +${grown.toFixed(0)} MB   verified ${per(verified)}, +${((most - low) / 1e6).toFixed(0)} MB   ${holds ? "holds" : "MISSES"}`
    )
    rmSync(out, { recursive: true })
  }
  console.log(`  targets: ${target.ratio} x the baseline, +${target.megabytes} MB`)
})

await Effect.runPromise(
  Effect.provide(
    program,
    Layer.mergeAll(ProvenanceStoreSqlite.layer({ directory }), MarketStoreSqlite.layer({ filename })).pipe(
      Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer))
    )
  )
)
rmSync(directory, { recursive: true, force: true })
