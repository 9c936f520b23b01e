/**
 * Claims: a subscription to quotes of a gateway in which nothing happens costs under 20 kB, and a built `serve` that is connected to a gateway and
 * streams one share has less than 110 MB resident.
 *
 * Run: `npm run bench -- ibkr-idle`. The gateway is the simulator in a thread of its own, on a Saturday: each line has its first ticks and then none. What a
 * subscription costs is the slope of the heap after collections: of 10,000 over the 100 lines that an account has, and of 10,000 with a line each, all that
 * the session and the adapter keep for it included. That many lines are asked for faster than a gateway would take it, since it is not the pace that is
 * measured. Baselines: what the reference system claims, 1 MB a stream and 100 MB; and `node -e 0`.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, References, Result, Scope } from "effect"
import * as IbkrAdapter from "../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import * as GatewaySimulator from "../src/layers/testing/gateway/GatewaySimulator.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { MarketStreams } from "../src/services/MarketStreams.ts"
import { ensureBundle } from "../test/support/bundle.ts"

const subscriptions = 10_000
const linesOfAccount = 100
const ownLines = 10_000
const starts = 5
const targets = { kilobytes: 20, megabytes: 110 }
const claimed = { kilobytes: 1_000, megabytes: 100 }

const symbolOf = (index: number) => `SIM${String(index).padStart(4, "0")}`
const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const gatewayThread = Effect.gen(function* () {
  const gateway = yield* GatewaySimulator.make({
    clock: { speed: 1 },
    start: Date.UTC(2026, 3, 11, 15),
    quotas: { lines: 2 * ownLines, messagesPerSecond: 1_000_000 }
  })
  parentPort?.postMessage(gateway.port)
  return yield* Effect.never
})

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")
const heap = (): number => {
  for (let turn = 0; turn < 4; turn++) collect()
  return process.memoryUsage().heapUsed
}

const steps = 8

/** Bytes that one more costs, over the second half of `count`, when all that they share is there: of the line that fits best. */
const slope = Effect.fnUntraced(function* (count: number, lines: number) {
  const market = yield* MarketStreams
  const scope = yield* Effect.scope
  const sizes: Array<number> = []
  const heard = new Set<string>()
  for (let step = 0; step < steps; step++) {
    for (let index = (step * count) / steps; index < ((step + 1) * count) / steps; index++) {
      const own = yield* Scope.fork(scope)
      const symbol = symbolOf(index % lines)
      const selection = { vendor: "ibkr", streams: [{ symbol, kind: "quotes" as const }] }
      const { take } = yield* Scope.provide(market.subscribe(selection), own)
      const listening = Effect.map(take, (items) => {
        if (items.some(({ event }) => event._tag === "Quotes")) heard.add(symbol)
      })
      yield* Effect.forkIn(Effect.forever(listening), own)
    }
    const asked = Math.min(lines, ((step + 1) * count) / steps)
    while (heard.size < asked) yield* Effect.sleep("100 millis")
    yield* Effect.sleep("1 second")
    sizes.push(heap())
  }
  const late = sizes.slice(steps / 2)
  const middle = (late.length - 1) / 2
  const along = late.reduce((sum, size, index) => sum + (index - middle) * size, 0)
  const across = late.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return along / across / (count / steps)
}, Effect.scoped)

const residentOf = (pid: number): number =>
  (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024) / 1e6

const bundle = ensureBundle()

/** MB of a built `serve` in which one share's quotes stream to one client. */
const served = async (port: number): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-idle-"))
  const config = join(directory, "tapestry.yaml")
  writeFileSync(config, `sample: false\nvendors:\n  ibkr: { adapter: ibkr, port: ${port} }\n`)
  const words = ["serve", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--json", "--config", config]
  const child = spawn(process.execPath, [bundle, ...words, "--data-dir", join(directory, "data")], {
    stdio: ["ignore", "pipe", "ignore"]
  })
  const first = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (bytes) => resolve(String(bytes)))
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)))
  })
  const { http }: { readonly http: string } = JSON.parse(first.split("\n")[0] ?? "")
  const socket = new WebSocket(`${http.replace(/^http/, "ws")}/ws/quotes/SIM0000`)
  await new Promise<void>((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      if (String(data).includes('"type":"quote"')) resolve()
    }
    socket.onclose = ({ reason }) => reject(new Error(`the feed ended: ${reason}`))
  })
  await pause(3_000)
  const megabytes = residentOf(child.pid ?? 0)
  socket.onclose = null
  socket.close()
  child.removeAllListeners("exit")
  const ended = new Promise((resolve) => child.once("exit", resolve))
  child.kill("SIGTERM")
  await ended
  rmSync(directory, { recursive: true, force: true })
  return megabytes
}

const bare = async (): Promise<number> => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" })
  await pause(1_000)
  const megabytes = residentOf(child.pid ?? 0)
  child.kill("SIGKILL")
  return megabytes
}

const verdict = (holds: boolean): string => {
  if (!holds) process.exitCode = 1
  return holds ? "holds" : "MISSES"
}

const bench = Effect.gen(function* () {
  const worker = new Worker(new URL(import.meta.url))
  const port = yield* Effect.promise(() => new Promise<number>((resolve) => worker.once("message", resolve)))
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-idle-"))
  const config = { ...TapestryConfig.defaults, dataDir: directory, sample: false }
  const slopes = yield* Effect.gen(function* () {
    const lines = { marketData: 2 * ownLines }
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port, lines, resets: "none" }, 1 << 26))
    const registry = yield* AdapterRegistry
    yield* registry.register(IbkrAdapter.make({ ...vendor, requestsPerSecond: 2_000 }))
    const shared = yield* slope(subscriptions, linesOfAccount)
    yield* Effect.sleep("3 seconds")
    return { shared, own: yield* slope(ownLines, ownLines) }
  }).pipe(
    Effect.scoped,
    Effect.provide(Tapestry.layer({ dataDir: directory, config }).pipe(Layer.provide(NodeServices.layer)))
  )
  rmSync(directory, { recursive: true, force: true })
  for (const [what, bytes] of [
    [`one of ${subscriptions.toLocaleString("en")} over ${linesOfAccount} lines`, slopes.shared],
    [`one of ${ownLines.toLocaleString("en")} with a line each`, slopes.own]
  ] as const) {
    console.log(
      `idle subscription, ${what}: ${(bytes / 1_000).toFixed(2)} kB   ${(bytes / 1_000 / claimed.kilobytes).toFixed(3)} x the ${claimed.kilobytes} kB of the reference   target ${targets.kilobytes} kB   ${verdict(bytes < targets.kilobytes * 1_000)}`
    )
  }
  const resident: Array<number> = []
  for (let run = 0; run < starts; run++) resident.push(yield* Effect.promise(() => served(port)))
  const empty = yield* Effect.promise(bare)
  const base = median(resident)
  console.log(
    `built serve, connected to a gateway and streaming one share (median of ${starts}): ${base.toFixed(1)} MB   ${(base / claimed.megabytes).toFixed(2)} x the ${claimed.megabytes} MB of the reference, ${(base / empty).toFixed(1)} x node -e 0 (${empty.toFixed(1)} MB)   target ${targets.megabytes} MB   ${verdict(base < targets.megabytes)}`
  )
  yield* Effect.promise(() => worker.terminate())
}).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))

if (isMainThread) await Effect.runPromise(bench)
else await Effect.runPromise(Effect.scoped(gatewayThread))
