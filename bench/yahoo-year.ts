/**
 * Claims: a year of one-minute bars (98,000 rows) from a Yahoo server, cold and in eight-day pieces, takes 1.5 s; small ranges over
 * many symbols come at 400 requests a second. Quotas off; planned, fetched over a socket from another process, archived, decoded
 * and committed.
 *
 * Yahoo has minutes of the last 30 days only, so the year is made of the last 24 days of sixteen symbols.
 *
 * Run: `npm run bench -- yahoo-year`. Baseline: the same bodies fetched by `fetch` and read by JSON.parse, as many at once.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import type { TimeRange } from "../src/domain/TimeRange.ts"
import * as YahooAdapter from "../src/layers/adapters/yahoo/YahooAdapter.ts"
import { resolveVendor } from "../src/layers/adapters/yahoo/YahooVendor.ts"
import { defaults } from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import * as YahooServer from "../src/layers/testing/yahoo/YahooServer.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { StitchingCache } from "../src/services/StitchingCache.ts"
import { startYahoo } from "./support/yahooServer.ts"

const now = Date.UTC(2026, 10, 27, 23)
const day = 86_400_000
const inFlight = 8
const symbols = Array.from({ length: 200 }, (_, index) => `S${index}`)
const minutes = { name: "a year of minutes", symbols: symbols.slice(0, 16), timeframe: "1m" as const, days: 24 }
const small = { name: "1,000 small ranges", symbols, timeframe: "1d" as const, days: 20 }

const server = await startYahoo({
  now,
  holes: 0,
  instruments: symbols.map((symbol) => YahooServer.share(symbol, { listedAt: now - 400 * day }))
})
const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-yahoo-"))

const program = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  const cache = yield* StitchingCache
  const quota = { concurrency: inFlight, maxInFlight: null, windows: [] }
  const vendor = yield* Effect.fromResult(
    resolveVendor("yahoo", { adapter: "yahoo", host: server.host, quota }, 1 << 26)
  )
  yield* registry.register(YahooAdapter.make(vendor))
  const read = Effect.fnUntraced(function* (symbol: string, timeframe: "1m" | "1d", range: TimeRange) {
    const series = yield* cache.resolve("yahoo", { symbol, kind: "bar", timeframe })
    const { requests, rowCount } = yield* cache.read({ series, range })
    return { requests, rowCount }
  })
  for (const { days, name, symbols: asked, timeframe } of [minutes, small]) {
    const pieces = asked.flatMap((symbol) =>
      timeframe === "1m"
        ? [{ symbol, range: { start: now - days * day, end: now - 3 * 3_600_000 } }]
        : [0, 1, 2, 3, 4].map((part) => {
            const start = Math.floor(now / day - 30 - 60 * part) * day
            return { symbol, range: { start, end: start + days * day } }
          })
    )
    // The server makes its market at the first look; the second one is what is measured.
    const bodies = yield* Effect.promise(() => baseline(pieces, timeframe))
    const theirs = yield* Effect.promise(() => baseline(pieces, timeframe))
    const began = performance.now()
    const had = yield* Effect.forEach(pieces, ({ range, symbol }) => read(symbol, timeframe, range), {
      concurrency: inFlight
    })
    const mine = performance.now() - began
    const rows = had.reduce((sum, { rowCount }) => sum + rowCount, 0)
    const requests = had.reduce((sum, one) => sum + one.requests, 0)
    console.log(`${name}: ${rows.toLocaleString("en")} rows in ${requests} requests`)
    console.log(`  baseline, fetch and JSON.parse  ${theirs.millis.toFixed(0).padStart(7)} ms (${bodies.count} bodies)`)
    console.log(
      `  through the runtime             ${mine.toFixed(0).padStart(7)} ms   ${((requests / mine) * 1000).toFixed(0)} requests/s, ${(mine / theirs.millis).toFixed(1)} x the baseline`
    )
  }
})

const baseline = async (pieces: ReadonlyArray<{ symbol: string; range: TimeRange }>, timeframe: "1m" | "1d") => {
  const urls = pieces.flatMap(({ range, symbol }) => {
    const step = timeframe === "1m" ? 8 * day : Number.POSITIVE_INFINITY
    const cuts: Array<string> = []
    for (let start = range.start; start < range.end; start += step) {
      const end = Math.min(range.end, start + step)
      const query = new URLSearchParams({
        interval: timeframe,
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

const layer = Tapestry.layer({ config: { ...defaults, sample: false }, dataDir: directory }).pipe(
  Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
)
await Effect.runPromise(Effect.scoped(Effect.provide(program, layer)))
server.stop()
rmSync(directory, { recursive: true, force: true })
