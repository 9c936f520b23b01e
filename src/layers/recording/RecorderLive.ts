/**
 * Recordings of live streams, through the archive into the store.
 *
 * Responsibilities: a session for each recording with the fibers that serve its streams (recordStream.ts), and one that has what they archived
 * stored. Queueing: series that have something to be stored are marked, however much it is; one after another they are stored from the
 * archive, in turn with the batches of everybody else. So a store that is away costs no memory and no row: what it has not, the archive has.
 *
 * Hard cases: a process that dies between the archive and the store (what is archived and not stored is stored by the next recording of the
 * series, or a rebuild); one that is ended while the store is away (it waits ten seconds, and says which series are behind).
 */
import { Cause, Clock, Deferred, Effect, Exit, Latch, Layer, Queue, Stream } from "effect"
import type { JobSpec } from "../../domain/Job.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { BatchProcessor } from "../../services/BatchProcessor.ts"
import { JobQueue } from "../../services/JobQueue.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { MarketStreams, MarketStreamsError, type StreamSelection } from "../../services/MarketStreams.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import {
  type RecordedKind,
  Recorder,
  RecorderError,
  type RecordingEvent,
  type RecordingOptions
} from "../../services/Recorder.ts"
import { builtFrom } from "../streams/builtStream.ts"
import { makeCatchUp } from "./catchUp.ts"
import { recordedSeries } from "./recordedSeries.ts"
import { type RecordedStream, recordStream } from "./recordStream.ts"

/** Words and counts that a reader has not taken; the oldest go for newer ones. They are in the archive. */
const unread = 4_096
const progressEvery = "1 second"
/** How long the store may take for what is left when a recording ends. */
const lastStored = "10 seconds"

const asError = (reason: RecorderError["reason"]) => new RecorderError({ reason })

const kindsOf = (streams: ReadonlyArray<RecordedStream>): ReadonlyArray<RecordedKind> => {
  const kinds = new Map<StreamKind, RecordedKind>()
  for (const { stream, tally } of streams) {
    const sum = kinds.get(stream.kind)
    const { bytes, gaps, missing, rows, segments } = tally
    kinds.set(stream.kind, {
      kind: stream.kind,
      streams: (sum?.streams ?? 0) + 1,
      rows: (sum?.rows ?? 0) + rows,
      gaps: (sum?.gaps ?? 0) + gaps,
      missing: (sum?.missing ?? 0) + missing,
      segments: (sum?.segments ?? 0) + segments,
      bytes: (sum?.bytes ?? 0) + bytes
    })
  }
  return [...kinds.values()]
}

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStreams
  const registry = yield* AdapterRegistry
  const queue = yield* JobQueue
  const catchUp = makeCatchUp({ archive, market: yield* MarketStore, batches: yield* BatchProcessor })

  /** By their sessions, what ends them. */
  const underWay = new Map<number, Deferred.Deferred<void>>()

  const enqueue = (job: JobSpec) =>
    Effect.catch(Effect.asVoid(queue.enqueue(job)), ({ message }) =>
      Effect.logError(`job ${job.key} was not queued: ${message}`)
    )

  const run = Effect.fnUntraced(function* (
    selection: StreamSelection,
    { segmentAge = 60_000, segmentBytes = 4 * 1_048_576, until = Effect.never }: RecordingOptions,
    tell: (event: RecordingEvent) => void
  ) {
    const keys = yield* Effect.mapError(market.keys(selection), asError)
    const adapter = yield* Effect.mapError(registry.streamer(selection.vendor), (reason) =>
      asError(new MarketStreamsError({ reason }))
    )
    const streams = keys.map((stream, index): RecordedStream => {
      const built = stream.timeframe !== null && builtFrom(adapter.stream, stream.timeframe) !== null
      const history = built ? null : adapter.stream.history(stream)
      return {
        stream,
        lateness: adapter.stream.lateness,
        series: recordedSeries(adapter.stream, stream),
        repairable: history !== null && history._tag !== "told",
        phase: (index + 1) / keys.length,
        tally: { rows: 0, gaps: 0, missing: 0, segments: 0, bytes: 0 }
      }
    })
    const session = yield* Effect.mapError(
      archive.openSession({ source: selection.vendor, mode: "stream", asOf: null }),
      asError
    )
    tell({ _tag: "Began", session, streams: keys })

    /** By their texts; each mark is an object of its own, so that one that comes while its series is being stored is not taken for the one before. */
    const behind = new Map<string, { readonly series: SeriesKey }>()
    const awake = Latch.makeUnsafe(true)
    const mark = (series: SeriesKey) => {
      behind.set(canonical(series), { series })
      awake.openUnsafe()
    }
    for (const { series } of streams) if (series !== null) mark(series)
    /** One that fails, or is broken off, stays behind. */
    const storeOne = (text: string, marked: { readonly series: SeriesKey }) =>
      Effect.matchEffect(catchUp(marked.series), {
        onFailure: ({ message }) =>
          Effect.logError(`what was recorded of ${marked.series.symbol} is archived and not stored: ${message}`),
        onSuccess: () =>
          Effect.sync(() => {
            if (behind.get(text) === marked) behind.delete(text)
          })
      })
    const storeAll = Effect.suspend(() =>
      Effect.forEach([...behind], ([text, marked]) => storeOne(text, marked), { discard: true })
    )
    const storing = Effect.forever(
      Effect.andThen(
        awake.await,
        Effect.suspend(() => {
          awake.closeUnsafe()
          return storeAll
        })
      )
    )
    const progress = Effect.forever(
      Effect.andThen(
        Effect.sleep(progressEvery),
        Effect.map(Clock.currentTimeMillis, (at) => tell({ _tag: "Progress", at, kinds: kindsOf(streams) }))
      )
    )

    const stop = yield* Deferred.make<void>()
    underWay.set(session, stop)
    yield* Effect.forkChild(Effect.andThen(until, Deferred.succeed(stop, undefined)))
    const recording = Effect.forEach(
      streams.entries(),
      ([index, stream]) =>
        recordStream(
          {
            archive,
            market,
            session,
            segmentBytes,
            segmentAge,
            stop,
            archived: mark,
            tell: (event) => tell({ _tag: "Word", stream: index, event }),
            enqueue
          },
          stream
        ),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.mapError(asError), Effect.raceFirst(Effect.raceFirst(storing, progress)))

    yield* Effect.onExit(recording, (exit) =>
      Effect.gen(function* () {
        const stopped = Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
        yield* Effect.timeoutOrElse(storeAll, { duration: lastStored, orElse: () => Effect.void })
        yield* Effect.ignore(
          archive.closeSession(session, stopped ? "ok" : "failed", stopped ? null : String(Cause.squash(exit.cause)))
        )
        underWay.delete(session)
        tell({ _tag: "Ended", session, kinds: kindsOf(streams), unstored: [...behind.keys()] })
      })
    )
  })

  return Recorder.of({
    end: (session) =>
      Effect.suspend(() => {
        const stop = underWay.get(session)
        return stop === undefined ? Effect.succeed(false) : Effect.as(Deferred.succeed(stop, undefined), true)
      }),
    record: (selection, options = {}) =>
      Stream.callback<RecordingEvent, RecorderError>(
        (events) =>
          run(selection, options, (event) => {
            Queue.offerUnsafe(events, event)
          }).pipe(Effect.withSpan("Recorder.record"), Effect.andThen(Queue.end(events))),
        { bufferSize: unread, strategy: "sliding" }
      )
  })
})

export const layer: Layer.Layer<
  Recorder,
  never,
  AdapterRegistry | BatchProcessor | JobQueue | MarketStore | MarketStreams | ProvenanceStore
> = Layer.effect(Recorder, make)
