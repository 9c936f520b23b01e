/**
 * Claim: a session that loses its gateway with 100 lines of quotes open has asked for all of them again, and had a first tick of each, in under four
 * seconds from the loss, at 40 requests a second, and the gateway never sees more than 50 messages in a second.
 *
 * Run: `npm run bench -- ibkr-reconnect`. The gateway is the simulator in a thread of its own, on a running clock; it counts what arrives. Baselines:
 * the pacing limit itself (100 requests at 40 a second are 2.5 s), and the bare library, which asks for the same lines at 40 a second of its own
 * limiter, from its order number to the last first tick. Medians of five losses, each of a session that was not lost before.
 */
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import { EventName, IBApi, SecType } from "@stoqey/ib"
import { Effect, References, Result, Stream } from "effect"
import * as IbkrSessionLive from "../src/layers/adapters/ibkr/IbkrSessionLive.ts"
import * as IbkrStream from "../src/layers/adapters/ibkr/IbkrStream.ts"
import { resolveVendor, sessionOptions } from "../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as GatewaySimulator from "../src/layers/testing/gateway/GatewaySimulator.ts"
import type { StreamSink } from "../src/services/StreamCapability.ts"
import { ownSeconds } from "./support/cpuSplit.ts"

const runs = 5
const count = 100
const rate = 40
const limit = count / rate
const symbols = Array.from({ length: count }, (_, index) => `SIM${String(index).padStart(4, "0")}`)

/** What the gateway saw of the connection that is open. */
interface Seen {
  readonly open: number
  readonly peak: number
}

const gatewayThread = Effect.gen(function* () {
  const gateway = yield* GatewaySimulator.make({ clock: { speed: 1 }, hours: "always" })
  parentPort?.on("message", (order: "drop" | "look") => {
    if (order === "drop") {
      Effect.runFork(
        Effect.andThen(
          gateway.inject({ _tag: "Drop", how: "rst" }),
          Effect.sync(() => parentPort?.postMessage("dropped"))
        )
      )
      return
    }
    const [client] = gateway.clients()
    const seen: Seen = { open: client?.open.length ?? 0, peak: client?.peakRequests ?? 0 }
    parentPort?.postMessage(seen)
  })
  parentPort?.postMessage(gateway.port)
  return yield* Effect.never
})

const reply = <A>(worker: Worker): Promise<A> => new Promise((resolve) => worker.once("message", resolve))

const asked = <A>(worker: Worker, order: "drop" | "look") =>
  Effect.promise(() => {
    const answer = reply<A>(worker)
    worker.postMessage(order)
    return answer
  })

/** A promise for the instant at which every one of so many has come once, and the function to tell of one. */
const allOf = (wanted: number) => {
  const had = new Set<number>()
  let told: (at: number) => void = () => {}
  const all = new Promise<number>((resolve) => {
    told = resolve
  })
  const one = (index: number) => {
    had.add(index)
    if (had.size === wanted) told(performance.now())
  }
  return { all, one }
}

/** Seconds from the order number to a tick of each line, with the library's own limiter. */
const bare = (port: number) =>
  Effect.callback<number>((resume) => {
    const api = new IBApi({ host: "127.0.0.1", port, maxReqPerSec: rate })
    const { all, one } = allOf(count)
    let began = 0
    api.on(EventName.nextValidId, () => {
      began = performance.now()
      for (const [index, symbol] of symbols.entries()) {
        api.reqMktData(index, { symbol, secType: SecType.STK, exchange: "SMART", currency: "USD" }, "", false, false)
      }
    })
    api.on(EventName.tickPrice, one)
    api.connect(1)
    void all.then((at) => {
      api.removeAllListeners()
      api.disconnect()
      resume(Effect.succeed((at - began) / 1000))
    })
  })

interface Loss {
  readonly fromLoss: number
  readonly fromReady: number
  readonly peak: number
}

const lose = (port: number, worker: Worker) =>
  Effect.scoped(
    Effect.gen(function* () {
      const vendor = Result.getOrThrow(
        resolveVendor("ibkr", { port, requestsPerSecond: rate, resets: "none" }, 1 << 26)
      )
      const session = yield* IbkrSessionLive.make(sessionOptions(vendor))
      const stream = yield* IbkrStream.make({ vendor: "ibkr", session, rest: vendor.rest })
      let first = allOf(count)
      yield* Effect.forEach(
        symbols,
        Effect.fnUntraced(function* (symbol, index) {
          const sink: StreamSink = { row: () => first.one(index), rows: () => {}, event: () => {} }
          yield* stream.open(yield* stream.key({ symbol, kind: "quotes" }), sink)
        }),
        { concurrency: "unbounded" }
      )
      yield* Effect.promise(() => first.all)
      let readyAt = 0
      yield* Effect.forkScoped(
        Stream.runForEach(session.events, (event) =>
          Effect.sync(() => {
            if (event._tag === "Connected") readyAt = performance.now()
          })
        ),
        { startImmediately: true }
      )
      first = allOf(count)
      const dropped = performance.now()
      yield* asked(worker, "drop")
      const at = yield* Effect.promise(() => first.all)
      const { open, peak } = yield* asked<Seen>(worker, "look")
      if (open !== count) return yield* Effect.die(new Error(`the gateway has ${open} lines`))
      const loss: Loss = { fromLoss: (at - dropped) / 1000, fromReady: (at - readyAt) / 1000, peak }
      return loss
    })
  )

const sorted = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)
const median = (values: ReadonlyArray<number>): number => sorted(values)[values.length >> 1] ?? 0
const seconds = (values: ReadonlyArray<number>): string =>
  `${median(values).toFixed(2)} s | ${(sorted(values).at(-1) ?? 0).toFixed(2)} s`

const bench = Effect.gen(function* () {
  const worker = new Worker(new URL(import.meta.url))
  const port = yield* Effect.promise(() => reply<number>(worker))
  const losses: Array<Loss> = []
  const library: Array<number> = []
  const before = ownSeconds()
  for (let run = 0; run < runs; run++) {
    library.push(yield* bare(port))
    losses.push(yield* lose(port, worker))
  }
  const cpu = ownSeconds() - before
  yield* Effect.promise(() => worker.terminate())
  const ready = losses.map(({ fromReady }) => fromReady)
  console.log(`| ${count} lines of quotes, ${rate} requests a second | median | worst of ${runs} |`)
  console.log("|---|---|---|")
  console.log(`| the pacing limit itself | ${limit.toFixed(2)} s | |`)
  console.log(`| bare library: order number to the last first tick | ${seconds(library)} |`)
  console.log(`| session: ready to the last first tick | ${seconds(ready)} |`)
  console.log(
    `| session: loss to the last first tick, its pause included | ${seconds(losses.map((l) => l.fromLoss))} |`
  )
  console.log(
    `most messages in a second, as the gateway saw them: ${Math.max(...losses.map(({ peak }) => peak))} (IB: 50)`
  )
  console.log(
    `ratio to the pacing limit, from ready: ${(median(ready) / limit).toFixed(2)}; to the bare library: ${(median(ready) / median(library)).toFixed(2)}; processor time of the client and its gateway: ${cpu.toFixed(1)} s`
  )
}).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))

if (isMainThread) await Effect.runPromise(bench)
else await Effect.runPromise(Effect.scoped(gatewayThread))
