/**
 * Bars made of stored bars of a minute, where of the vendor's own nothing is to be had. Nobody is asked for the minutes: who wants more of them
 * asks for them.
 *
 * What is said of such a bar is what is known of every minute in it: one that lacks a part would have a high, a low and a volume that look
 * like any other's, so it is not given, and its range is missing. A day is made of the minutes of its date in UTC; where a calendar has a session
 * that goes over midnight, or other hours count, it would be no session's, and none is made.
 */
import { Clock, Effect, Stream } from "effect"
import { isComplete } from "../../domain/Coverage.ts"
import { derivedCoverage } from "../../domain/derivedCoverage.ts"
import { isDerived, widthOf } from "../../domain/derivedTimeframes.ts"
import type { RangePolicy } from "../../domain/Plan.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { type RangeAnswer, RangeIncomplete, type ReadOptions, TooManyRows } from "../../services/StitchingCache.ts"
import { asServiceError } from "./answerOf.ts"
import { calendared } from "./barSeries.ts"
import type { CacheContext } from "./CacheContext.ts"
import { derivedRows } from "./derivedRows.ts"
import { storedPlan } from "./planOf.ts"
import type { BarSeries } from "./project.ts"
import { holesOf, report } from "./report.ts"

/** Whether an answer has anything that its vendor said, be it that there is nothing. */
export const saysNothing = ({ coverage, rowCount }: RangeAnswer): boolean =>
  rowCount === 0 && coverage.every(({ state }) => !isComplete(state) || state._tag === "Closed")

const dayMillis = widthOf("1d")

/** What is traded before and after a session goes over midnight where the session alone does not. */
const isNoDate = ({ calendar, key }: BarSeries, { end, start }: TimeRange): boolean =>
  calendar !== null &&
  (key.session !== "regular" ||
    calendar
      .sessions({ start: start - dayMillis, end: end + dayMillis })
      .some(({ close, date, open }) => open < date || close > date + dayMillis))

/** Null where there are none to be made, or none that anything is known of. */
export const deriveBars = Effect.fnUntraced(function* (
  context: CacheContext,
  series: BarSeries,
  range: TimeRange,
  policy: RangePolicy,
  { cuts: seen = 0, generation: pinned, onMissing = "fail" }: ReadOptions
) {
  const { market, maxAnswerRows } = context
  const { key, timeframe } = series
  if (!isDerived(timeframe) || (timeframe === "1d" && isNoDate(series, range))) return null
  const derived = yield* market.derived(key, timeframe, pinned === undefined ? {} : { generation: pinned, cuts: seen })
  if (derived === null) return null
  const { cuts, generation, source } = derived
  const width = widthOf(timeframe)
  const cells = { start: Timeframe.floor(timeframe, range.start), end: Timeframe.ceil(timeframe, range.end) }
  const minutes = yield* calendared(context, source)
  const now = yield* Clock.currentTimeMillis
  const known = yield* market.coverage(source, cells, { generation })
  const plan = { ...storedPlan(series, range, now, []), policy }
  const found = report(storedPlan(minutes, cells, now, known), known, [])
  const coverage = derivedCoverage(found, cells, width).map((interval) => ({
    ...interval,
    start: Math.max(interval.start, range.start),
    end: Math.min(interval.end, range.end)
  }))
  if (!coverage.some(({ state }) => isComplete(state) && state._tag !== "Closed")) return null
  const holes = holesOf(coverage)
  if (onMissing === "fail" && holes.length > 0) return yield* new RangeIncomplete({ holes })
  const bars = derivedRows(derived, coverage)
  const rowCount = yield* Stream.runCount(Stream.take(bars, maxAnswerRows + 1))
  if (rowCount > maxAnswerRows) return yield* new TooManyRows({ rows: rowCount, limit: maxAnswerRows })
  const answer: RangeAnswer = {
    series: key,
    range,
    plan,
    coverage,
    rowCount,
    rowsFromVendor: 0,
    requests: 0,
    sharedRequests: 0,
    generation,
    cuts,
    derived: { from: source },
    bars: Stream.mapError(bars, asServiceError)
  }
  return answer
})
