/**
 * The market store made again from the archive, or compared with what it would be.
 *
 * Responsibilities: which series; one after another, each beside what is stored; what is told of it. Queueing: one rebuild at a
 * time, others wait; a reader of the events that is slow slows it down, one that leaves ends it. Nobody who reads or fetches a
 * series waits for more than its last step: the switch, or the comparison.
 *
 * Hard cases: nothing is told while a series is held up, since the reader of the events might never take it. A process that dies
 * leaves each series as it was or as it was rebuilt, never in between; what it had begun is removed by the next one.
 */
import { Clock, Effect, Option, Queue, Result, Stream } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import { isRecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, parse, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { RebuildEvent, RebuildOptions } from "../../services/RebuildEvent.ts"
import type { StitchingCacheError } from "../../services/StitchingCache.ts"
import { fetcherOf } from "../recording/RecordedBars.ts"
import { asServiceError } from "./answerOf.ts"
import { applyArchived } from "./applyArchived.ts"
import { barSeries, calendared } from "./barSeries.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { type BuildHooks, make, type Unread } from "./SeriesBuild.ts"
import { compareSeries, putInPlace } from "./takePlace.ts"

/** Events that the reader has not taken; then the rebuild waits for it. */
const unread = 16
const progressMillis = 250
const movedByDefault = 100

type Tell = (event: RebuildEvent) => Effect.Effect<void>

const wanted = ({ symbol, vendor }: RebuildOptions, key: SeriesKey): boolean =>
  (vendor === undefined || key.vendor === vendor) && (symbol === undefined || key.symbol === symbol)

/** Whether a name that cannot be read could be that of a series that is wanted. */
const couldBe = ({ symbol, vendor }: RebuildOptions, text: string): boolean =>
  (vendor === undefined || text.includes(vendor)) && (symbol === undefined || text.includes(symbol))

interface Unnamed {
  readonly text: string
  readonly message: string
}

/**
 * Those about which the archive has an answer, and, for a check, those that are stored without one; and those that are none. What was
 * imported is no answer of a vendor: see Imports.replay.
 */
const targetsOf = Effect.fnUntraced(function* ({ archive, market, registry }: CacheContext, options: RebuildOptions) {
  const texts = new Set(yield* archive.subjects)
  if (options.check === true) for (const { series } of yield* market.series) texts.add(canonical(series))
  const targets: Array<BarSeries> = []
  const unnamed: Array<Unnamed> = []
  let responses = 0
  for (const text of [...texts].sort()) {
    const key = parse(text)
    if (Result.isFailure(key)) {
      if (couldBe(options, text)) {
        unnamed.push({ text, message: `the archive has answers about it, and it is ${key.failure}` })
      }
      continue
    }
    // Those are stored again with the imports.
    if (!wanted(options, key.success) || isRecordSeries(key.success)) continue
    const vendor = yield* Effect.option(registry.resolve(key.success.vendor))
    if (Option.isSome(vendor) && vendor.value.storedOnly === true) continue
    const series = yield* Effect.result(barSeries(key.success))
    if (Result.isFailure(series)) {
      unnamed.push({ text, message: series.failure.message })
      continue
    }
    targets.push(series.success)
    responses += (yield* archive.answersOf(text, 0)).length
    yield* Effect.yieldNow
  }
  return { targets, unnamed, responses }
})

interface Tally {
  series: number
  responses: number
  rows: number
  unread: number
  damaged: number
  skipped: number
  differing: number
}

const run = Effect.fnUntraced(function* (context: CacheContext, options: RebuildOptions, tell: Tell) {
  const { archive, market, registry } = context
  const { responses: ofResponses, targets, unnamed } = yield* targetsOf(context, options)
  const scratch = options.check === true ? yield* context.scratch : null
  const tally: Tally = { series: 0, responses: 0, rows: 0, unread: 0, damaged: 0, skipped: 0, differing: 0 }
  let toldAt = yield* Clock.currentTimeMillis

  const progress = Effect.gen(function* () {
    toldAt = yield* Clock.currentTimeMillis
    const { responses, rows, series } = tally
    yield* tell({ _tag: "Progress", series, ofSeries: targets.length, responses, ofResponses, rows })
  })
  const progressIfDue = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    now - toldAt < progressMillis ? Effect.void : progress
  )

  const one = Effect.fnUntraced(function* (series: BarSeries, fetcher: Fetcher) {
    const before = { ...tally }
    const failed = new Map<ResponseId, Unread>()
    let heldUp = false
    const hooks: BuildHooks = {
      read: (rows) =>
        Effect.suspend(() => {
          tally.responses++
          tally.rows += rows
          return heldUp ? Effect.void : progressIfDue
        }),
      unread: (response, why) =>
        Effect.sync(() => {
          tally.responses++
          failed.set(response, why)
        })
    }
    const desk = yield* context.deskOf(series.text)
    const build = yield* make({ archive, market: scratch ?? market }, series, fetcher, hooks)
    yield* build.advance
    const hold = Effect.sync(() => {
      heldUp = true
    })
    const comparison = scratch === null ? null : { scratch, unread: failed, limit: options.moved ?? movedByDefault }
    const events = yield* comparison === null
      ? putInPlace(context, desk, series, fetcher, build, hold)
      : compareSeries(context, desk, series, fetcher, build, hold, comparison)
    for (const [response, why] of failed) {
      tally.unread++
      if (why.damaged) tally.damaged++
      yield* tell({ _tag: "Unread", series: series.text, response, ...why })
    }
    if (events === null) return
    // A recording that goes on may have stored some of it in what is replaced now.
    if (scratch === null && isRecordedBars(series.key)) {
      yield* desk.planning.withPermit(applyArchived(context, desk, series, fetcher))
    }
    tally.series++
    for (const event of events) {
      if (event._tag === "Compared" && !event.same) tally.differing++
      yield* tell(
        event._tag === "Rebuilt"
          ? { ...event, responses: tally.responses - before.responses, rows: tally.rows - before.rows }
          : event
      )
    }
  }, Effect.scoped)

  yield* progress
  for (const { message, text } of unnamed) {
    tally.skipped++
    yield* tell({ _tag: "Skipped", series: text, message })
  }
  for (const series of targets) {
    const vendor = yield* Effect.result(
      Effect.all({ fetcher: fetcherOf(registry, series.key), calendared: calendared(context, series.key) })
    )
    if (Result.isFailure(vendor)) {
      tally.skipped++
      yield* tell({ _tag: "Skipped", series: series.text, message: vendor.failure.message })
      continue
    }
    yield* one(vendor.success.calendared, vendor.success.fetcher)
    yield* progressIfDue
  }
  yield* progress
  yield* tell({ _tag: "Finished", ...tally })
}, Effect.scoped)

export const rebuild = (
  context: CacheContext,
  options: RebuildOptions
): Stream.Stream<RebuildEvent, StitchingCacheError> =>
  Stream.callback<RebuildEvent, StitchingCacheError>(
    (queue) =>
      context.rebuilding
        .withPermit(run(context, options, (event) => Effect.asVoid(Queue.offer(queue, event))))
        .pipe(Effect.mapError(asServiceError), Effect.andThen(Queue.end(queue))),
    { bufferSize: unread, strategy: "suspend" }
  )
