/**
 * Rows one by one into batches, over Imports.
 *
 * Responsibilities: when a batch is due, that each row is settled once (committed, dead-lettered or dropped), and that a store that
 * fails costs time and no row. Queueing: a buffer a kind (see RowBuffer); one flusher a kind takes batches from its head, one at a time, so
 * that rows of a kind are committed in the order in which they were taken; `concurrency` bounds the batches of all kinds.
 *
 * A batch is due when somebody submits, when there are rows or bytes enough, when the oldest row is old enough, when somebody flushes, and
 * when the processor closes. While one is under way the next gathers; so many submitters share a commit.
 *
 * Hard cases:
 * - The store is away: the same batch is tried again until it passes; a breaker lets one probe through at a time. The buffer fills, and
 *   its policy says what producers get. What was archived before the store failed is found there, not archived again.
 * - A batch is refused for what is in it: it is halved until the rows at fault are alone; they go to the dead-letter file with the reason,
 *   and all others are committed. So it is with one that meets a mistake of ours: the flusher must not die of it, or its producers would wait
 *   for ever.
 * - Closing: nobody enters any more, and what is held is flushed until the deadline (or not at all, after a failure, where that is asked for). What is left then goes to the dead-letter file, also a
 *   batch that was interrupted and may have been committed: writing it again changes nothing.
 */
import {
  Cause,
  Clock,
  Data,
  Deferred,
  Duration,
  Effect,
  Exit,
  type FileSystem,
  Latch,
  Layer,
  type Path,
  PubSub,
  Scope,
  Semaphore,
  Stream
} from "effect"
import { CircuitBreaker } from "effect/persistence"
import type { ResponseId } from "../../domain/Response.ts"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import {
  BatchError,
  BatchProcessor,
  type BatchRow,
  BatchRowRefused,
  type BatchStats,
  type FeedbackEvent,
  ProcessorClosed,
  RowPoisoned
} from "../../services/BatchProcessor.ts"
import { ImportKind, type Imports, type ImportsError } from "../../services/Imports.ts"
import * as Metrics from "../../services/Metrics.ts"
import { recordsText } from "../export/RecordsText.ts"
import { type RowCheck, rowCheck } from "../imports/decodedRows.ts"
import { timed } from "../metrics/timed.ts"
import { type BatchOptions, defaults } from "./BatchOptions.ts"
import * as BatchWriter from "./BatchWriter.ts"
import * as DeadLetters from "./DeadLetters.ts"
import * as laneMetrics from "./laneMetrics.ts"
import { type Arriving, type Held, RowBuffer } from "./RowBuffer.ts"
import { Watermarks } from "./Watermarks.ts"

const unreadFeedback = 256

/** What refused a batch, by the innermost reason. */
const errorTag = (reason: ImportsError["reason"]): string =>
  reason._tag === "MarketStoreError" || reason._tag === "ProvenanceStoreError" ? reason.reason._tag : reason._tag

class WriteDefect extends Data.TaggedError("WriteDefect")<{ readonly message: string }> {}

interface Lane {
  readonly kind: ImportKind
  readonly buffer: RowBuffer
  readonly awake: Latch.Latch
  readonly watermarks: Watermarks
  readonly text: ReturnType<typeof recordsText>
  /** Those who flush, and up to which place. */
  flushing: Array<{ readonly through: number; readonly done: Deferred.Deferred<void> }>
  alive: boolean
  /** The batch that is under way has met a mistake of ours, which the log has. */
  failing: boolean
  /** Of the segments of this kind in the archive. */
  offset: number
  committed: number
  unchanged: number
  deadLettered: number
  flushes: number
  retries: number
}

const make = Effect.fnUntraced(function* (options: BatchOptions) {
  const writer = yield* BatchWriter.make(options)
  const deadLetters = yield* DeadLetters.make(options.deadLetters)
  const feedback = yield* PubSub.sliding<FeedbackEvent>(unreadFeedback)
  const dropped = yield* PubSub.sliding<BatchRow>(unreadFeedback)
  const permits = yield* Semaphore.make(options.concurrency)
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const flushers = yield* Scope.make()
  const maxAge = Duration.toMillis(options.maxAge)
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  const checks: ReadonlyMap<string, RowCheck> = new Map(ImportKind.literals.map((kind) => [kind, rowCheck(kind)]))
  const lanes = new Map<ImportKind, Lane>()
  const state = { closing: false }

  const nameOf = ({ kind }: Pick<Lane, "kind">): string => `${options.name}:${kind}`
  const written = (lane: Lane) => Metrics.batchesWritten(nameOf(lane)).updateUnsafe(1, context)
  const refusedFor = (lane: Lane, reason: string) => Metrics.batchErrors(nameOf(lane), reason).updateUnsafe(1, context)

  const eventOf = (lane: Lane, change: Watermarks["current"]): FeedbackEvent => ({
    coordinator_id: nameOf(lane),
    queue_size: lane.buffer.held,
    capacity: lane.buffer.capacity,
    source: "store",
    ts: clock.currentTimeMillisUnsafe() / 1_000,
    utilization: lane.buffer.held / lane.buffer.capacity,
    ...change
  })

  const tell = (lane: Lane): void => {
    const change = lane.watermarks.at(lane.buffer.held / lane.buffer.capacity)
    if (change !== null) PubSub.publishUnsafe(feedback, eventOf(lane, change))
  }

  const told = Effect.map(PubSub.subscribe(feedback), (changes) =>
    Stream.concat(
      Stream.fromArray([...lanes.values()].map((lane) => eventOf(lane, lane.watermarks.current))),
      Stream.fromSubscription(changes)
    )
  )

  const isDue = ({ buffer, flushing }: Lane): boolean =>
    buffer.length > 0 &&
    (buffer.submitted > 0 ||
      buffer.length >= options.maxRows ||
      buffer.bytes >= options.maxBytes ||
      flushing.length > 0 ||
      state.closing ||
      now() - (buffer.oldest ?? 0) >= maxAge)

  const tellFlushed = (lane: Lane): void => {
    const { settledThrough } = lane.buffer
    if (lane.flushing.every(({ through }) => through > settledThrough)) return
    const before = lane.flushing
    lane.flushing = before.filter(({ through }) => through > settledThrough)
    for (const { done, through } of before) if (through <= settledThrough) Deferred.doneUnsafe(done, Effect.void)
  }

  const writing = (lane: Lane, batch: ReadonlyArray<Held>) => {
    const offset = lane.offset
    lane.offset += batch.reduce((sum, held) => sum + held.bytes, 0)
    const retried = () => {
      lane.retries++
    }
    return Effect.catchDefect(writer.write({ kind: lane.kind, batch, offset, retried }), (defect) =>
      Effect.andThen(
        // Halves of what failed so would only say the same again.
        lane.failing ? Effect.void : Effect.logError(`${batch.length} ${lane.kind} rows of ${options.name}`, defect),
        Effect.suspend(() => {
          lane.failing = true
          return Effect.fail(new WriteDefect({ message: "internal error; the log of its time says which" }))
        })
      )
    )
  }

  const finish = (batch: ReadonlyArray<Held>, with_: Effect.Effect<void, BatchError>): void => {
    for (const { done } of batch) if (done !== null) Deferred.doneUnsafe(done, with_)
  }

  const commit = (lane: Lane, batch: ReadonlyArray<Held>): Effect.Effect<void> =>
    Effect.matchEffect(writing(lane, batch), {
      onSuccess: ({ unchanged }) =>
        Effect.sync(() => {
          lane.committed += batch.length
          lane.unchanged += unchanged
          lane.buffer.settle(batch)
          written(lane)
          // Last: who is told goes on at once, and may look at what is counted.
          finish(batch, Effect.void)
        }),
      onFailure: (error) => {
        refusedFor(lane, "reason" in error ? errorTag(error.reason) : error._tag)
        if (batch.length > 1) {
          const middle = batch.length >>> 1
          return Effect.andThen(commit(lane, batch.slice(0, middle)), commit(lane, batch.slice(middle)))
        }
        return Effect.andThen(
          deadLetters.write(lane.kind, batch, error.message),
          Effect.sync(() => {
            lane.deadLettered++
            lane.buffer.settle(batch)
            finish(batch, Effect.fail(new BatchError({ reason: new RowPoisoned({ message: error.message }) })))
          })
        )
      }
    })

  /** Waits until a batch is due; false when there will be none any more. */
  const due = (lane: Lane): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (isDue(lane)) return Effect.succeed(true)
      const { oldest } = lane.buffer
      if (oldest === null && state.closing) return Effect.succeed(false)
      lane.awake.closeUnsafe()
      const woken = lane.awake.await
      const waited =
        oldest === null
          ? woken
          : Effect.race(woken, Effect.sleep(Duration.millis(Math.max(1, oldest + maxAge - now()))))
      return Effect.andThen(
        waited,
        Effect.suspend(() => due(lane))
      )
    })

  const flusher = (lane: Lane): Effect.Effect<void> =>
    Effect.gen(function* () {
      while (yield* due(lane)) {
        const batch = lane.buffer.take(options.maxRows, options.maxBytes)
        lane.flushes++
        lane.failing = false
        yield* permits.withPermit(commit(lane, batch)).pipe(timed(Metrics.batchSeconds(nameOf(lane))))
      }
    })

  const open = (kind: ImportKind): Lane => {
    const awake = Latch.makeUnsafe(false)
    const lane: Lane = {
      kind,
      awake,
      buffer: new RowBuffer({
        kind,
        capacity: options.capacity,
        overflow: options.overflow,
        now,
        changed: () => {
          tellFlushed(lane)
          tell(lane)
          // A producer that adds to a batch that is not due wakes nobody, but for the first, whose age counts.
          if (lane.buffer.length <= 1 || isDue(lane)) awake.openUnsafe()
        },
        dropped: ({ row, series }) => {
          PubSub.publishUnsafe(dropped, { row, series })
        }
      }),
      watermarks: new Watermarks(options.highWatermark, options.lowWatermark),
      text: recordsText(kind, "ndjson"),
      flushing: [],
      alive: true,
      failing: false,
      offset: 0,
      committed: 0,
      unchanged: 0,
      deadLettered: 0,
      flushes: 0,
      retries: 0
    }
    lanes.set(kind, lane)
    return lane
  }

  const laneOf = Effect.fnUntraced(function* (kind: ImportKind) {
    const known = lanes.get(kind)
    if (known !== undefined) return known
    if (state.closing) return yield* new BatchError({ reason: new ProcessorClosed() })
    const lane = open(kind)
    yield* Scope.provide(laneMetrics.show(nameOf(lane), lane), flushers)
    const ended = Effect.sync(() => {
      lane.alive = false
    })
    yield* Effect.forkIn(Effect.ensuring(flusher(lane), ended), flushers)
    return lane
  })

  const refused = (message: string) => Effect.fail(new BatchError({ reason: new BatchRowRefused({ message }) }))

  const enter = (row: BatchRow, done: Arriving["done"]): Effect.Effect<void, BatchError> =>
    Effect.suspend(() => {
      const { kind } = row.series
      if (kind === "corporate-action") {
        return refused("corporate actions come with the bars of a vendor, not in batches")
      }
      const defect = checks.get(kind)?.(row) ?? null
      if (defect !== null) return refused(defect)
      const takeIn = ({ buffer, text }: Lane): Effect.Effect<void, BatchError> =>
        buffer.enter({ ...row, bytes: Buffer.byteLength(text.rows(row.series, [row.row])), done })
      const lane = lanes.get(kind)
      return lane === undefined ? Effect.flatMap(laneOf(kind), takeIn) : takeIn(lane)
    })

  const project = Effect.fnUntraced(function* (series: BatchRow["series"], response: ResponseId) {
    const { kind } = series
    if (kind === "corporate-action" || (kind === "bar" && !isRecordedBars(series))) {
      return yield* refused(`${kind} rows of an archived answer are stored by the stitching cache`)
    }
    const lane = lanes.get(kind) ?? (yield* laneOf(kind))
    const retried = () => {
      lane.retries++
    }
    const { inserted, rows } = yield* permits
      .withPermit(writer.project(kind, response, retried).pipe(timed(Metrics.batchSeconds(nameOf(lane)))))
      .pipe(
        Effect.tapError((error) => Effect.sync(() => refusedFor(lane, errorTag(error.reason)))),
        Effect.mapError(({ message }) => new BatchError({ reason: new RowPoisoned({ message }) }))
      )
    lane.committed += rows
    lane.unchanged += rows - inserted
    lane.flushes++
    written(lane)
  })

  const flush = Effect.suspend(() =>
    Effect.forEach(
      lanes.values(),
      (lane) => {
        const { settledThrough, taken } = lane.buffer
        if (settledThrough >= taken) return Effect.void
        const done = Deferred.makeUnsafe<void>()
        lane.flushing.push({ through: taken, done })
        lane.awake.openUnsafe()
        return Deferred.await(done)
      },
      { concurrency: "unbounded", discard: true }
    )
  )

  /** What a closing processor does not commit. */
  const giveUp = Effect.fnUntraced(function* (lane: Lane, reason: string) {
    lane.buffer.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    const rest = lane.buffer.underWay
    yield* deadLetters.write(lane.kind, rest, reason)
    lane.deadLettered += rest.length
    lane.buffer.settle(rest)
    finish(rest, Effect.fail(new BatchError({ reason: new ProcessorClosed() })))
  })

  const close = Effect.fnUntraced(function* (abandons: boolean) {
    state.closing = true
    for (const { awake, buffer } of lanes.values()) {
      buffer.close()
      awake.openUnsafe()
    }
    const drained = Effect.andThen(flush, Effect.succeed(true))
    const done = abandons
      ? false
      : yield* Effect.timeoutOrElse(drained, { duration: options.drain, orElse: () => Effect.succeed(false) })
    yield* Scope.close(flushers, Exit.void)
    const why = abandons ? "what it was written by had failed" : "the processor was closed before it could be committed"
    if (!done) for (const lane of lanes.values()) yield* giveUp(lane, why)
    yield* writer.end(done ? "ok" : "partial")
  })
  yield* Effect.addFinalizer((exit) => {
    const failed = Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
    return Effect.interruptible(close(failed && options.afterFailure === "deadLetters"))
  })

  const stats = Effect.map(writer.breaker, (breaker) =>
    [...lanes.values()].map(
      ({ buffer, committed, deadLettered, flushes, kind, retries, unchanged }): BatchStats => ({
        kind,
        buffered: buffer.length,
        inFlight: buffer.underWay.length,
        capacity: buffer.capacity,
        committed,
        unchanged,
        deadLettered,
        droppedOldest: buffer.droppedOldest,
        flushes,
        retries,
        breaker
      })
    )
  )

  return BatchProcessor.of({
    offer: (row) => enter(row, null),
    submit: Effect.fnUntraced(function* (row) {
      const done = Deferred.makeUnsafe<void, BatchError>()
      yield* enter(row, done)
      return yield* Deferred.await(done)
    }),
    project,
    flush,
    stats,
    feedback: Stream.unwrap(told),
    dropped: Stream.fromPubSub(dropped)
  })
})

/** With the given options, else the defaults; `deadLetters` is the file of rows that cannot be committed. */
export const layer = (
  options: Pick<BatchOptions, "deadLetters"> & Partial<BatchOptions>
): Layer.Layer<BatchProcessor, never, Imports | FileSystem.FileSystem | Path.Path> =>
  Layer.effect(BatchProcessor, make({ ...defaults, ...options })).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))
