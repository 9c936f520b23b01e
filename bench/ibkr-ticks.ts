/**
 * Claim: ticks of a gateway reach one lossless consumer, through the guard, the session and MarketStreams, at 300,000 a second and more, and at 0.4
 * of the rate at which the bare library hands them to a listener that counts.
 *
 * Run: `npm run bench -- ibkr-ticks`. The gateway is a thread of this process that sends prebuilt tick-by-tick frames as fast as they are taken.
 * Medians of five runs each, one after the other, in turns.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { EventName, IBApi, SecType, TickByTickDataType } from "@stoqey/ib"
import { Effect, Layer, References, Result } from "effect"
import { isRows } from "../src/domain/streams/StreamEvent.ts"
import { frameOf } from "../src/layers/adapters/ibkr/frames.ts"
import { resolveVendor } from "../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import { MarketStreams } from "../src/services/MarketStreams.ts"
import { ownSeconds } from "./support/cpuSplit.ts"

const runs = 5
const ticks = 500_000
const perChunk = 1_000

/** Welcomes, and answers a request for ticks with all of them. */
const serve = (socket: Socket): void => {
  const send = (...fields: ReadonlyArray<string | number>) => socket.write(frameOf(fields))
  let held = Buffer.alloc(0)
  let greeted = false
  const push = (request: string) => {
    const chunk = Buffer.concat(
      Array.from({ length: perChunk }, (_, index) =>
        frameOf([
          99,
          request,
          2,
          1_775_829_600,
          (450 + (index % 97) / 100).toFixed(2),
          100 + (index % 977),
          0,
          "ARCA",
          ""
        ])
      )
    )
    let left = ticks / perChunk
    const more = () => {
      while (left > 0) {
        left--
        if (!socket.write(chunk)) return socket.once("drain", more)
      }
      return socket
    }
    more()
  }
  socket.on("error", () => {})
  socket.on("data", (bytes) => {
    held = Buffer.concat([held, bytes])
    if (!greeted) {
      if (held.length < 8 || held.length < 8 + held.readInt32BE(4)) return
      held = held.subarray(8 + held.readInt32BE(4))
      greeted = true
      send(193, "20260410 14:00:00 GMT")
    }
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const [id = "", request = ""] = held.toString("utf8", 4, 4 + held.readInt32BE(0)).split("\0")
      held = held.subarray(4 + held.readInt32BE(0))
      if (id === "71") {
        send(15, 1, "DU1")
        send(9, 1, 1)
      }
      if (id === "49") send(49, 1, Math.floor(Date.now() / 1000))
      if (id === "97") push(request)
    }
  })
}

const bare = (port: number) =>
  Effect.callback<number>((resume) => {
    const api = new IBApi({ host: "127.0.0.1", port, maxReqPerSec: 40 })
    let seen = 0
    let began = 0
    api.on(EventName.nextValidId, () => {
      const contract = { symbol: "SPY", secType: SecType.STK, exchange: "SMART", currency: "USD" }
      api.reqTickByTickData(1, contract, TickByTickDataType.AllLast, 0, false)
    })
    api.on(EventName.tickByTickAllLast, () => {
      if (seen === 0) began = performance.now()
      seen++
      if (seen < ticks) return
      api.removeAllListeners()
      api.disconnect()
      resume(Effect.succeed((ticks * 1_000) / (performance.now() - began)))
    })
    api.connect(1)
  })

const through = (symbol: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const market = yield* MarketStreams
      const subscription = yield* market.subscribe(
        { vendor: "ibkr", streams: [{ symbol, kind: "trades" }] },
        { policy: { _tag: "lossless", rows: 1_000_000 } }
      )
      let seen = 0
      let began = 0
      while (seen < ticks) {
        for (const { event } of yield* subscription.take) {
          if (!isRows(event)) continue
          if (seen === 0) began = performance.now()
          seen += event.rows.length
        }
      }
      return (ticks * 1_000) / (performance.now() - began)
    })
  )

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const thousands = (rate: number): string => `${Math.round(rate / 1_000).toLocaleString("en")}k/s`

const bench = Effect.gen(function* () {
  const worker = new Worker(new URL(import.meta.url))
  const port = yield* Effect.promise(() => new Promise<number>((resolve) => worker.once("message", resolve)))
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-ibkr-"))
  const vendor = Result.getOrThrow(resolveVendor("ibkr", { port }, 1 << 26))
  const config = { ...TapestryConfig.defaults, dataDir: directory, sample: false, vendors: [vendor] }
  const rates: Record<"bare" | "ours", Array<number>> = { bare: [], ours: [] }
  const cpu: Record<"bare" | "ours", Array<number>> = { bare: [], ours: [] }
  yield* Effect.gen(function* () {
    for (let run = 0; run < runs; run++) {
      let before = ownSeconds()
      rates.bare.push(yield* bare(port))
      cpu.bare.push(ownSeconds() - before)
      before = ownSeconds()
      // Another symbol each time: the stream of the last lingers.
      rates.ours.push(yield* through(`SPY${run}`))
      cpu.ours.push(ownSeconds() - before)
    }
  }).pipe(Effect.provide(Layer.provide(Tapestry.layer({ dataDir: directory, config }), NodeServices.layer)))
  rmSync(directory, { recursive: true, force: true })
  yield* Effect.promise(() => worker.terminate())
  console.log(
    `| ${ticks.toLocaleString("en")} tick-by-tick trades, one gateway | rate | processor time, the sending thread included |`
  )
  console.log("|---|---|---|")
  console.log(
    `| bare library, a listener that counts | ${thousands(median(rates.bare))} | ${median(cpu.bare).toFixed(2)} s |`
  )
  console.log(
    `| guard, session, MarketStreams, one lossless consumer | ${thousands(median(rates.ours))} | ${median(cpu.ours).toFixed(2)} s |`
  )
  console.log(`ratio of the rates: ${(median(rates.ours) / median(rates.bare)).toFixed(2)}`)
}).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))

if (isMainThread) await Effect.runPromise(bench)
else {
  const server = createServer(serve)
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    parentPort?.postMessage(typeof address === "object" && address !== null ? address.port : 0)
  })
}
