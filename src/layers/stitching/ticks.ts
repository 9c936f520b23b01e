/**
 * Ranges of single trades and quotes from the store, and what is missing from the vendor's history, once: the plan, its execution and
 * the answer, by what does the same for bars (StitchingCacheLive.ts says how readers stand in line).
 *
 * Hard cases: how many pages a range takes is known when they have come, so a request of a plan is the first of as many as it takes. What each
 * page proves is kept when a later one fails. Nothing that is not final is asked for: a page that ends in the newest second would prove
 * what is not so. A vendor that is gone, or has no such history, leaves what is stored.
 */
import { Effect, Stream } from "effect"
import * as Intervals from "../../domain/Intervals.ts"
import type { Plan } from "../../domain/Plan.ts"
import type { TickSeries } from "../../domain/records/TickSeries.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import {
  RangeIncomplete,
  type RangeQuery,
  type TickAnswer,
  type TickReadOptions,
  TooManyRows
} from "../../services/StitchingCache.ts"
import { asServiceError, seenOf } from "./answerOf.ts"
import { applyArchived } from "./applyArchived.ts"
import type { CacheContext } from "./CacheContext.ts"
import { checkRoom } from "./checkRoom.ts"
import { isOurs } from "./failure.ts"
import { fetchMissing, type Gathered, planned } from "./fetchMissing.ts"
import { planOf } from "./planOf.ts"
import { commonFailure, holesOf, report } from "./report.ts"
import { acceptable } from "./SeriesDesk.ts"
import { allowed, stored } from "./storedRange.ts"
import { tickFetcher, tickSeries, tickVendor } from "./tickSeries.ts"

type TickQuery = RangeQuery & { readonly series: TickSeries }

/** What can be read of a series, with its vendor where that is there to be asked. */
const readable = Effect.fnUntraced(function* (context: CacheContext, key: TickSeries) {
  const vendor = yield* Effect.orElseSucceed(tickVendor(context, key), () => null)
  const fetcher = vendor === null ? null : tickFetcher(vendor)
  return { series: tickSeries(context, key, vendor), fetcher, desk: yield* context.deskOf(canonical(key)) }
})

const askable = Effect.fnUntraced(function* (context: CacheContext, key: TickSeries) {
  const vendor = yield* tickVendor(context, key)
  return {
    series: tickSeries(context, key, vendor),
    fetcher: tickFetcher(vendor),
    desk: yield* context.deskOf(canonical(key))
  }
})

export const storedTicks = Effect.fnUntraced(function* (
  context: CacheContext,
  key: TickSeries,
  range: TimeRange,
  asOf?: EpochMillis
) {
  const { desk, fetcher, series } = yield* readable(context, key)
  return {
    ...(yield* stored(context, desk, series, fetcher, range, asOf)),
    inFlight: acceptable(desk, "cacheFirst", range)
  }
})

export const planTicks = Effect.fnUntraced(function* (
  context: CacheContext,
  { policy: wanted = "cacheFirst", range, series: key }: TickQuery
) {
  const policy = yield* allowed(context, key, wanted)
  if (policy === "cacheOnly") return (yield* storedTicks(context, key, range)).plan
  const { desk, fetcher, series } = yield* askable(context, key)
  return yield* desk.planning.withPermit(
    Effect.gen(function* () {
      yield* applyArchived(context, desk, series, fetcher)
      return (yield* planOf(context, fetcher, series, range, policy, acceptable(desk, policy, range))).plan
    })
  )
})

const checkRows = Effect.fnUntraced(function* (context: CacheContext, key: TickSeries, range: TimeRange) {
  const limit = context.maxAnswerRows
  const rows = yield* context.records.count(key, range)
  return rows > limit ? yield* new TooManyRows({ rows, limit }) : rows
})

const rowsOf = (context: CacheContext, key: TickSeries, range: TimeRange, read: { readonly asOf?: EpochMillis }) =>
  Stream.mapError(context.records.rows(key, range, read), (error) => asServiceError(error))

const nothingAsked = (plan: Plan): Gathered => ({
  plan,
  losses: [],
  fetched: [],
  requests: 0,
  sharedRequests: 0,
  rowsRejected: 0
})

/** The answer that what was gathered allows, or why there is none; `asOf` is of one for which nobody was asked. */
const answered = Effect.fnUntraced(function* (
  context: CacheContext,
  key: TickSeries,
  { fetched, losses, plan, requests, sharedRequests }: Gathered,
  { asOf, onMissing = "fail" }: Pick<TickReadOptions, "asOf" | "onMissing">,
  known: Parameters<typeof report>[1]
) {
  const { range } = plan
  const ours = losses.find(({ failure }) => isOurs(failure))
  if (ours !== undefined) return yield* ours.failure
  const coverage = report(plan, known, losses)
  const holes = holesOf(coverage)
  if (onMissing === "fail" && holes.length > 0) {
    return yield* commonFailure(key, holes, losses) ?? new RangeIncomplete({ holes })
  }
  const limit = context.maxAnswerRows
  const read = asOf === undefined ? {} : { asOf }
  // The store counts only what is known now.
  const rowCount =
    asOf === undefined
      ? yield* checkRows(context, key, range)
      : yield* Stream.runCount(Stream.take(context.records.rows(key, range, read), limit + 1))
  if (rowCount > limit) return yield* new TooManyRows({ rows: rowCount, limit })
  const counts = yield* Effect.forEach(Intervals.intersect(Intervals.normalise(fetched), [range]), (piece) =>
    context.records.count(key, piece)
  )
  const answer: TickAnswer = {
    series: key,
    range,
    plan,
    coverage,
    rowCount,
    rowsFromVendor: counts.reduce((sum, count) => sum + count, 0),
    requests,
    sharedRequests,
    rows: rowsOf(context, key, range, read)
  }
  return answer
})

export const readTicks = Effect.fnUntraced(function* (
  context: CacheContext,
  { policy: wanted = "cacheFirst", range, series: key }: TickQuery,
  options: TickReadOptions
) {
  const policy = yield* allowed(context, key, wanted)
  if (policy === "cacheOnly" || options.asOf !== undefined) {
    const { coverage, plan } = yield* storedTicks(context, key, range, options.asOf)
    return yield* answered(context, key, nothingAsked(plan), options, coverage)
  }
  const { desk, fetcher, series } = yield* askable(context, key)
  const gathered = yield* fetchMissing(
    { context, desk, fetcher, series, range, policy },
    planned(context, fetcher, series, range, policy),
    (drafts) => Effect.andThen(checkRows(context, key, range), checkRoom(context, series, drafts)),
    options.progress ?? (() => Effect.void)
  )
  const { known } = yield* seenOf(context, key, range)
  return yield* answered(context, key, gathered, { onMissing: options.onMissing ?? "fail" }, known)
})
