/**
 * Claims: MarketStreams gives one lossless consumer 300,000 trades a second and more; 100 consumers that want what holds get it at 100,000 ticks
 * a second and more of 100 instruments, and hold nothing of what they have not looked at; an idle subscription costs under 20 kB.
 *
 * Run: `npm run bench -- streams-fanout`. Baseline: a listener on an EventEmitter that counts, given the same rows in the same bursts of 1,000 a turn of
 * the event loop; what arrives at it is the row itself, on no schedule. All rates are medians of five runs in this process, one after the other.
 */
import { EventEmitter } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Duration, Effect, Fiber, Layer, References, Scope } from "effect"
import type { Trade } from "../src/domain/records/Trade.ts"
import { isRows } from "../src/domain/streams/StreamEvent.ts"
import type { StreamKind } from "../src/domain/streams/StreamKind.ts"
import type { StreamRow, Ticker } from "../src/domain/streams/StreamRow.ts"
import { unlimited } from "../src/domain/VendorLimits.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import type { Adapter } from "../src/services/Adapter.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { MarketStreams, type Subscription } from "../src/services/MarketStreams.ts"
import type { StreamSink } from "../src/services/StreamCapability.ts"
import { ownSeconds } from "./support/cpuSplit.ts"

const runs = 5
const burst = 1_000
const trades = 2_000_000
const ticks = 1_000_000
const instruments = 100
const consumers = 100
const idle = 10_000

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")
const heap = (): number => {
  for (let turn = 0; turn < 4; turn++) collect()
  return process.memoryUsage().heapUsed
}

const began = 1_700_000_000_000_000_000n
const trade = (index: number): Trade => ({
  tsNs: began + BigInt(index) * 3_000n,
  price: 450 + (index % 97) / 100,
  size: 100 + (index % 977),
  venue: "XNAS",
  sequence: index,
  side: null,
  conditions: null
})
const ticker = (index: number): Ticker => ({
  tsNs: began + BigInt(index) * 3_000n,
  bid: 450 + (index % 97) / 100,
  bidSize: 100,
  ask: 450.01 + (index % 97) / 100,
  askSize: 200,
  venue: null,
  sequence: null,
  conditions: null,
  last: 450,
  lastSize: 100,
  volume: index,
  open: null,
  high: null,
  low: null,
  previousClose: null
})

/** A vendor that sends what it is told to. */
const sinks = new Map<string, StreamSink>()
const vendor: Adapter = {
  name: "bench",
  type: "bench",
  description: "pushes rows",
  account: "bench",
  limits: unlimited,
  symbols: Effect.succeed([]),
  ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "" }),
  stream: {
    kinds: ["quotes", "trades"],
    timeframes: [],
    lateness: 0,
    key: ({ kind, symbol }) => Effect.succeed({ vendor: "bench", symbol, kind, timeframe: null, params: {} }),
    open: ({ symbol }, sink) =>
      Effect.sync(() => {
        sinks.set(symbol, sink)
        sink.event({ _tag: "Started", at: Number(began / 1_000_000n) })
      }),
    silence: () => null,
    history: () => null,
    series: () => null
  }
}

/** Calls `push` with every index, so many a turn. */
const inBursts = (count: number, push: (index: number) => void): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    let index = 0
    const turn = () => {
      const end = Math.min(count, index + burst)
      for (; index < end; index++) push(index)
      if (index === count) resume(Effect.void)
      else setImmediate(turn)
    }
    setImmediate(turn)
  })

const timed = <A, E, R>(count: number, work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    collect()
    const [start, cpu] = [performance.now(), ownSeconds()]
    yield* work
    return { rate: (count * 1_000) / (performance.now() - start), cpu: ownSeconds() - cpu }
  })

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const thousands = (rate: number): string => `${Math.round(rate / 1_000).toLocaleString("en")}k/s`

const rows = Array.from({ length: trades }, (_, index) => trade(index))
const quotes = Array.from({ length: ticks }, (_, index) => ticker(index))
const names = Array.from({ length: instruments }, (_, index) => `S${index}`)

/** Takes until it has been given so many rows. */
const counting = (subscription: Subscription, count: number) =>
  Effect.gen(function* () {
    let seen = 0
    while (seen < count) {
      for (const { event } of yield* subscription.take) if (isRows(event)) seen += event.rows.length
    }
  })

const subscribe = (kind: StreamKind, symbols: ReadonlyArray<string>) =>
  MarketStreams.use((market) =>
    market.subscribe({ vendor: "bench", streams: symbols.map((symbol) => ({ symbol, kind })) })
  )
const ready = Effect.sleep("20 millis")
/** Upstreams that nobody wants any more are gone, too. */
const lingered = Effect.sleep("2500 millis")

const baseline = Effect.gen(function* () {
  const emitter = new EventEmitter()
  let seen = 0
  emitter.on("trade", () => {
    seen++
  })
  yield* inBursts(trades, (index) => emitter.emit("trade", rows[index]))
  if (seen !== trades) yield* Effect.die("the listener missed rows")
})

/** The same emitter in front, as a vendor's library has it. */
const lossless = Effect.scoped(
  Effect.gen(function* () {
    const subscription = yield* subscribe("trades", ["SPY"])
    yield* ready
    const sink = sinks.get("SPY")
    const emitter = new EventEmitter()
    emitter.on("trade", (row: StreamRow) => sink?.row(row))
    return yield* timed(
      trades,
      Effect.all([counting(subscription, trades), inBursts(trades, (index) => emitter.emit("trade", rows[index]))], {
        concurrency: "unbounded"
      })
    )
  })
)

const latest = Effect.scoped(
  Effect.gen(function* () {
    const subscriptions = yield* Effect.forEach(Array.from({ length: consumers }), () => subscribe("quotes", names))
    yield* ready
    let woken = 0
    const readers = yield* Effect.forEach(subscriptions, ({ take }) =>
      Effect.forkScoped(
        Effect.forever(
          Effect.map(take, () => {
            woken++
          })
        )
      )
    )
    const targets = names.map((name) => sinks.get(name))
    const result = yield* timed(
      ticks,
      inBursts(ticks, (index) => {
        const row = quotes[index]
        if (row !== undefined) targets[index % instruments]?.row(row)
      })
    )
    yield* Effect.forEach(readers, Fiber.interrupt, { discard: true })
    return { ...result, woken }
  })
)

/** What consumers hold that have looked at nothing while a million ticks came. */
const unread = (count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.forEach(Array.from({ length: count }), () => subscribe("quotes", names))
      yield* ready
      const before = heap()
      const targets = names.map((name) => sinks.get(name))
      yield* inBursts(ticks, (index) => {
        const row = quotes[index]
        if (row !== undefined) targets[index % instruments]?.row(row)
      })
      yield* ready
      return heap() - before
    })
  )

/** Bytes that one more costs: the slope of the heap over the second half of them, which is when what all share is there. */
const idleCost = (symbolOf: (index: number) => string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const sizes: Array<number> = []
      for (let step = 0; step < 4; step++) {
        for (let index = 0; index < idle / 4; index++) {
          const own = yield* Scope.fork(scope)
          const { take } = yield* Scope.provide(subscribe("quotes", [symbolOf((step * idle) / 4 + index)]), own)
          yield* Effect.forkIn(Effect.forever(take), own)
        }
        yield* Effect.sleep("300 millis")
        sizes.push(heap())
      }
      return ((sizes[3] ?? 0) - (sizes[1] ?? 0)) / (idle / 2)
    })
  ).pipe(Effect.tap(lingered))

const program = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  yield* registry.register(Effect.succeed(vendor))
  const bare: Array<number> = []
  const ours: Array<{ readonly rate: number; readonly cpu: number }> = []
  const many: Array<{ readonly rate: number; readonly cpu: number; readonly woken: number }> = []
  for (let run = 0; run <= runs; run++) {
    const listener = yield* timed(trades, baseline)
    const one = yield* lossless
    const all = yield* latest
    // The first warms up.
    if (run === 0) continue
    bare.push(listener.rate)
    ours.push(one)
    many.push(all)
  }
  const rate = median(ours.map((run) => run.rate))
  const listener = median(bare)
  console.log(
    `${trades.toLocaleString("en")} trades to one lossless consumer: ${thousands(rate)} (${((median(ours.map(({ cpu }) => cpu)) * 1e9) / trades).toFixed(0)} ns of processor each)`
  )
  console.log(
    `  baseline, a listener on an EventEmitter that counts: ${thousands(listener)}; ratio ${(rate / listener).toFixed(2)}`
  )
  console.log(
    `${ticks.toLocaleString("en")} ticks of ${instruments} instruments to ${consumers} consumers with policy latest: ${thousands(median(many.map((run) => run.rate)))} upstream (${((median(many.map(({ cpu }) => cpu)) * 1e9) / ticks).toFixed(0)} ns of processor each, ${Math.round(median(many.map(({ woken }) => woken))).toLocaleString("en")} looks)`
  )
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`
  yield* lingered
  yield* unread(1)
  yield* lingered
  const [alone, crowd] = [yield* unread(1), yield* unread(consumers)]
  console.log(
    `held after ${ticks.toLocaleString("en")} ticks that nobody looked at: ${kib(alone)} with 1 consumer, ${kib(crowd)} with ${consumers}`
  )
  yield* lingered
  yield* idleCost((index) => `W${index}`)
  console.log(
    `idle subscription, slope over ${idle.toLocaleString("en")} after gc: ${((yield* idleCost(() => "ONE")) / 1000).toFixed(2)} kB of one stream, ${((yield* idleCost((index) => `I${index}`)) / 1000).toFixed(2)} kB each with a stream of its own`
  )
})

const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-streams-"))
const services = Tapestry.layer({
  dataDir: directory,
  config: { ...TapestryConfig.defaults, dataDir: directory, sample: false }
}).pipe(Layer.provide(NodeServices.layer))
await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(services), Effect.provideService(References.MinimumLogLevel, "Error"))
).finally(() => rmSync(directory, { recursive: true, force: true }))
