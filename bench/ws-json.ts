/**
 * Claim: 100 clients of a JSON feed over WebSocket are sent 60,000 messages a second in all and more; at 10,000 a second the p99 from the
 * vendor's tick to the client is under 20 ms.
 *
 * Run: `npm run bench -- ws-json`. Baseline: the `ws` package sends 100 clients one string that is there already. Both are given a tick in each turn of the
 * event loop (or so many a second), and read by the same clients in a process of their own. Medians of five runs that take turns.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Layer, References } from "effect"
import type { Ticker } from "../src/domain/streams/StreamRow.ts"
import { feedDefaults } from "../src/layers/config/FeedLimits.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import { serve } from "../src/rpc/server/Served.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { ownSeconds } from "./support/cpuSplit.ts"
import type { Read, ReaderJob } from "./support/feedReader.ts"
import { pushVendor } from "./support/pushVendor.ts"

const runs = 5
const clients = 100
const broadcasts = 6_000
const target = { perSecond: 60_000, p99: 20, paced: 10_000 }

const micros = () => Number(process.hrtime.bigint() / 1_000n)
const tsNs = 1_700_000_000_000_000_000n

const ticker = (bid: number): Ticker => ({
  tsNs: tsNs + BigInt(bid + 1) * 1_000n,
  bid,
  bidSize: 100,
  ask: bid + 0.01,
  askSize: 200,
  venue: null,
  sequence: null,
  conditions: null,
  last: 450.25,
  lastSize: 100,
  volume: micros(),
  open: 449.5,
  high: 451,
  low: 448.75,
  previousClose: 449.25
})

/** What one message of ours is, so that both send as many bytes. */
const text = (bid: number) =>
  `{"type":"quote","symbol":"SPY","vendor":"bench","bid":${bid},"bid_size":100,"ask":${bid + 0.01},"ask_size":200,"last":450.25,"last_size":100,"volume":${micros()},"open":449.5,"high":451,"low":448.75,"previous_close":449.25,"ts":"2023-11-14T22:13:20.000000000Z","delayed":null,"data_type":null,"simulated":false}`

const script = fileURLToPath(new URL("support/feedReader.ts", import.meta.url))

/** Runs `send` when the clients are there; what they read, and the seconds of processor time that this process took. */
const readBy = async (job: ReaderJob, send: () => Promise<void>): Promise<Read & { readonly cpu: number }> => {
  const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.on("data", (bytes) => {
    output += bytes
  })
  while (!output.startsWith("ready\n")) await once(child.stdout, "data")
  const began = ownSeconds()
  await send()
  const [code] = await once(child, "close")
  const cpu = ownSeconds() - began
  if (code !== 0) throw new Error(`the clients ended with ${code}`)
  return { ...JSON.parse(output.slice("ready\n".length)), cpu }
}

/** One a turn. */
const atOnce = (push: (bid: number) => void) =>
  new Promise<void>((resolve) => {
    let bid = 0
    const turn = () => {
      if (bid === broadcasts) {
        // In a turn of its own, and when what comes before it has gone.
        setTimeout(() => {
          push(-1)
          resolve()
        }, 200)
        return
      }
      push(bid++)
      setImmediate(turn)
    }
    setImmediate(turn)
  })

/** So many a second, for four seconds. */
const paced = (push: (bid: number) => void) =>
  new Promise<void>((resolve) => {
    const each = 1_000 / (target.paced / clients)
    const count = 4_000 / each
    const began = performance.now()
    let bid = 0
    const tick = () => {
      for (; bid < count && began + bid * each <= performance.now(); bid++) push(bid)
      if (bid < count) setTimeout(tick, 1)
      else
        setTimeout(() => {
          push(-1)
          resolve()
        }, 200)
    }
    tick()
  })

const baseline = async () => {
  const http = createServer()
  const server = new NodeWS.WebSocketServer({ server: http, perMessageDeflate: false })
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  const address: AddressInfo | string | null = http.address()
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    push: (bid: number) => {
      const message = text(bid)
      for (const client of server.clients) client.send(message)
    },
    close: () => http.close()
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const program = Effect.gen(function* () {
  const vendor = pushVendor(["quotes"])
  yield* (yield* AdapterRegistry).register(Effect.succeed(vendor.adapter))
  const { http } = yield* serve({
    product: "bench",
    http: {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: [],
      allowedOrigins: [],
      // The rate of a client is not what is measured.
      feeds: { ...feedDefaults, maxMessagesPerSecond: 1_000_000 }
    },
    tcp: null,
    socket: null
  })
  const theirs = yield* Effect.promise(baseline)
  const ours = { port: http?.port ?? 0, push: (bid: number) => vendor.sink("quotes", "SPY")?.row(ticker(bid)) }
  const path = "/ws/quotes/SPY"
  const measured = (of: { readonly port: number; readonly push: (bid: number) => void }, timed: boolean) =>
    Effect.promise(() =>
      readBy({ port: of.port, path, clients, timed }, () => (timed ? paced(of.push) : atOnce(of.push)))
    )

  const fast: { ours: Array<Read & { cpu: number }>; bare: Array<Read & { cpu: number }> } = { ours: [], bare: [] }
  const slow: typeof fast = { ours: [], bare: [] }
  for (let run = 0; run <= runs; run++) {
    const all = [
      [fast.ours, yield* measured(ours, false)],
      [fast.bare, yield* measured(theirs, false)],
      [slow.ours, yield* measured(ours, true)],
      [slow.bare, yield* measured(theirs, true)]
    ] as const
    // The first warms up.
    if (run > 0) for (const [into, one] of all) into.push(one)
  }
  theirs.close()

  const rate = (all: ReadonlyArray<Read>) => median(all.map(({ messages, seconds }) => messages / seconds))
  const cpu = (all: ReadonlyArray<Read & { cpu: number }>) =>
    median(all.map(({ cpu, messages }) => (cpu / messages) * 1e6))
  const at = (all: ReadonlyArray<Read>, which: "p50" | "p99" | "worst") => median(all.map((one) => one[which]))
  const thousands = (value: number) => Math.round(value).toLocaleString("en").padStart(8)
  console.log(`a tick a turn to ${clients} clients (median of ${runs})`)
  for (const [name, all] of [
    ["ours", fast.ours],
    ["ws, a string that is there", fast.bare]
  ] as const) {
    console.log(`  ${name.padEnd(28)} ${thousands(rate(all))} messages/s   ${cpu(all).toFixed(2)} us of processor each`)
  }
  const ratio = rate(fast.ours) / rate(fast.bare)
  console.log(
    `  ratio ${ratio.toFixed(2)} in messages/s, ${(cpu(fast.ours) / cpu(fast.bare)).toFixed(2)} in processor time`
  )
  console.log(`${thousands(target.paced).trim()} messages/s in all to ${clients} clients, from the tick to the client`)
  for (const [name, all] of [
    ["ours", slow.ours],
    ["ws, a string that is there", slow.bare]
  ] as const) {
    const sent = median(all.map(({ messages }) => messages))
    console.log(
      `  ${name.padEnd(28)} p50 ${at(all, "p50").toFixed(2)} ms   p99 ${at(all, "p99").toFixed(2)} ms   worst ${at(all, "worst").toFixed(1)} ms   (${thousands(sent).trim()} messages)`
    )
  }
  const holds = rate(fast.ours) >= target.perSecond && at(slow.ours, "p99") < target.p99
  console.log(
    `claim ${thousands(target.perSecond).trim()} messages/s, p99 under ${target.p99} ms at ${thousands(target.paced).trim()}/s: ${holds ? "holds" : "MISSES"}; p99 ${(at(slow.ours, "p99") / at(slow.bare, "p99")).toFixed(2)} x ws`
  )
  return holds
})

const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-ws-"))
const services = Tapestry.layer({
  dataDir: directory,
  config: { ...TapestryConfig.defaults, dataDir: directory, sample: false }
}).pipe(Layer.provide(NodeServices.layer))
const holds = await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(services), Effect.provideService(References.MinimumLogLevel, "Warn"))
).finally(() => rmSync(directory, { recursive: true, force: true }))
process.exitCode = holds ? 0 : 1
