/**
 * Live data of the vendors of the registry, in this process.
 *
 * Responsibilities: consumers and what they are connected to; one topic a key (OpenTopics.ts), from the first consumer until some time after the last
 * has left. Queueing: none of its own; see Topic.ts and Backlog.ts. The history of a gap waits in the quota like any other request.
 *
 * Hard cases: two that subscribe at once to a key that nobody has (one topic); a subscription of many streams of which one cannot be had (nothing of it
 * stays); the layer's end while consumers wait (they are told Closed, and that another attempt may succeed).
 */
import { Clock, Effect, Exit, FiberSet, Layer, Scope, Stream } from "effect"
import type { JobSpec } from "../../domain/Job.ts"
import { type ConsumerPolicy, defaultPolicy } from "../../domain/streams/ConsumerPolicy.ts"
import type { StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey, StreamQuery } from "../../domain/streams/StreamKey.ts"
import { isTape } from "../../domain/streams/StreamKind.ts"
import type { VendorError } from "../../services/Adapter.ts"
import { AdapterRegistry, type AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import { IngestSession } from "../../services/IngestSession.ts"
import { JobQueue } from "../../services/JobQueue.ts"
import {
  KindNotStreamed,
  MarketStreams,
  MarketStreamsError,
  type StreamSelection,
  type SubscribeOptions,
  type Subscription,
  TooManyStreams
} from "../../services/MarketStreams.ts"
import { Quota } from "../../services/Quota.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import type { StreamCapability } from "../../services/StreamCapability.ts"
import { builtFrom, builtStream } from "./builtStream.ts"
import { Consumer } from "./Consumer.ts"
import { OpenTopics } from "./OpenTopics.ts"
import { showConsumers, showTally } from "./streamMetrics.ts"
import { emptyTally, type Tally } from "./Tally.ts"
import * as Turns from "./Turns.ts"

/** Durations are milliseconds. */
export interface MarketStreamsOptions {
  /** How long an upstream is kept after the last consumer has left; 2,000 unless given. */
  readonly linger?: number
  /** Rows of a tape that are held while those of a gap are fetched; 100,000 unless given. */
  readonly held?: number
  /** How long the rows of a gap are waited for, while those that come live wait behind them; a minute unless given. */
  readonly repairPatience?: number
  /** Rows that a gap may have to be repaired in band; 1,000,000 unless given. */
  readonly repairRows?: number
  /** The pause before an upstream that ended is opened again; it doubles up to `reopenMost`. A second, and half a minute, unless given. */
  readonly reopenLeast?: number
  readonly reopenMost?: number
}

type Services = AdapterRegistry | IngestSession | StitchingCache | Quota | JobQueue

/** Streams that one subscription may have. */
const mostStreams = 10_000

const policyOf = (queries: ReadonlyArray<StreamQuery>): ConsumerPolicy =>
  defaultPolicy((queries.find(({ kind }) => isTape(kind)) ?? queries[0])?.kind ?? "quotes")

const make = Effect.fnUntraced(function* (options: MarketStreamsOptions) {
  const { held = 100_000, linger = 2_000, reopenLeast = 1_000, reopenMost = 30_000 } = options
  const registry = yield* AdapterRegistry
  const queue = yield* JobQueue
  const scope = yield* Effect.scope
  const turns = yield* Turns.make
  const background = yield* FiberSet.makeRuntime<never>()
  const tallies = new Map<string, Tally>()
  const consumers = new Set<Consumer>()
  yield* showConsumers(
    () => consumers.size,
    () => Array.from(consumers).reduce((sum, consumer) => sum + consumer.depth, 0)
  )

  /** Bars that the vendor does not stream are made of those that it does. */
  const streamer = Effect.fnUntraced(function* ({ timeframe, vendor }: StreamKey) {
    const adapter = yield* registry.streamer(vendor)
    if (timeframe === null || builtFrom(adapter.stream, timeframe) === null) return adapter
    return { ...adapter, stream: builtStream(adapter.stream, itemsOf) }
  })

  const clock = yield* Clock.Clock
  const topics = new OpenTopics({
    context: yield* Effect.context<never>(),
    streamer,
    linger,
    now: () => clock.currentTimeMillisUnsafe(),
    repairs: { ingest: yield* IngestSession, cache: yield* StitchingCache, quota: yield* Quota },
    turns,
    bounds: { patience: options.repairPatience ?? 60_000, rows: options.repairRows ?? 1_000_000 },
    pauses: { least: reopenLeast, most: reopenMost },
    held,
    log: (line) => {
      background(line)
    },
    enqueue: (job: JobSpec) => {
      const queued = Effect.asVoid(queue.enqueue(job))
      background(Effect.catch(queued, ({ message }) => Effect.logError(`job ${job.key} was not queued`, message)))
    }
  })

  yield* Effect.addFinalizer(() => topics.close)

  const tallyOf = ({ kind, vendor }: StreamKey): Effect.Effect<Tally> =>
    Effect.suspend(() => {
      const name = `${vendor}/${kind}`
      const known = tallies.get(name)
      if (known !== undefined) return Effect.succeed(known)
      const tally = emptyTally()
      tallies.set(name, tally)
      return Effect.as(Scope.provide(showTally(vendor, kind, tally), scope), tally)
    })

  /** As the vendor has it, or, of bars that it does not stream, as those that it does make it. */
  const keyIn = (stream: StreamCapability, query: StreamQuery): Effect.Effect<StreamKey, VendorError> => {
    const { timeframe } = query
    if (query.kind !== "bars" || timeframe === undefined) return stream.key(query)
    return Effect.catch(stream.key(query), (error) => {
      // Asked for only now: who has to look first which it has knows by now.
      const part = builtFrom(stream, timeframe)
      return part === null
        ? Effect.fail(error)
        : Effect.map(stream.key({ ...query, timeframe: part }), (key) => ({ ...key, timeframe }))
    })
  }

  const keysOf = Effect.fnUntraced(function* ({
    streams,
    vendor
  }: StreamSelection): Effect.fn.Return<
    ReadonlyArray<StreamKey>,
    KindNotStreamed | TooManyStreams | VendorError | AdapterRegistryError
  > {
    if (streams.length === 0 || streams.length > mostStreams) {
      return yield* new TooManyStreams({ streams: streams.length, limit: mostStreams })
    }
    const { stream } = yield* registry.streamer(vendor)
    return yield* Effect.forEach(
      streams,
      (query): Effect.Effect<StreamKey, KindNotStreamed | VendorError> =>
        stream.kinds.includes(query.kind)
          ? keyIn(stream, query)
          : Effect.fail(new KindNotStreamed({ vendor, kind: query.kind, kinds: stream.kinds }))
    )
  })

  const connect = Effect.fnUntraced(
    function* (selection: StreamSelection, { policy = policyOf(selection.streams) }: SubscribeOptions = {}) {
      const keys = yield* keysOf(selection)
      const consumer = new Consumer(policy, turns)
      const had: Array<ReturnType<typeof topics.use>> = []
      const leave = Effect.sync(() => {
        consumers.delete(consumer)
        consumer.leave()
        for (const one of had.splice(0)) topics.letGo(one)
      })
      const use = Effect.fnUntraced(function* (key: StreamKey) {
        const adapter = yield* streamer(key)
        const tally = yield* tallyOf(key)
        if (topics.isClosed) return yield* Effect.interrupt
        had.push(topics.use(key, adapter, tally))
      })
      const own = yield* Effect.scope
      yield* Effect.forEach(keys, use, { discard: true }).pipe(
        Effect.onExit((exit) => {
          if (Exit.isFailure(exit)) return leave
          consumers.add(consumer)
          for (const { topic } of had) topic.join(consumer)
          return Scope.addFinalizer(own, leave)
        })
      )
      // The same objects for all who have a stream.
      return { keys: had.map(({ topic }) => topic.key), consumer }
    },
    Effect.mapError((reason) => new MarketStreamsError({ reason }))
  )

  /** Every row of one stream, for what is made of it. */
  const itemsOf = ({
    kind,
    params,
    symbol,
    timeframe,
    vendor
  }: StreamKey): Stream.Stream<StreamItem, MarketStreamsError> =>
    Stream.unwrap(
      Effect.map(
        connect(
          { vendor, streams: [{ symbol, kind, params, ...(timeframe === null ? {} : { timeframe }) }] },
          { policy: { _tag: "lossless", rows: held } }
        ),
        ({ consumer }) => Stream.fromPull(Effect.succeed(consumer.pull))
      )
    )

  return MarketStreams.of({
    keys: Effect.fn("MarketStreams.keys")((selection) =>
      Effect.mapError(keysOf(selection), (reason) => new MarketStreamsError({ reason }))
    ),
    subscribe: Effect.fn("MarketStreams.subscribe")(function* (selection, options) {
      const { consumer, keys } = yield* connect(selection, options)
      const subscription: Subscription = { keys, take: consumer.take }
      return subscription
    }),
    items: (selection, options) =>
      Stream.unwrap(
        Effect.map(connect(selection, options), ({ consumer }) => Stream.fromPull(Effect.succeed(consumer.pull)))
      ),
    states: Effect.sync(() => topics.topics.map(({ state }) => state))
  })
})

export const layer = (options: MarketStreamsOptions = {}): Layer.Layer<MarketStreams, never, Services> =>
  Layer.effect(MarketStreams, make(options))
