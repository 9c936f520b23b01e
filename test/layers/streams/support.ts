/** Live streams of a model vendor over a data directory, consumers that write down what they get, and the truth to compare it with. */
import { assert } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { isRows, type StreamEvent, type StreamItem } from "../../../src/domain/streams/StreamEvent.ts"
import type { StreamKey, StreamQuery } from "../../../src/domain/streams/StreamKey.ts"
import { millisOf, type StreamRow, shapeOf } from "../../../src/domain/streams/StreamRow.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as JobQueueLive from "../../../src/layers/jobs/JobQueueLive.ts"
import * as MarketStreamsLive from "../../../src/layers/streams/MarketStreamsLive.ts"
import * as StreamRepairJobs from "../../../src/layers/streams/StreamRepairJobs.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStreams, type MarketStreamsError, type SubscribeOptions } from "../../../src/services/MarketStreams.ts"
import { fresh, settled } from "../stitching/support.ts"

/** When the tests begin. */
export const began = Date.UTC(2024, 2, 1, 10)
export const second = 1_000

export const trades = (symbol = "ALPHA"): StreamQuery => ({ symbol, kind: "trades" })
export const quotes = (symbol = "ALPHA"): StreamQuery => ({ symbol, kind: "quotes" })
export const bars = (symbol = "ALPHA"): StreamQuery => ({ symbol, kind: "bars", timeframe: "5s" })

export const vendorOf = (
  stream: ModelVendor.ModelVendorOptions["stream"] = {},
  options: Omit<ModelVendor.ModelVendorOptions, "stream"> = {}
) => ModelVendor.make({ ...options, stream: stream ?? {} })

export const over = (vendor: ModelVendor.ModelVendor, options: MarketStreamsLive.MarketStreamsOptions = {}) =>
  Layer.merge(MarketStreamsLive.layer(options), StreamRepairJobs.layer).pipe(
    Layer.provideMerge(JobQueueLive.layer({ workflows: null })),
    Layer.provideMerge(fresh(vendor.adapter)),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Fatal"))
  )

/** Moves the clock on, and lets everything run in between that does not wait for it. */
export const pass = Effect.fnUntraced(function* (millis: number, step = 250) {
  for (let left = millis; left > 0; left -= step) {
    yield* TestClock.adjust(Math.min(step, left))
    yield* settled
  }
})

export const atStart = Effect.andThen(TestClock.setTime(began), settled)

/** A consumer that takes whatever comes as soon as it comes. */
export interface Recorder {
  readonly items: Array<StreamItem>
  readonly keys: ReadonlyArray<StreamKey>
  /** What it failed with; null while it has not. */
  failure: MarketStreamsError | null
  ended: boolean
}

/** Records until the scope closes. */
export const record = Effect.fnUntraced(function* (
  streams: ReadonlyArray<StreamQuery>,
  options?: SubscribeOptions,
  vendor = "model"
) {
  const market = yield* MarketStreams
  const subscription = yield* market.subscribe({ vendor, streams }, options)
  const recorder: Recorder = { items: [], keys: subscription.keys, failure: null, ended: false }
  const take = Effect.gen(function* () {
    for (;;) {
      const items = yield* subscription.take
      if (items.length === 0) break
      recorder.items.push(...items)
    }
    recorder.ended = true
  })
  yield* take.pipe(
    Effect.catch((error) =>
      Effect.sync(() => {
        recorder.failure = error
      })
    ),
    Effect.forkScoped
  )
  yield* settled
  return recorder
})

export const eventsOf = ({ items }: Recorder, stream = 0): ReadonlyArray<StreamEvent> =>
  items.filter((item) => item.stream === stream).map(({ event }) => event)

/** Rows in the order in which they came, those of snapshots left out. */
export const rowsOf = (recorder: Recorder, stream = 0): ReadonlyArray<StreamRow> =>
  eventsOf(recorder, stream).flatMap((event) => (isRows(event) && !event.snapshot ? [...event.rows] : []))

export const tags = (recorder: Recorder, stream = 0): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (const { _tag } of eventsOf(recorder, stream)) if (names.at(-1) !== _tag) names.push(_tag)
  return names
}

/** The range about which a consumer was promised to be told all, and the parts of it that it was told are missing. */
export const promised = (recorder: Recorder, stream = 0) => {
  let start: number | null = null
  let end = Number.NEGATIVE_INFINITY
  const missing: Array<TimeRange> = []
  for (const event of eventsOf(recorder, stream)) {
    if (event._tag === "Started") start ??= event.through
    if (isRows(event) && event.through !== null) end = Math.max(end, event.through)
    if (event._tag === "Unrepairable") missing.push({ start: event.from, end: event.to })
    if (event._tag === "Unrepairable" || event._tag === "Repaired") end = Math.max(end, event.to)
  }
  return { range: start === null || start >= end ? null : { start, end }, missing }
}

/**
 * What a consumer was told is the truth, over all of the range that it was promised but what it was told is missing: no row too few, none too
 * many, none twice. In time order where the vendor sends in order.
 */
export const isTrue = (vendor: ModelVendor.ModelVendor, recorder: Recorder, stream = 0, inOrder = true): number => {
  const key = recorder.keys[stream]
  const { missing, range } = promised(recorder, stream)
  if (key === undefined || range === null) return 0
  const { compare, identity } = shapeOf(key.kind)
  const counts = (row: StreamRow) => {
    const millis = millisOf(row)
    return (
      range.start <= millis && millis < range.end && !missing.some(({ end, start }) => start <= millis && millis < end)
    )
  }
  const told = rowsOf(recorder, stream)
  if (inOrder) assert.deepStrictEqual(told, told.slice().sort(compare))
  const truth = (vendor.stream?.truth(key, range) ?? []).filter(counts).map(identity)
  assert.deepStrictEqual(told.filter(counts).map(identity).sort(), truth.sort())
  return truth.length
}
