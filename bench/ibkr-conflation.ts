/**
 * Claim: 100,000 messages a second of 100 lines are taken for as long as they come, through the guard, the session and MarketStreams, with ten consumers that want what
 * holds, on less than one core, and what is shown at the end is what was sent last.
 *
 * Run: `npm run bench -- ibkr-conflation`. The gateway is a thread of this process that sends 500 messages every 5 ms, prices and sizes that change each time, for ten
 * seconds. Baseline: the bare library with a listener that counts, at the same pace. Medians of three runs each, in turns.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { EventName, IBApi, SecType } from "@stoqey/ib"
import { Effect, Layer, References, Result } from "effect"
import type { Ticker } from "../src/domain/streams/StreamRow.ts"
import { frameOf } from "../src/layers/adapters/ibkr/frames.ts"
import { resolveVendor } from "../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import { MarketStreams } from "../src/services/MarketStreams.ts"

const runs = 3
const lines = 100
const consumers = 10
const perTurn = 500
const turnMillis = 5
const messages = 1_000_000

const priceOf = (round: number): string => (100 + (round % 5_000) / 100).toFixed(2)
const sizeOf = (round: number): number => 1_000 + (round % 900)

/** Around the lines, the bid's price in one round and its size in the next. All differ from the one before of their line. */
const frame = (request: string, index: number): Uint8Array => {
  const round = Math.floor(index / lines)
  return round % 2 === 0
    ? frameOf([1, 6, request, 1, priceOf(round), sizeOf(round), 0])
    : frameOf([2, 6, request, 0, sizeOf(round)])
}

const serve = (socket: Socket): void => {
  const send = (...fields: ReadonlyArray<string | number>) => socket.write(frameOf(fields))
  let held = Buffer.alloc(0)
  let greeted = false
  const asked: Array<string> = []
  const begin = () => {
    let sent = 0
    const began = performance.now()
    const turn = () => {
      const due = Math.min(messages, Math.floor((performance.now() - began) / turnMillis) * perTurn)
      // What is late is sent at once, so that the pace is kept; in pieces, so that the socket takes them.
      while (sent < due) {
        const chunk = Array.from({ length: perTurn }, (_, index) =>
          frame(asked[(sent + index) % lines] ?? "0", sent + index)
        )
        socket.write(Buffer.concat(chunk))
        sent += perTurn
      }
      if (sent < messages) setTimeout(turn, turnMillis)
      else send(49, 1, 4_102_444_800)
    }
    setTimeout(turn, 200)
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
      const [id = "", first = "", second = ""] = held.toString("utf8", 4, 4 + held.readInt32BE(0)).split("\0")
      held = held.subarray(4 + held.readInt32BE(0))
      if (id === "71") {
        send(15, 1, "DU1")
        send(9, 1, 1)
      }
      if (id === "49") send(49, 1, Math.floor(Date.now() / 1000))
      if (id === "1") {
        asked.push(first === "11" ? second : first)
        if (asked.length === lines) begin()
      }
    }
  })
}

interface Measured {
  /** Of one core, at 100,000 messages a second: this thread's processor time by the time in which they are sent. */
  readonly core: number
  readonly seconds: number
}

const measured = (): (() => Measured) => {
  const [cpu, began] = [process.threadCpuUsage(), performance.now()]
  return () => {
    const { system, user } = process.threadCpuUsage(cpu)
    const seconds = (performance.now() - began) / 1_000
    return { core: (user + system) / 1e6 / (messages / 100_000), seconds }
  }
}

const bare = (port: number) =>
  Effect.callback<Measured>((resume) => {
    const api = new IBApi({ host: "127.0.0.1", port, maxReqPerSec: 1_000 })
    let seen = 0
    let done = measured()
    api.on(EventName.nextValidId, () => {
      for (let line = 0; line < lines; line++) {
        const contract = { symbol: `S${line}`, secType: SecType.STK, exchange: "SMART", currency: "USD" }
        api.reqMktData(line + 1, contract, "", false, false)
      }
    })
    const count = () => {
      if (seen === 0) done = measured()
      seen++
    }
    api.on(EventName.tickPrice, count)
    api.on(EventName.tickSize, count)
    api.on(EventName.currentTime, () => {
      api.removeAllListeners()
      api.disconnect()
      resume(Effect.succeed(done()))
    })
    api.connect(1)
  })

const rounds = messages / lines
/** What every line was sent last: prices go in even rounds, sizes in odd ones. */
const last = { bid: Number(priceOf(rounds - 2)), bidSize: sizeOf(rounds - 1) }

const through = (prefix: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const market = yield* MarketStreams
      const streams = Array.from({ length: lines }, (_, index) => ({
        symbol: `${prefix}${index}`,
        kind: "quotes" as const
      }))
      const newest = Array.from({ length: consumers }, () => new Map<number, Ticker>())
      let looks = 0
      for (const held of newest) {
        const { take } = yield* market.subscribe({ vendor: "ibkr", streams }, { policy: { _tag: "latest" } })
        const look = Effect.map(take, (items) => {
          looks++
          for (const { event, stream } of items) {
            const row = event._tag === "Quotes" ? event.rows.at(-1) : undefined
            if (row !== undefined) held.set(stream, row)
          }
        })
        yield* Effect.forkScoped(Effect.forever(look))
      }
      const rows = Effect.map(market.states, (states) =>
        states.reduce((sum, { key, rows }) => sum + (key.symbol.startsWith(prefix) ? rows : 0), 0)
      )
      while ((yield* rows) === 0) yield* Effect.sleep(10)
      const done = measured()
      const settled = () =>
        newest.every(
          (held) =>
            held.size === lines &&
            [...held.values()].every((row) => row.bid === last.bid && row.bidSize === last.bidSize)
        )
      while (!settled()) yield* Effect.sleep(20)
      return { ...done(), rows: yield* rows, looks }
    })
  )

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const bench = Effect.gen(function* () {
  const worker = new Worker(new URL(import.meta.url))
  const port = yield* Effect.promise(() => new Promise<number>((resolve) => worker.once("message", resolve)))
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-conflation-"))
  const listeners: Array<Measured> = []
  const ours: Array<Effect.Success<ReturnType<typeof through>>> = []
  for (let run = 0; run < runs; run++) {
    listeners.push(yield* bare(port))
    const dataDir = join(directory, String(run))
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port }, 1 << 26))
    const config = { ...TapestryConfig.defaults, dataDir, sample: false, vendors: [vendor] }
    const services = Layer.provide(Tapestry.layer({ dataDir, config }), NodeServices.layer)
    ours.push(yield* Effect.provide(through(`L${run}X`), Layer.fresh(services)))
  }
  rmSync(directory, { recursive: true, force: true })
  yield* Effect.promise(() => worker.terminate())
  const row = (what: string, of: ReadonlyArray<Measured>) =>
    `| ${what} | ${Math.round(messages / median(of.map(({ seconds }) => seconds)) / 1_000)}k/s | ${median(of.map(({ core }) => core)).toFixed(2)} |`
  console.log(`| ${messages.toLocaleString("en")} messages of ${lines} lines, sent at 100k/s | taken at | of a core |`)
  console.log("|---|---|---|")
  console.log(row("bare library, a listener that counts", listeners))
  console.log(row(`guard, session, MarketStreams, ${consumers} consumers of all lines`, ours))
  console.log(
    `rows made: ${median(ours.map(({ rows }) => rows)).toLocaleString("en")}; looks of all consumers: ${median(ours.map(({ looks }) => looks)).toLocaleString("en")}; what each showed at the end is what was sent last`
  )
  if (ours.some(({ core }) => core > 1)) process.exitCode = 1
}).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))

if (isMainThread) await Effect.runPromise(bench)
else {
  const server = createServer(serve)
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    parentPort?.postMessage(typeof address === "object" && address !== null ? address.port : 0)
  })
}
