/**
 * One stream of a recording: what it tells becomes segments of the archive.
 *
 * Responsibilities: the subscription, again whenever it ends and may be had again; when a segment is archived; what was missed between two
 * subscriptions, or since a recording that broke off, is told in band. Queueing: the backlog of the subscription, while a segment is
 * archived; one that is archived holds up this stream alone.
 *
 * Hard cases: the archive cannot be written (the segment is tried again for as long as it takes; meanwhile the backlog fills, and what finds no
 * room is told as a gap); the recording is ended in the middle of that (it is tried a few times more, and what is lost then is lost loudly); the process
 * is killed (what was not archived is gone, `closed` is missing, and the next recording begins with a gap); a stream that ends and may be had again
 * (its last word is not passed on: who replays the recording goes through).
 */
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Schedule, Semaphore } from "effect"
import type { JobSpec } from "../../domain/Job.ts"
import type { Response } from "../../domain/Response.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { SessionId } from "../../domain/Session.ts"
import { segmentForm } from "../../domain/streams/SegmentFrame.ts"
import { isRows, type LifecycleEvent, type StreamEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStreams, MarketStreamsError, Subscription } from "../../services/MarketStreams.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { jobOf } from "../streams/repairJob.ts"
import { archiveFrames } from "./archiveFrames.ts"
import { recordingBefore } from "./recordingBefore.ts"
import { type Segment, SegmentBuilder } from "./SegmentBuilder.ts"
import { closedIdentity, openIdentity, segmentIdentity } from "./segmentRequest.ts"

/** Counts of one stream. */
export interface StreamTally {
  rows: number
  gaps: number
  missing: number
  segments: number
  bytes: number
}

export interface RecordedStream {
  readonly stream: StreamKey
  readonly lateness: number
  /** The series that its rows are stored in; null: they are archived alone. */
  readonly series: SeriesKey | null
  /** Whether the vendor has a history from which the rows of a gap can be stored later. */
  readonly repairable: boolean
  /** Above 0, to 1: after which part of a segment's age its first one is cut, so that those of many streams do not come all at once. */
  readonly phase: number
  readonly tally: StreamTally
}

export interface RecordingContext {
  readonly archive: ProvenanceStore["Service"]
  readonly market: MarketStreams["Service"]
  readonly session: SessionId
  readonly segmentBytes: number
  readonly segmentAge: number
  /** Done when the recording is to be ended. */
  readonly stop: Deferred.Deferred<void>
  /** A segment of a stored series is in the archive. */
  readonly archived: (series: SeriesKey) => void
  readonly tell: (event: LifecycleEvent) => void
  readonly enqueue: (job: JobSpec) => Effect.Effect<void>
}

/** Rows that may wait while a segment is archived. */
const backlog = 1_000_000
/** Rows of one event that are worked off without a look at the size of the segment. */
const sliceRows = 4_096
/** Between a stream that ended and the attempt to have it again. */
const pause = "1 second"
/** What was missed for longer than this is told, and no job has it stored. */
const longestRepair = 86_400_000
/** How often a segment is tried once more when the recording is being ended. */
const lastTries = 5

const patient = Schedule.exponential("100 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(5))))
)

/** Runs until the vendor ends the stream for good. What waits is archived when it ends, however it ends. */
export const recordStream = Effect.fn("Recorder.recordStream")(function* (
  context: RecordingContext,
  { lateness, phase, repairable, series, stream, tally }: RecordedStream
): Effect.fn.Return<void, MarketStreamsError | ProvenanceStoreError> {
  const { archive, session } = context
  const builder = new SegmentBuilder(stream)
  const writing = yield* Semaphore.make(1)
  let waiting: Segment | null = null
  let broken = false

  const append = (segment: Segment): Effect.Effect<Response, ProvenanceStoreError> => {
    const from = segment.from ?? segment.to ?? segment.firstAt
    const range = { start: from, end: Math.max(from + 1, segment.to ?? from) }
    const identity = segmentIdentity({
      form: segmentForm,
      stream,
      recording: session,
      segment: segment.segment,
      first: segment.first,
      from: segment.from
    })
    const subject = series === null ? null : { series: canonical(series), range }
    return archiveFrames(archive, session, identity, subject, segment.lastAt, segment.bytes)
  }

  /** Archives what waits; one at a time. */
  const cut = Effect.suspend(() => {
    waiting ??= builder.cut()
    if (waiting === null) return Effect.void
    const segment = waiting
    return Effect.map(append(segment), () => {
      waiting = null
      tally.segments++
      tally.bytes += segment.bytes.length
      if (series !== null) context.archived(series)
    })
  }).pipe(Effect.uninterruptible)

  /** For as long as it takes; a recording that is being ended tries a few times more. */
  const cutPatiently = Effect.suspend(() => {
    let left = lastTries
    return cut.pipe(
      Effect.tapError(({ message }) =>
        Effect.logWarning(`a segment of ${stream.symbol} is not archived yet: ${message}`)
      ),
      Effect.retry({ schedule: patient, while: () => !Deferred.isDoneUnsafe(context.stop) || left-- > 0 })
    )
  })

  const add = (event: StreamEvent, now: EpochMillis): void => {
    builder.add(event, now)
    if (isRows(event)) {
      if (!event.snapshot) tally.rows += event.rows.length
      return
    }
    // One that is told again while it is open has another reason.
    if (event._tag === "Gap" && !broken) tally.gaps++
    if (event._tag === "Gap" || event._tag === "Resumed") broken = event._tag === "Gap"
    if (event._tag === "Unrepairable") tally.missing++
    context.tell(event)
  }

  const later = Effect.fnUntraced(function* (range: TimeRange) {
    if (!repairable || series === null || range.end - range.start > longestRepair) return null
    const job = jobOf(stream, range)
    yield* context.enqueue(job)
    return job.key
  })

  /** Since when nothing was recorded, and why; null while that is not so. */
  let away: { readonly from: EpochMillis; readonly why: string } | null = null

  const wentAway = (why: string, now: EpochMillis): void => {
    if (builder.through === null || away !== null) return
    away = { from: builder.through, why }
    add({ _tag: "Gap", from: away.from, reason: why }, now)
  }

  /** The first word of a subscription: where there was another before it, all in between was missed. */
  const began = Effect.fnUntraced(function* (event: Extract<LifecycleEvent, { readonly _tag: "Started" }>) {
    if (away === null) return add(event, event.at)
    const { from, why } = away
    away = null
    // A stream that was kept open meanwhile begins where the last one ended; an instant is told to be missing rather than none. A bar that was told
    // before is missing whole: a part of it proves nothing.
    const { timeframe } = stream
    const least = Math.max(event.through, from + 1)
    const range = { start: from, end: timeframe === null ? least : Timeframe.ceil(timeframe, least) }
    add({ _tag: "Resumed", at: range.end }, event.at)
    add({ _tag: "Unrepairable", from, to: range.end, why, job: yield* later(range) }, event.at)
  })

  const take = Effect.fnUntraced(function* (event: StreamEvent) {
    const now = yield* Clock.currentTimeMillis
    if (event._tag === "Started") {
      yield* began(event)
      // That it was recorded from here on outlives whatever comes.
      return yield* cutPatiently
    }
    if (event._tag === "Closed" && event.retryable) return wentAway(event.cause, now)
    if (!isRows(event) || event.rows.length <= sliceRows) {
      add(event, now)
      return yield* builder.size >= context.segmentBytes ? cutPatiently : Effect.void
    }
    for (let at = 0; at < event.rows.length; at += sliceRows) {
      const rows = event.rows.slice(at, at + sliceRows)
      const whole = at + sliceRows >= event.rows.length
      add({ ...event, rows, ...(whole ? {} : { through: null }) } as StreamEvent, now)
      if (builder.size >= context.segmentBytes) yield* cutPatiently
      yield* Effect.yieldNow
    }
  })

  const stopped = Effect.as(Deferred.await(context.stop), [])

  /** What waits and is not taken yet; nothing when there is none. */
  const left = Effect.fnUntraced(function* ({ take }: Subscription) {
    const taking = yield* Effect.forkChild(take, { startImmediately: true })
    const exit = taking.pollUnsafe()
    if (exit !== undefined) return yield* exit
    yield* Fiber.interrupt(taking)
    return []
  })

  /** True when the stream has ended for good, or is not to be recorded any more; then all that it had told is. */
  const subscribed = Effect.fnUntraced(function* () {
    let ended = false
    const query = { symbol: stream.symbol, kind: stream.kind, params: stream.params }
    const streams = [stream.timeframe === null ? query : { ...query, timeframe: stream.timeframe }]
    const selection = { vendor: stream.vendor, streams }
    yield* Effect.gen(function* () {
      const subscription = yield* context.market.subscribe(selection, { policy: { _tag: "lossless", rows: backlog } })
      for (;;) {
        const stopping = Deferred.isDoneUnsafe(context.stop)
        const items = yield* stopping ? left(subscription) : Effect.raceFirst(subscription.take, stopped)
        for (const { event } of items) {
          if (event._tag === "Closed" && !event.retryable) ended = true
          yield* writing.withPermit(take(event))
        }
        if (items.length > 0) continue
        // Nothing is told any more, or nothing is left.
        if (stopping) ended = true
        if (stopping || !Deferred.isDoneUnsafe(context.stop)) return
      }
    }).pipe(
      Effect.scoped,
      Effect.catchIf(
        ({ reason }) => "_tag" in reason && reason._tag === "SlowConsumer",
        ({ message }) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            writing.withPermit(Effect.sync(() => wentAway(message, now)))
          )
      )
    )
    return ended
  })

  /** By the time that passes, not by the clock on the wall, which may be set. */
  const aged = Effect.gen(function* () {
    yield* Effect.sleep(Duration.millis(Math.ceil(context.segmentAge * phase)))
    for (;;) {
      if (builder.size > 0) yield* writing.withPermit(cutPatiently)
      yield* Effect.sleep(Duration.millis(context.segmentAge))
    }
  })

  const finish = Effect.fnUntraced(function* (exit: Exit.Exit<void, unknown>) {
    const now = yield* Clock.currentTimeMillis
    const why =
      Exit.isSuccess(exit) && !Deferred.isDoneUnsafe(context.stop) ? "the stream ended" : "the recording was ended"
    // What waits for the archive goes before what came since.
    yield* Effect.andThen(cut, cut)
    yield* archiveFrames(archive, session, closedIdentity(stream, session), null, now, builder.close(now, why))
  })

  const run = Effect.gen(function* () {
    const before = yield* recordingBefore(archive, stream)
    const now = yield* Clock.currentTimeMillis
    const opening = builder.open(now, { form: segmentForm, stream, lateness, before })
    yield* archiveFrames(archive, session, openIdentity(stream), null, now, opening)
    yield* Effect.gen(function* () {
      if (before !== null && !before.closed && before.through !== null) {
        add({ _tag: "Started", at: now, through: before.through }, now)
        wentAway(`the recording before this one (session ${before.session}) broke off`, now)
      }
      while (!(yield* subscribed())) yield* Effect.raceFirst(Effect.sleep(pause), stopped)
    }).pipe(
      Effect.raceFirst(aged),
      Effect.onExit((exit) =>
        finish(exit).pipe(
          Effect.retry({ schedule: patient, times: lastTries }),
          Effect.tapError(({ message }) =>
            Effect.logError(`what came last of ${stream.symbol} could not be archived and is lost: ${message}`)
          )
        )
      )
    )
  })
  yield* run
})
