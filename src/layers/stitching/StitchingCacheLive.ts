/**
 * Ranges from the store, and what is missing from the vendor, once.
 *
 * Responsibilities: the plan; its execution; the answer with its coverage report. Rows reach the store only through the
 * archive, and the store is told of a range only what an archived answer proves.
 *
 * Queueing: see SeriesDesk. Readers of one series plan one after another and wait for the vendor beside each other; readers of
 * different series share nothing here but the quota behind the ingest session.
 *
 * Hard cases: a reader that is interrupted leaves its flights to the others who wait for them, or abandons them when it was
 * the last; what is archived by then is applied by the flight itself or by the next plan. A process that dies between the
 * archive and the store leaves answers that are archived and not applied: every plan looks for such first.
 */
import { Clock, Effect, Layer, Result, Stream } from "effect"
import type { Plan, RangePolicy } from "../../domain/Plan.ts"
import { isRecordedBars, recordedDataset } from "../../domain/recordedBars.ts"
import { isTickKind, isTickSeries } from "../../domain/records/TickSeries.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { Calendar } from "../../services/Calendar.ts"
import type { IngestSession } from "../../services/IngestSession.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { Quota } from "../../services/Quota.ts"
import type { RecordStore } from "../../services/RecordStore.ts"
import {
  noTicks,
  type RangeAnswer,
  type ReadOptions,
  StitchingCache,
  UnknownSeries
} from "../../services/StitchingCache.ts"
import { fetcherOf } from "../recording/RecordedBars.ts"
import { namedRecording } from "../recording/recordedSeries.ts"
import { answerAsOf, answerOf, asServiceError, checkStored, type Seen, seenOf } from "./answerOf.ts"
import { applyArchived } from "./applyArchived.ts"
import { barSeries, calendared, unsupported } from "./barSeries.ts"
import { isAdjusted } from "./basis.ts"
import * as CacheContext from "./CacheContext.ts"
import { checkRoom } from "./checkRoom.ts"
import { confirm } from "./confirm.ts"
import { deriveBars, saysNothing } from "./derive.ts"
import { diff, instantOf } from "./diff.ts"
import { explain } from "./explain.ts"
import { fetchMissing, type Gathered, given, planned } from "./fetchMissing.ts"
import { openEnd } from "./finality.ts"
import { forget, invalidate } from "./operate.ts"
import type { RequestDraft } from "./planner.ts"
import { gridOnly, offered, planOf } from "./planOf.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { rebaseOf } from "./rebase.ts"
import { rebuild } from "./rebuild.ts"
import { refetch } from "./refetch.ts"
import { report, withFlights } from "./report.ts"
import { acceptable, type SeriesDesk } from "./SeriesDesk.ts"
import { allowed, known, stored } from "./storedRange.ts"
import { planTicks, readTicks, storedTicks } from "./ticks.ts"
import { whenQuiet } from "./whenQuiet.ts"

const noProgress: NonNullable<ReadOptions["progress"]> = () => Effect.void

/** How often a reader plans anew because a rebase has overtaken it. */
const maxOvertaken = 3

const together = (before: Gathered, after: Gathered): Gathered => ({
  ...after,
  fetched: [...before.fetched, ...after.fetched],
  requests: before.requests + after.requests,
  sharedRequests: before.sharedRequests + after.sharedRequests,
  rowsRejected: before.rowsRejected + after.rowsRejected
})

const make = Effect.gen(function* () {
  const context = yield* CacheContext.make
  const { market, registry } = context

  /** Its vendor, where it is there to read what was archived of it. */
  const readerOf = (key: SeriesKey) => Effect.orElseSucceed(fetcherOf(registry, key), () => null)

  const readStored = Effect.fnUntraced(function* (
    desk: SeriesDesk,
    series: BarSeries,
    range: TimeRange,
    options: ReadOptions
  ) {
    const { asOf, generation } = options
    const pinned = generation === undefined ? undefined : { generation, cuts: options.cuts ?? 0 }
    const { coverage, mark, plan } = yield* pinned === undefined
      ? stored(context, desk, series, yield* readerOf(series.key), range, asOf)
      : known(context, series, range, asOf === undefined ? {} : { asOf }, pinned)
    const onMissing = options.onMissing ?? "fail"
    if (asOf !== undefined) return yield* answerAsOf(context, plan, { mark, known: coverage }, asOf, onMissing)
    const gathered = { plan, losses: [], fetched: [], requests: 0, sharedRequests: 0, rowsRejected: 0 }
    return yield* answerOf(context, gathered, onMissing, { desk, pinned })
  })

  /** A range in which no bar of the timeframe can be stamped: a whole answer, without rows. */
  const readNothing = Effect.fnUntraced(function* (
    series: BarSeries,
    range: TimeRange,
    policy: RangePolicy,
    onMissing: ReadOptions["onMissing"]
  ) {
    const plan = gridOnly(series, range, policy, yield* Clock.currentTimeMillis)
    const gathered = { plan, losses: [], fetched: [], requests: 0, sharedRequests: 0, rowsRejected: 0 }
    return yield* answerOf(context, gathered, onMissing ?? "fail")
  })

  /** A rebase may show a new generation that lacks what this reader had, or was served, of the old one. */
  const isOvertaken = ({ losses, plan }: Gathered, { known }: Seen) =>
    report(plan, known, losses).some(({ state }) => state._tag === "Missing" && state.cause === null)

  const readThrough = Effect.fnUntraced(function* (
    desk: SeriesDesk,
    series: BarSeries,
    range: TimeRange,
    policy: RangePolicy,
    options: ReadOptions,
    plan: Plan | null
  ) {
    const fetcher: Fetcher = yield* registry.fetcher(series.key.vendor)
    yield* offered(fetcher, series)
    const asking = { context, desk, fetcher, series, range, policy }
    const check = (drafts: ReadonlyArray<RequestDraft>) =>
      Effect.andThen(checkStored(context, series, range), checkRoom(context, series, drafts))
    const progress = options.progress ?? noProgress
    let gathered = yield* fetchMissing(
      asking,
      plan === null ? planned(context, fetcher, series, range, policy) : given(context, fetcher, series, plan),
      check,
      progress
    )
    const onMissing = options.onMissing ?? "fail"
    if (!isAdjusted(series.key)) return yield* answerOf(context, gathered, onMissing, { desk })
    const rebase = rebaseOf(context, desk, fetcher, series)
    for (let turn = 0; turn < maxOvertaken; turn++) {
      const calls = yield* confirm(context, desk, fetcher, series, range, rebase)
      gathered = { ...gathered, requests: gathered.requests + calls }
      const seen = yield* seenOf(context, series.key, range)
      if (!isOvertaken(gathered, seen)) return yield* answerOf(context, gathered, onMissing, { desk, seen })
      const rest = planned(context, fetcher, series, range, "cacheFirst")
      const more = yield* fetchMissing({ ...asking, policy: "cacheFirst" }, rest, check, progress)
      gathered = together(gathered, more)
    }
    return yield* answerOf(context, gathered, onMissing, { desk })
  })

  /** What the vendor says, where it says anything: that it says nothing of a range, or has no such bars, keeps nobody from those that can be made. */
  const orDerived = Effect.fnUntraced(function* <E, R>(
    series: BarSeries,
    range: TimeRange,
    policy: RangePolicy,
    options: ReadOptions,
    own: Effect.Effect<RangeAnswer, E, R>
  ) {
    const derived = deriveBars(context, series, range, policy, options)
    if (options.generation !== undefined) {
      const pinned = yield* derived
      return pinned === null ? yield* own : pinned
    }
    const told = yield* Effect.result(own)
    if (Result.isSuccess(told) && !saysNothing(told.success)) return told.success
    const made = yield* Effect.orElseSucceed(derived, () => null)
    return made === null ? yield* Effect.fromResult(told) : made
  })

  /** `plan` is the one to execute; null: the one that is best now. */
  const answer = Effect.fnUntraced(function* (
    series: BarSeries,
    asked: TimeRange,
    wanted: RangePolicy,
    options: ReadOptions,
    plan: Plan | null
  ) {
    const policy = yield* allowed(context, series.key, wanted)
    const range = Timeframe.stamps(series.timeframe, asked)
    if (range === null) return yield* readNothing(series, asked, policy, options.onMissing)
    const desk = yield* context.deskOf(series.text)
    const own =
      policy === "cacheOnly" || options.asOf !== undefined || options.generation !== undefined
        ? readStored(desk, series, range, options)
        : readThrough(desk, series, range, policy, options, plan)
    return options.derived === true && options.asOf === undefined
      ? yield* orDerived(series, range, policy, options, own)
      : yield* own
  })

  return StitchingCache.of({
    resolve: Effect.fn("StitchingCache.resolve")(function* (vendor, query) {
      if (recordedDataset(query.dataset) !== null) {
        const found = yield* registry.resolve(vendor)
        // What was imported has the datasets that it was given.
        if (found.stream !== undefined) return yield* namedRecording(vendor, found.stream, query)
      }
      const { fetch, ticks } = yield* registry.fetcher(vendor)
      return yield* ticks !== undefined && isTickKind(query.kind) ? ticks.series(query) : fetch.series(query)
    }, Effect.mapError(asServiceError)),

    plan: Effect.fn("StitchingCache.plan")(
      function* ({ policy: wanted = "cacheFirst", range: asked, series: key }) {
        if (isTickSeries(key)) return yield* planTicks(context, { policy: wanted, range: asked, series: key })
        const policy = yield* allowed(context, key, wanted)
        const series = yield* calendared(context, key)
        const range = Timeframe.stamps(series.timeframe, asked)
        if (range === null) return gridOnly(series, asked, policy, yield* Clock.currentTimeMillis)
        const desk = yield* context.deskOf(series.text)
        if (policy === "cacheOnly")
          return (yield* stored(context, desk, series, yield* readerOf(key), range, undefined)).plan
        const fetcher = yield* registry.fetcher(key.vendor)
        yield* offered(fetcher, series)
        return yield* desk.planning.withPermit(
          Effect.gen(function* () {
            yield* applyArchived(context, desk, series, fetcher)
            const inFlight = acceptable(desk, policy, range)
            return (yield* planOf(context, fetcher, series, range, policy, inFlight)).plan
          })
        )
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    read: Effect.fn("StitchingCache.read")(
      function* ({ policy = "cacheFirst", range, series: key }, options = {}) {
        return yield* answer(yield* calendared(context, key), range, policy, options, null)
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    ticks: Effect.fn("StitchingCache.ticks")(
      function* ({ series, ...query }, options = {}) {
        return isTickSeries(series) ? yield* readTicks(context, { ...query, series }, options) : yield* noTicks(series)
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    execute: Effect.fn("StitchingCache.execute")(
      function* (plan, options = {}) {
        return yield* answer(yield* calendared(context, plan.series), plan.range, plan.policy, options, plan)
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    coverage: Effect.fn("StitchingCache.coverage")(
      function* (key, asked, options = {}) {
        if (isTickSeries(key)) {
          const { coverage, inFlight, plan } = yield* storedTicks(context, key, asked, options.asOf)
          return withFlights(report(plan, coverage, []), options.asOf === undefined ? inFlight : [])
        }
        const series = yield* calendared(context, key)
        const range = Timeframe.stamps(series.timeframe, asked)
        if (range === null) return report(gridOnly(series, asked, "cacheOnly", 0), [], [])
        const desk = yield* context.deskOf(series.text)
        const inFlight = acceptable(desk, "cacheFirst", range)
        const { coverage, plan } = yield* stored(context, desk, series, yield* readerOf(key), range, options.asOf)
        return withFlights(report(plan, coverage, []), options.asOf === undefined ? inFlight : [])
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    actions: Effect.fn("StitchingCache.actions")(function* (key, range, options) {
      return yield* market.actions(key, range, options)
    }, Effect.mapError(asServiceError)),

    diff: (key, asked, between) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const series = yield* calendared(context, key)
          const range = Timeframe.stamps(series.timeframe, asked)
          if (range === null) return Stream.empty
          const desk = yield* context.deskOf(series.text)
          yield* stored(context, desk, series, yield* readerOf(key), range, undefined)
          const [from, to] = between
          return diff(context, series, range, [yield* instantOf(context, from), yield* instantOf(context, to)])
        }).pipe(Effect.withSpan("StitchingCache.diff"), Effect.scoped)
      ).pipe(Stream.mapError(asServiceError)),

    invalidate: Effect.fn("StitchingCache.invalidate")(
      function* (key, asked) {
        const series = yield* calendared(context, key)
        const range = Timeframe.stamps(series.timeframe, asked)
        if (range === null) return
        const desk = yield* context.deskOf(series.text)
        yield* desk.planning.withPermit(invalidate(context, desk, series, range))
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    refetch: Effect.fn("StitchingCache.refetch")(
      function* (key) {
        const series = yield* calendared(context, key)
        if (isRecordedBars(key)) return yield* unsupported(key.vendor, "what was recorded cannot be fetched again")
        const fetcher = yield* registry.fetcher(key.vendor)
        yield* offered(fetcher, series)
        const desk = yield* context.deskOf(series.text)
        const gathered = yield* desk.refetching.withPermit(refetch(context, desk, fetcher, series))
        if (gathered !== null) return yield* answerOf(context, gathered, "partial")
        // Nothing is covered, so there is nothing to fetch again: an answer without rows over the bar that is open now.
        const now = yield* Clock.currentTimeMillis
        const range = {
          start: Timeframe.floor(series.timeframe, now),
          end: openEnd(series.timeframe, now, series.calendar)
        }
        return yield* readStored(desk, series, range, { onMissing: "partial" })
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    rebuild: (options = {}) => rebuild(context, options),

    explain: Effect.fn("StitchingCache.explain")(function* (key, ts, options = {}) {
      return yield* explain(context, yield* barSeries(key), ts, options.asOf)
    }, Effect.mapError(asServiceError)),

    forget: Effect.fn("StitchingCache.forget")(
      function* (key) {
        const text = canonical(key)
        const known = (yield* market.series).find((summary) => canonical(summary.series) === text)
        if (known === undefined) {
          return yield* new UnknownSeries({ series: text })
        }
        const desk = yield* context.deskOf(text)
        // What is on its way would bring the series back behind the archive's back.
        return yield* whenQuiet(desk, `forgetting ${text}`, forget(context, desk, known.series))
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    )
  })
})

/** Over the archive and the store of one data directory. */
export const layer: Layer.Layer<
  StitchingCache,
  never,
  MarketStore | RecordStore | IngestSession | ProvenanceStore | AdapterRegistry | Quota | Calendar
> = Layer.effect(StitchingCache, make)
