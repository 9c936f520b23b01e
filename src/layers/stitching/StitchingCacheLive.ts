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
import { Clock, Effect, Layer } from "effect"
import type { Plan, RangePolicy } from "../../domain/Plan.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { IngestSession } from "../../services/IngestSession.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { Quota } from "../../services/Quota.ts"
import { type ReadOptions, StitchingCache } from "../../services/StitchingCache.ts"
import { answerAsOf, answerOf, asServiceError, checkRows } from "./answering.ts"
import { given, planned, setOut } from "./boarding.ts"
import { explain } from "./explaining.ts"
import { openEnd } from "./finality.ts"
import { barSeries, gridOnly, offered, planOf, storedPlan } from "./planning.ts"
import type { BarSeries, Fetcher } from "./projection.ts"
import { refetch } from "./refetching.ts"
import { applyArchived } from "./replay.ts"
import { report, withFlights } from "./report.ts"
import { acceptable, type SeriesDesk } from "./SeriesDesk.ts"
import * as Workshop from "./Workshop.ts"

const noProgress: NonNullable<ReadOptions["progress"]> = () => Effect.void

const make = Effect.gen(function* () {
  const workshop = yield* Workshop.make
  const { market, registry } = workshop

  /** The vendor, or null where its absence does not matter: what is stored can be read without it. */
  const fetcherOf = ({ key }: BarSeries, needed: boolean) =>
    needed ? registry.fetcher(key.vendor) : Effect.orElseSucceed(registry.fetcher(key.vendor), () => null)

  /** What is stored, once everything that is archived has been applied. */
  const stored = Effect.fnUntraced(function* (
    desk: SeriesDesk,
    series: BarSeries,
    range: TimeRange,
    asOf: number | undefined
  ) {
    const fetcher = yield* fetcherOf(series, false)
    if (fetcher !== null) yield* desk.planning.withPermit(applyArchived(workshop, desk, series, fetcher))
    const now = yield* Clock.currentTimeMillis
    const coverage = yield* market.coverage(series.key, range, asOf === undefined ? {} : { asOf })
    return { coverage, plan: storedPlan(series, range, now, coverage) }
  })

  const readStored = Effect.fnUntraced(function* (
    desk: SeriesDesk,
    series: BarSeries,
    range: TimeRange,
    options: ReadOptions
  ) {
    const { coverage, plan } = yield* stored(desk, series, range, options.asOf)
    const onMissing = options.onMissing ?? "fail"
    if (options.asOf !== undefined) return yield* answerAsOf(workshop, plan, coverage, options.asOf, onMissing)
    const arrival = { plan, coverage, losses: [], fetched: [], requests: 0, sharedRequests: 0 }
    return yield* answerOf(workshop, arrival, onMissing)
  })

  /** A range in which no bar of the timeframe can be stamped: a whole answer, without rows. */
  const readNothing = Effect.fnUntraced(function* (
    series: BarSeries,
    range: TimeRange,
    onMissing: ReadOptions["onMissing"]
  ) {
    const plan = gridOnly(series, range, yield* Clock.currentTimeMillis)
    const arrival = { plan, coverage: [], losses: [], fetched: [], requests: 0, sharedRequests: 0 }
    return yield* answerOf(workshop, arrival, onMissing ?? "fail")
  })

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
    const arrival = yield* setOut(
      { workshop, desk, fetcher, series, range, policy },
      plan === null ? planned(workshop, fetcher, series, range, policy) : given(workshop, fetcher, series, plan),
      checkRows(workshop, series.key, range),
      options.progress ?? noProgress
    )
    return yield* answerOf(workshop, arrival, options.onMissing ?? "fail")
  })

  return StitchingCache.of({
    plan: Effect.fn("StitchingCache.plan")(
      function* ({ policy = "cacheFirst", range: asked, series: key }) {
        const series = yield* barSeries(key)
        const range = Timeframe.stamps(series.timeframe, asked)
        if (range === null) return gridOnly(series, asked, yield* Clock.currentTimeMillis)
        const desk = yield* workshop.deskOf(series.text)
        if (policy === "cacheOnly") return (yield* stored(desk, series, range, undefined)).plan
        const fetcher = yield* registry.fetcher(key.vendor)
        yield* offered(fetcher, series)
        return yield* desk.planning.withPermit(
          Effect.gen(function* () {
            yield* applyArchived(workshop, desk, series, fetcher)
            const inFlight = acceptable(desk, policy, range)
            return (yield* planOf(workshop, fetcher, series, range, policy, inFlight)).plan
          })
        )
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    read: Effect.fn("StitchingCache.read")(
      function* ({ policy = "cacheFirst", range: asked, series: key }, options = {}) {
        const series = yield* barSeries(key)
        const range = Timeframe.stamps(series.timeframe, asked)
        if (range === null) return yield* readNothing(series, asked, options.onMissing)
        const desk = yield* workshop.deskOf(series.text)
        return policy === "cacheOnly" || options.asOf !== undefined
          ? yield* readStored(desk, series, range, options)
          : yield* readThrough(desk, series, range, policy, options, null)
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    execute: Effect.fn("StitchingCache.execute")(
      function* (plan, options = {}) {
        const series = yield* barSeries(plan.series)
        const desk = yield* workshop.deskOf(series.text)
        if (plan.policy === "cacheOnly" || options.asOf !== undefined) {
          return yield* readStored(desk, series, plan.range, options)
        }
        return yield* readThrough(desk, series, plan.range, plan.policy, options, plan)
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    coverage: Effect.fn("StitchingCache.coverage")(
      function* (key, asked, options = {}) {
        const series = yield* barSeries(key)
        const range = Timeframe.stamps(series.timeframe, asked)
        if (range === null) return report(gridOnly(series, asked, 0).pieces, [], [])
        const desk = yield* workshop.deskOf(series.text)
        const inFlight = acceptable(desk, "cacheFirst", range)
        const { coverage, plan } = yield* stored(desk, series, range, options.asOf)
        return withFlights(report(plan.pieces, coverage, []), options.asOf === undefined ? inFlight : [])
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    invalidate: Effect.fn("StitchingCache.invalidate")(function* (key, asked) {
      const series = yield* barSeries(key)
      const range = Timeframe.stamps(series.timeframe, asked)
      if (range !== null) yield* market.invalidate(key, range, yield* Clock.currentTimeMillis)
    }, Effect.mapError(asServiceError)),

    refetch: Effect.fn("StitchingCache.refetch")(
      function* (key) {
        const series = yield* barSeries(key)
        const fetcher = yield* registry.fetcher(key.vendor)
        yield* offered(fetcher, series)
        const desk = yield* workshop.deskOf(series.text)
        const arrival = yield* desk.refetching.withPermit(refetch(workshop, desk, fetcher, series))
        if (arrival !== null) return yield* answerOf(workshop, arrival, "partial")
        // Nothing is covered, so there is nothing to fetch again: an answer without rows over the bar that is open now.
        const now = yield* Clock.currentTimeMillis
        const range = { start: Timeframe.floor(series.timeframe, now), end: openEnd(series.timeframe, now) }
        return yield* readStored(desk, series, range, { onMissing: "partial" })
      },
      Effect.scoped,
      Effect.mapError(asServiceError)
    ),

    explain: Effect.fn("StitchingCache.explain")(function* (key, ts, options = {}) {
      return yield* explain(workshop, yield* barSeries(key), ts, options.asOf)
    }, Effect.mapError(asServiceError))
  })
})

/** Over the archive and the store of one data directory. */
export const layer: Layer.Layer<
  StitchingCache,
  never,
  MarketStore | IngestSession | ProvenanceStore | AdapterRegistry | Quota
> = Layer.effect(StitchingCache, make)
