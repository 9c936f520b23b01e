/**
 * Claim: a year of one-minute bars (98,000 rows) from a Yahoo server, cold and in eight-day pieces, takes 1.5 s. Quotas off; planned,
 * fetched over a socket from another process, archived, decoded and committed.
 *
 * Yahoo has minutes of the last 30 days only, so the year is made of the last 24 days of sixteen symbols.
 *
 * Run: `npm run bench -- yahoo-year`. Baseline: the same bodies fetched by `fetch` and read by JSON.parse, as many at once. Medians of
 * five, each over an empty data directory; the code is warm after the first.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import * as YahooAdapter from "../src/layers/adapters/yahoo/YahooAdapter.ts"
import { resolveVendor } from "../src/layers/adapters/yahoo/YahooVendor.ts"
import { defaults } from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import * as YahooServer from "../src/layers/testing/yahoo/YahooServer.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { StitchingCache } from "../src/services/StitchingCache.ts"
import { median } from "./support/rpcServer.ts"
import { startYahoo } from "./support/yahooServer.ts"

const now = Date.UTC(2026, 10, 27, 23)
const day = 86_400_000
const inFlight = 8
const runs = 5
const target = 1_500
const symbols = Array.from({ length: 16 }, (_, index) => `S${index}`)
const range = { start: now - 24 * day, end: now - 3 * 3_600_000 }

const server = await startYahoo({
  now,
  holes: 0,
  instruments: symbols.map((symbol) => YahooServer.share(symbol, { listedAt: now - 400 * day }))
})

const program = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  const cache = yield* StitchingCache
  const quota = { concurrency: inFlight, maxInFlight: null, windows: [] }
  const vendor = yield* Effect.fromResult(
    resolveVendor("yahoo", { adapter: "yahoo", host: server.host, quota }, 1 << 26)
  )
  yield* registry.register(YahooAdapter.make(vendor))
  const read = Effect.fnUntraced(function* (symbol: string) {
    const series = yield* cache.resolve("yahoo", { symbol, kind: "bar", timeframe: "1m" })
    const { requests, rowCount } = yield* cache.read({ series, range })
    return { requests, rowCount }
  })
  const began = performance.now()
  const had = yield* Effect.forEach(symbols, read, { concurrency: inFlight })
  return {
    millis: performance.now() - began,
    rows: had.reduce((sum, { rowCount }) => sum + rowCount, 0),
    requests: had.reduce((sum, one) => sum + one.requests, 0)
  }
})

/** In a data directory of its own. */
const measured = async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "tapestry-bench-yahoo-"))
  const layer = Tapestry.layer({ config: { ...defaults, sample: false }, dataDir }).pipe(
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )
  const taken = await Effect.runPromise(Effect.scoped(Effect.provide(program, layer)))
  rmSync(dataDir, { recursive: true, force: true })
  return taken
}

const baseline = async () => {
  const step = 8 * day
  const urls = symbols.flatMap((symbol) => {
    const cuts: Array<string> = []
    for (let start = range.start; start < range.end; start += step) {
      const end = Math.min(range.end, start + step)
      const query = new URLSearchParams({
        interval: "1m",
        period1: String(Math.floor(start / 1000)),
        period2: String(Math.floor(end / 1000)),
        events: "div,splits,capitalGains"
      })
      cuts.push(`${server.host}/v8/finance/chart/${symbol}?${query}`)
    }
    return cuts
  })
  const began = performance.now()
  let next = 0
  let count = 0
  const worker = async () => {
    while (next < urls.length) {
      const response = await fetch(urls[next++] ?? "")
      const chart = JSON.parse(await response.text())
      if (chart.chart.error !== null) throw new Error(JSON.stringify(chart.chart.error))
      count++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { millis: performance.now() - began, count }
}

// The server makes its market at the first look.
await baseline()
const ours: Array<Awaited<ReturnType<typeof measured>>> = []
const theirs: Array<Awaited<ReturnType<typeof baseline>>> = []
for (let run = 0; run < runs; run++) {
  theirs.push(await baseline())
  ours.push(await measured())
}
server.stop()
const millis = median(ours.map((one) => one.millis))
const bare = median(theirs.map((one) => one.millis))
const holds = millis <= target
if (!holds) process.exitCode = 1
const padded = (value: number) => `${value.toFixed(0).padStart(7)} ms`
console.log(
  `a year of minutes: ${ours[0]?.rows.toLocaleString("en")} rows in ${ours[0]?.requests} requests (median of ${runs})`
)
console.log(`  baseline, fetch and JSON.parse  ${padded(bare)}   ${theirs[0]?.count} bodies`)
console.log(
  `  through the runtime             ${padded(millis)}   ${(millis / bare).toFixed(1)} x the baseline   target ${target} ms   ${holds ? "holds" : "MISSES"}`
)
console.log(`  each of them in order           ${ours.map((one) => one.millis.toFixed(0)).join(", ")} ms`)
