/**
 * Claim: of 10,000 ticks a second of 100 instruments, each reaches a client of the RPC over TCP with a p50 under 2 ms and a p99 under 8 ms from when the
 * vendor's listener had it.
 *
 * Run: `npm run bench -- rpc-latency`. Baseline: effect's own RPC server over TCP echoes a text that is as long as a tick on the wire, once a millisecond,
 * there and back. Both clients are processes of their own. Medians of five runs of four seconds that take turns.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, References } from "effect"
import type { Trade } from "../src/domain/records/Trade.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import { serve } from "../src/rpc/server/Served.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import * as Baseline from "./support/baselineRpc.ts"
import { ownSeconds } from "./support/cpuSplit.ts"
import { pushVendor } from "./support/pushVendor.ts"
import { freePort } from "./support/rpcServer.ts"
import type { Latency, TickJob } from "./support/tickReader.ts"

const runs = 5
const millis = 4_000
const perSecond = 10_000
const symbols = Array.from({ length: 100 }, (_, index) => `S${index}`)
const target = { p50: 2, p99: 8 }

const micros = () => Number(process.hrtime.bigint() / 1_000n)
let sequence = 0
const trade = (size: number): Trade => ({
  tsNs: 1_700_000_000_000_000_000n + BigInt(++sequence) * 1_000n,
  price: 450.25,
  size,
  venue: "XNAS",
  sequence,
  side: null,
  conditions: null
})
const { tsNs, ...rest } = trade(micros())
const bytes = JSON.stringify({ tsNs: String(tsNs), ...rest }).length

const script = fileURLToPath(new URL("support/tickReader.ts", import.meta.url))

/** With the microseconds of processor time of this process for each. */
const read = async (job: TickJob, send: () => Promise<void>): Promise<Latency & { readonly cpu: number }> => {
  const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.on("data", (data) => {
    output += data
  })
  while (!output.startsWith("ready\n")) await once(child.stdout, "data")
  const began = ownSeconds()
  await send()
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`the client ended with ${code}`)
  const found: Latency = JSON.parse(output.slice("ready\n".length))
  return { ...found, cpu: ((ownSeconds() - began) * 1e6) / found.count }
}

type Measured = Awaited<ReturnType<typeof read>>

const vendor = pushVendor(["trades"])

/** As the clock says that they are due, and once more when what was sent has gone. */
const ticks = () =>
  new Promise<void>((resolve) => {
    const count = (perSecond * millis) / 1_000
    const began = performance.now()
    let sent = 0
    const push = (size: number) => {
      vendor.sink("trades", symbols[sent++ % symbols.length] ?? "")?.row(trade(size))
    }
    const turn = () => {
      const due = Math.min(count, ((performance.now() - began) * perSecond) / 1_000)
      while (sent < due) push(micros())
      if (sent < count) setTimeout(turn, 1)
      else
        setTimeout(() => {
          push(0)
          resolve()
        }, 200)
    }
    turn()
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const program = Effect.gen(function* () {
  yield* (yield* AdapterRegistry).register(Effect.succeed(vendor.adapter))
  const { tcp } = yield* serve({ product: "bench", http: null, tcp: { host: "127.0.0.1", port: 0 }, socket: null })
  const port = yield* freePort
  yield* Layer.build(Baseline.tcp(port, [], 1))
  const ours: Array<Measured> = []
  const bare: Array<Measured> = []
  for (let run = 0; run <= runs; run++) {
    const job = { symbols, bytes, millis }
    const one = yield* Effect.promise(() => read({ ...job, of: "ticks", port: tcp?.port ?? 0 }, ticks))
    const echoes = yield* Effect.promise(() => read({ ...job, of: "echo", port }, () => Promise.resolve()))
    // The first warms up.
    if (run === 0) continue
    ours.push(one)
    bare.push(echoes)
  }
  const at = (all: ReadonlyArray<Measured>, which: keyof Measured) => median(all.map((one) => one[which]))
  const line = (what: string, all: ReadonlyArray<Measured>) =>
    console.log(
      `${what.padEnd(44)} p50 ${at(all, "p50").toFixed(2)} ms   p99 ${at(all, "p99").toFixed(2)} ms   worst ${at(all, "worst").toFixed(1)} ms   (${Math.round(at(all, "count")).toLocaleString("en")}, ${at(all, "cpu").toFixed(1)} us of processor each)`
    )
  line(`tick to client, ${perSecond.toLocaleString("en")} a second (median of ${runs})`, ours)
  line(`baseline: echo of ${bytes} bytes, one a ms`, bare)
  const whole = ours.every(({ count }) => count === (perSecond * millis) / 1_000)
  const holds = whole && at(ours, "p50") < target.p50 && at(ours, "p99") < target.p99
  console.log(
    `${(at(ours, "p50") / at(bare, "p50")).toFixed(1)} x echo at p50, ${(at(ours, "p99") / at(bare, "p99")).toFixed(1)} x at p99; claim p50 under ${target.p50} ms, p99 under ${target.p99} ms, every tick: ${holds ? "holds" : "MISSES"}`
  )
  return holds
})

const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-latency-"))
const services = Tapestry.layer({
  dataDir: directory,
  config: { ...TapestryConfig.defaults, dataDir: directory, sample: false }
}).pipe(Layer.provide(NodeServices.layer))
const holds = await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(services), Effect.provideService(References.MinimumLogLevel, "Warn"))
).finally(() => rmSync(directory, { recursive: true, force: true }))
process.exitCode = holds ? 0 : 1
