/**
 * Claims, of 1,000 small ranges (20 days of daily bars) over 200 symbols of a Yahoo server: where the quota is the bound, at least
 * 85 % of what it allows is sent; with quotas off, 400 requests a second end to end, archived, decoded and committed, while what
 * is resident of the built CLI's `serve` grows by less than 120 MB.
 *
 * The runtime is `serve` of the built CLI over an empty data directory, asked over TCP by this process, 32 calls at once; the vendor
 * is a server in a third process. Run: `npm run bench -- small-ranges`. Baseline: what was asked of the vendor asked again by `fetch`
 * and read by JSON.parse, as many at once. Medians of five; the processor time of `serve` is printed beside them.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, Layer } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import * as YahooServer from "../src/layers/testing/yahoo/YahooServer.ts"
import { TapestryRpcs } from "../src/rpc/contract/TapestryRpcs.ts"
import { ensureBundle } from "../test/support/bundle.ts"
import { median } from "./support/rpcServer.ts"
import { startYahoo } from "./support/yahooServer.ts"

const runs = 5
const day = 86_400_000
const days = 20
const atOnce = 32
const now = Date.UTC(2026, 10, 27, 23)
const symbols = Array.from({ length: 200 }, (_, index) => `S${index}`)
const targets = { perSecond: 400, megabytes: 120, ofQuota: 0.85 }
/** Requests in any second, where the quota is the bound. */
const allowed = 100

const ranges = symbols.flatMap((symbol) =>
  [0, 1, 2, 3, 4].map((part) => {
    const start = Math.floor(now / day - 30 - 60 * part) * day
    return { symbol, range: { start, end: start + days * day } }
  })
)

const bundle = ensureBundle()
const vendor = await startYahoo({
  now,
  holes: 0,
  instruments: symbols.map((symbol) => YahooServer.share(symbol, { listedAt: now - 400 * day }))
})

interface Resources {
  readonly resident: number
  readonly most: number
  readonly cpuSeconds: number
}

/** Of another process, from Linux: memory in MB, the time of the processor in hundredths of a second. */
const resourcesOf = (pid: number): Resources => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const megabytes = (name: string) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return {
    resident: megabytes("VmRSS"),
    most: megabytes("VmHWM"),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100
  }
}

const started = async (windows: string) => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-small-"))
  const config = join(directory, "tapestry.yaml")
  writeFileSync(
    config,
    `sample: false\nvendors:\n  yahoo: { adapter: yahoo, host: "${vendor.host}", quota: { concurrency: ${atOnce}, windows: [${windows}] } }\n`
  )
  const words = ["serve", "--http", "off", "--tcp", "127.0.0.1:0", "--json", "--config", config]
  const child = spawn(process.execPath, [bundle, ...words, "--data-dir", join(directory, "data")], {
    stdio: ["ignore", "pipe", "ignore"]
  })
  const first = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (bytes) => resolve(String(bytes)))
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)))
  })
  const { tcp }: { readonly tcp?: string } = JSON.parse(first.split("\n")[0] ?? "")
  if (tcp === undefined) throw new Error(`serve did not start: ${first}`)
  return {
    pid: child.pid ?? 0,
    port: Number(/:(\d+)$/.exec(tcp)?.[1]),
    stop: async () => {
      child.removeAllListeners("exit")
      const ended = new Promise((resolve) => child.once("exit", resolve))
      child.kill("SIGTERM")
      await ended
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

interface Run {
  readonly requests: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** MB. */
  readonly growth: number
}

const measured = (port: number, pid: number) =>
  Effect.gen(function* () {
    const client = yield* RpcClient.make(TapestryRpcs, { disableTracing: true })
    const resolve = (symbol: string) =>
      client["Series.resolve"]({ vendor: "yahoo", query: { symbol, kind: "bar", timeframe: "1d" } })
    const series = yield* Effect.forEach(ranges, ({ symbol }) => resolve(symbol))
    const page = Effect.fnUntraced(function* ({ range, symbol }: (typeof ranges)[number], index: number) {
      const key = series[index] ?? (yield* resolve(symbol))
      const { bars } = yield* client["Series.page"]({ series: key, range })
      if (bars.length < 10) return yield* Effect.die(new Error(`${bars.length} bars of ${symbol}`))
    })
    const idle = resourcesOf(pid)
    const began = performance.now()
    yield* Effect.forEach(ranges, page, { concurrency: atOnce, discard: true })
    const seconds = (performance.now() - began) / 1000
    const after = resourcesOf(pid)
    return { seconds, cpuSeconds: after.cpuSeconds - idle.cpuSeconds, growth: after.most - idle.resident }
  }).pipe(
    Effect.scoped,
    Effect.provide(
      RpcClient.layerProtocolSocket().pipe(
        Layer.provide([NodeSocket.layerNet({ port, host: "127.0.0.1" }), RpcSerialization.layerNdjson])
      )
    )
  )

const run = async (windows: string): Promise<Run> => {
  const served = await started(windows)
  const before = (await vendor.log()).length
  const taken = await Effect.runPromise(measured(served.port, served.pid))
  await served.stop()
  return { ...taken, requests: (await vendor.log()).length - before }
}

/** Everything that the runtime asked for since `from`, asked again. Requests a second. */
const baseline = async (from: number): Promise<number> => {
  const urls = (await vendor.log()).slice(from).map(({ url }) => new URL(url, vendor.host).href)
  const began = performance.now()
  let next = 0
  const worker = async () => {
    while (next < urls.length) {
      const response = await fetch(urls[next++] ?? "")
      const chart = JSON.parse(await response.text())
      if (chart.chart.error !== null) throw new Error(JSON.stringify(chart.chart.error))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return urls.length / ((performance.now() - began) / 1000)
}

const of = (all: ReadonlyArray<Run>, value: (one: Run) => number): number => median(all.map(value))
const verdict = (holds: boolean): string => {
  if (!holds) process.exitCode = 1
  return holds ? "holds" : "MISSES"
}

// The server makes its market at the first look; what is measured is the others.
await run("")
const free: Array<Run> = []
const bare: Array<number> = []
for (let index = 0; index < runs; index++) {
  const before = (await vendor.log()).length
  free.push(await run(""))
  bare.push(await baseline(before))
}
const rate = of(free, ({ requests, seconds }) => requests / seconds)
const growth = of(free, (one) => one.growth)
console.log(`1,000 ranges over 200 symbols, ${free[0]?.requests} requests (median of ${runs})`)
console.log(
  `  quotas off    ${rate.toFixed(0)} requests/s   ${(rate / median(bare)).toFixed(2)} x fetch and JSON.parse (${median(bare).toFixed(0)}/s)   target ${targets.perSecond}   ${verdict(rate >= targets.perSecond)}`
)
console.log(
  `                ${of(free, ({ cpuSeconds, requests }) => requests / cpuSeconds).toFixed(0)} requests a second of processor time of serve`
)
console.log(
  `  memory        ${growth.toFixed(0)} MB more than before, at most   target ${targets.megabytes} MB   ${verdict(growth < targets.megabytes)}`
)

const bound: Array<number> = []
for (let index = 0; index < runs; index++) {
  const { requests, seconds } = await run(`{ name: second, limit: ${allowed}, span: 1000, key: null }`)
  // A window that is empty at first takes its whole limit at once.
  bound.push(requests / (allowed * (seconds + 1)))
}
console.log(
  `  ${allowed} a second  ${(100 * median(bound)).toFixed(0)} % of what the quota allows   target ${100 * targets.ofQuota} %   ${verdict(median(bound) >= targets.ofQuota)}`
)
vendor.stop()
