/**
 * Claim: a recording of 300 streams, each with a segment a minute that is durable by itself, takes under a tenth of a core at 1,500 trades a second,
 * and has all of them stored.
 *
 * Run: `npm run bench -- record-segments`; it takes four and a half minutes. Baseline: the same rows of the same streams, each appended as a JSON line to a
 * file of its stream, all of which are synced once a minute: what a script would do. It proves nothing, stores nothing and does not know what it has lost.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Deferred, Effect, Fiber, Layer, References, Stream } from "effect"
import type { RecordSeries } from "../src/domain/records/RecordKind.ts"
import type { Trade } from "../src/domain/records/Trade.ts"
import type { StreamKey } from "../src/domain/streams/StreamKey.ts"
import { allTime } from "../src/domain/TimeRange.ts"
import * as TapestryConfig from "../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../src/layers/Tapestry.ts"
import type { Adapter } from "../src/services/Adapter.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { Recorder, type RecordingEvent } from "../src/services/Recorder.ts"
import { RecordStore } from "../src/services/RecordStore.ts"
import { ownSeconds } from "./support/cpuSplit.ts"
import { pushVendor } from "./support/pushVendor.ts"

const streams = 300
const perSecond = 5
const minute = 60_000
const minutes = 2
const names = Array.from({ length: streams }, (_, index) => `S${index}`)

const trade = (now: number, sequence: number): Trade => ({
  tsNs: BigInt(now) * 1_000_000n,
  price: 450 + (sequence % 97) / 100,
  size: 100 + (sequence % 977),
  venue: "XNAS",
  sequence,
  side: null,
  conditions: null
})

const seriesOf = (symbol: string): RecordSeries => ({
  vendor: "bench",
  dataset: null,
  symbol,
  kind: "trade",
  timeframe: null,
  price: "trade",
  session: "all",
  currency: "USD",
  adjustment: "raw"
})

const pushed = pushVendor(["trades"])
const { stream } = pushed.adapter
if (stream === undefined) throw new Error("the vendor streams")
const vendor: Adapter = {
  ...pushed.adapter,
  stream: { ...stream, series: ({ symbol }: StreamKey) => seriesOf(symbol) }
}

/** Calls `push` for each stream, five times a second, for so many minutes. */
const flowing = (push: (symbol: string, row: Trade) => void) =>
  Effect.gen(function* () {
    const began = performance.now()
    let sequence = 0
    for (let turn = 1; turn <= minutes * 60 * perSecond; turn++) {
      const now = Date.now()
      for (const name of names) push(name, trade(now, sequence++))
      yield* Effect.sleep(Math.max(0, began + (turn * 1_000) / perSecond - performance.now()))
    }
    return sequence
  })

/** What work costs beside what the same rows cost without it. */
const measured = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const cpu = ownSeconds()
    const value = yield* work
    delay.disable()
    return { value, cpu: ownSeconds() - cpu, held: delay.max / 1e6, p99: delay.percentile(99) / 1e6 }
  })

const files = Effect.sync(() => {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
  const open = new Map(names.map((name) => [name, openSync(join(directory, name), "a")]))
  let bytes = 0
  let syncedAt = performance.now()
  const push = (name: string, { tsNs, ...row }: Trade) => {
    const fd = open.get(name) ?? 0
    bytes += writeSync(fd, `${JSON.stringify({ at: Date.now(), tsNs: `${tsNs}`, ...row })}\n`)
    if (name !== names.at(-1) || performance.now() - syncedAt < minute) return
    syncedAt = performance.now()
    for (const file of open.values()) fdatasyncSync(file)
  }
  const close = () => {
    for (const fd of open.values()) {
      fdatasyncSync(fd)
      closeSync(fd)
    }
    rmSync(directory, { recursive: true })
    return bytes
  }
  return { push, close }
})

const recorded = Effect.gen(function* () {
  const recorder = yield* Recorder
  const records = yield* RecordStore
  const enough = yield* Deferred.make<void>()
  const progress: Array<{ readonly at: number; readonly segments: number }> = []
  let last: Extract<RecordingEvent, { readonly _tag: "Ended" }> | null = null
  const recording = yield* recorder
    .record(
      { vendor: "bench", streams: names.map((symbol) => ({ symbol, kind: "trades" })) },
      { until: Deferred.await(enough) }
    )
    .pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Progress") progress.push({ at: event.at, segments: event.kinds[0]?.segments ?? 0 })
          if (event._tag === "Ended") last = event
        })
      ),
      Effect.forkChild({ startImmediately: true })
    )
  yield* Effect.sleep("2 seconds")
  const run = yield* measured(flowing((name, row) => pushed.sink("trades", name)?.row(row)))
  yield* Deferred.succeed(enough, undefined)
  const ending = performance.now()
  yield* Fiber.join(recording)
  const ended = performance.now() - ending
  const stored = yield* Effect.reduce(
    names,
    () => 0,
    (sum: number, name) => Effect.map(records.count(seriesOf(name), allTime), (count) => sum + count)
  )
  return { ...run, last: last as Extract<RecordingEvent, { readonly _tag: "Ended" }> | null, progress, stored, ended }
})

const main = Effect.gen(function* () {
  const baseline = yield* Effect.gen(function* () {
    const { close, push } = yield* files
    const run = yield* measured(flowing(push))
    return { ...run, bytes: close() }
  })
  const dataDir = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
  const ours = yield* recorded.pipe(
    Effect.provide(
      Layer.effectDiscard(
        Effect.flatMap(AdapterRegistry, (registry) => registry.register(Effect.succeed(vendor)))
      ).pipe(Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...TapestryConfig.defaults, dataDir } })))
    ),
    Effect.ensuring(Effect.sync(() => rmSync(dataDir, { recursive: true })))
  )
  const kind = ours.last?.kinds[0]
  const rows = ours.value
  const core = (cpu: number) => `${((100 * cpu) / (minutes * 60)).toFixed(1)} % of a core`
  console.log(`${streams} streams, ${streams * perSecond} trades/s, ${minutes} minutes, a segment a stream a minute`)
  const held = (run: { held: number; p99: number }) =>
    `event loop held ${run.held.toFixed(0)} ms at most, p99 ${run.p99.toFixed(0)} ms`
  console.log(
    `files, synced once a minute   ${core(baseline.cpu)}   ${(baseline.bytes / 1e6).toFixed(1)} MB   ${held(baseline)}`
  )
  console.log(
    `recorded, archived and stored ${core(ours.cpu)}   ${((kind?.bytes ?? 0) / 1e6).toFixed(1)} MB in ${kind?.segments} segments   ${held(ours)}`
  )
  console.log(`ratio of processor time ${(ours.cpu / baseline.cpu).toFixed(1)}`)
  const steps = ours.progress.map(({ segments }, index) => segments - (ours.progress[index - 1]?.segments ?? 0))
  console.log(
    `archive: ${(steps.reduce((sum, step) => sum + step, 0) / steps.length).toFixed(1)} segments/s on average, ${Math.max(...steps)} in the busiest second; all ended in ${ours.ended.toFixed(0)} ms`
  )
  console.log(
    `rows: ${rows} pushed, ${kind?.rows} recorded, ${ours.stored} stored, unstored series: ${ours.last?.unstored.length}`
  )
  if (kind?.rows !== rows || ours.stored !== rows) process.exitCode = 1
}).pipe(Effect.provide(NodeServices.layer), Effect.provideService(References.MinimumLogLevel, "Warn"))

await Effect.runPromise(Effect.scoped(main))
