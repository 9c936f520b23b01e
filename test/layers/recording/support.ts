/** Recordings of a model vendor's live streams over a data directory, in the time of the test's clock. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Deferred, Effect, Fiber, Layer, References, Stream } from "effect"
import type { RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import type { StreamQuery } from "../../../src/domain/streams/StreamKey.ts"
import { allTime } from "../../../src/domain/TimeRange.ts"
import * as BatchProcessorLive from "../../../src/layers/batch/BatchProcessorLive.ts"
import * as ImportsLive from "../../../src/layers/imports/ImportsLive.ts"
import * as JobQueueLive from "../../../src/layers/jobs/JobQueueLive.ts"
import * as RecorderLive from "../../../src/layers/recording/RecorderLive.ts"
import * as MarketStreamsLive from "../../../src/layers/streams/MarketStreamsLive.ts"
import * as StreamRepairJobs from "../../../src/layers/streams/StreamRepairJobs.ts"
import type * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import {
  Recorder,
  type RecorderError,
  type RecordingEvent,
  type RecordingOptions
} from "../../../src/services/Recorder.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { settled, over as stitching } from "../stitching/support.ts"
import { pass } from "../streams/support.ts"

/** All that a recording needs, over a directory that exists. */
export const over = (
  directory: string,
  vendor: ModelVendor.ModelVendor,
  options: MarketStreamsLive.MarketStreamsOptions = {},
  stores: Parameters<typeof stitching>[2] = {}
) =>
  Layer.merge(RecorderLive.layer, StreamRepairJobs.layer).pipe(
    Layer.provideMerge(MarketStreamsLive.layer(options)),
    Layer.provideMerge(JobQueueLive.layer({ workflows: null })),
    Layer.provideMerge(BatchProcessorLive.layer({ deadLetters: `${directory}/dead-letters.ndjson` })),
    Layer.provideMerge(ImportsLive.layer),
    Layer.provideMerge(stitching(directory, [vendor.adapter], stores)),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Fatal")),
    Layer.fresh
  )

export const seriesOf = (vendor: ModelVendor.ModelVendor, kind: "trades" | "quotes", symbol = "ALPHA") =>
  vendor.adapter.stream?.series({ vendor: "model", symbol, kind, timeframe: null, params: {} }) as RecordSeries

/** Records for so many milliseconds, and what was told of it. */
export const recorded = Effect.fnUntraced(function* (
  streams: ReadonlyArray<StreamQuery>,
  millis: number,
  options: RecordingOptions = {},
  meanwhile: Effect.Effect<unknown> = Effect.void
): Effect.fn.Return<ReadonlyArray<RecordingEvent>, RecorderError, Recorder> {
  const recorder = yield* Recorder
  const enough = yield* Deferred.make<void>()
  const events: Array<RecordingEvent> = []
  const fiber = yield* recorder
    .record({ vendor: "model", streams }, { segmentAge: 5_000, ...options, until: Deferred.await(enough) })
    .pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.forkChild({ startImmediately: true })
    )
  yield* settled
  yield* pass(millis)
  yield* meanwhile
  yield* Deferred.succeed(enough, undefined)
  // What it ends with goes through the archive, turn by turn.
  for (let turns = 0; turns < 200 && fiber.pollUnsafe() === undefined; turns++) yield* settled
  yield* Fiber.join(fiber)
  return events
})

/** All that the store says of a series: rows with where they came from, and coverage. */
export const storedOf = Effect.fnUntraced(function* (series: RecordSeries) {
  const records = yield* RecordStore
  const market = yield* MarketStore
  return {
    rows: yield* Stream.runCollect(records.storedRows(series, allTime)),
    coverage: yield* market.coverage(series, allTime)
  }
})
