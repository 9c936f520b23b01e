/**
 * How requests about an adjusted series come to share a bar with what is stored beside them, so that their answers can be
 * compared (weigh.ts) without another call.
 */
import { Effect } from "effect"
import * as Intervals from "../../domain/Intervals.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { alignmentOf, type VendorLimits } from "../../domain/VendorLimits.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import { finalEnd, finalSince } from "./finality.ts"
import type { InFlight } from "./InFlight.ts"
import type { RequestDraft } from "./planner.ts"
import type { BarSeries, Fetcher } from "./project.ts"

type Limited = Pick<Fetcher, "limits" | "fetch">

/** Within the time of one symbol. */
const isOfOneSymbol = ({ fetch }: Limited, { key }: BarSeries, range: TimeRange): boolean => {
  const periods = fetch.symbolPeriods?.(key) ?? []
  return periods.length < 2 || periods.some(({ end, start }) => start <= range.start && range.end <= end)
}

const endOfBar = ({ limits }: Limited, { timeframe }: BarSeries, ts: EpochMillis): EpochMillis =>
  limits.stampsOnGrid || !Timeframe.isIntraday(timeframe)
    ? Timeframe.periodEnd(timeframe, ts)
    : ts + Timeframe.maxMillis(timeframe)

const isAllowed = (fetcher: Limited, series: BarSeries, range: TimeRange): boolean => {
  const { limits } = fetcher
  const { timeframe } = series
  const { end, start } = range
  if (!isOfOneSymbol(fetcher, series, range)) return false
  const { maxRows, maxSpan } = limits.timeframes[timeframe] ?? { maxRows: null, maxSpan: null }
  const least = timeframe === "1mo" || timeframe === "3mo" ? 28 * 86_400_000 : Timeframe.maxMillis(timeframe)
  return end - start <= Math.min(maxSpan ?? Infinity, maxRows === null ? Infinity : maxRows * least)
}

/** Nothing before this can be asked for at `now`. */
export const reachOf = ({ limits }: Pick<Fetcher, "limits">, { timeframe }: BarSeries, now: EpochMillis): EpochMillis =>
  Math.max(limits.earliest ?? -Infinity, now - (limits.timeframes[timeframe]?.maxAge ?? Infinity), -8.64e15)

/** The range of the one request for these bars; null when one may not ask for so much. */
export const askableBar = (
  fetcher: Limited,
  series: BarSeries,
  stamps: ReadonlyArray<EpochMillis>
): TimeRange | null => {
  const range = { start: Math.min(...stamps), end: endOfBar(fetcher, series, Math.max(...stamps)) }
  // Two bars far apart are two small requests, whatever the vendor would allow: rows cost, too.
  const isNear = range.end - range.start <= 64 * Timeframe.maxMillis(series.timeframe)
  return stamps.length === 1 || (isNear && isAllowed(fetcher, series, range)) ? range : null
}

/** Room for a bar on each side of a request. */
export const withRoom = (limits: VendorLimits, { timeframe }: BarSeries): VendorLimits => {
  const limit = limits.timeframes[timeframe]
  if (limit === undefined || alignmentOf(limits, timeframe) !== null) return limits
  const bar = Timeframe.maxMillis(timeframe)
  const { maxRows, maxSpan } = limit
  return {
    ...limits,
    timeframes: {
      ...limits.timeframes,
      [timeframe]: {
        ...limit,
        maxSpan: maxSpan !== null && maxSpan >= 4 * bar ? maxSpan - 2 * bar : maxSpan,
        maxRows: maxRows !== null && maxRows >= 4 ? maxRows - 2 : maxRows
      }
    }
  }
}

const isClosedBetween = (series: BarSeries, end: EpochMillis, start: EpochMillis): boolean =>
  end === start ||
  Intervals.subtract([{ start: end, end: start }], series.closedIn({ start: end, end: start })).length === 0

/** Without a hole, and without a bar: what lies between a stored bar and a request that borders on it. */
const isClosed = Effect.fnUntraced(function* (market: MarketStore["Service"], series: BarSeries, gap: TimeRange) {
  if (gap.start >= gap.end) return true
  const known = yield* market.coverage(series.key, gap)
  const without = Intervals.union(
    Intervals.mergeNear(
      known.filter(({ state }) => state._tag === "Covered" || state._tag === "Empty"),
      0
    ),
    series.closedIn(gap)
  )
  return Intervals.subtract([gap], without).length === 0
})

/** The last end of ranges at or before an instant. */
const latest = (ranges: ReadonlyArray<{ readonly range: TimeRange }>, instant: EpochMillis): EpochMillis | undefined =>
  ranges.reduce<EpochMillis | undefined>(
    (last, { range: { end } }) => (end <= instant && end > (last ?? -Infinity) ? end : last),
    undefined
  )

/**
 * Widens each request to the final bar that is stored next to it on either side, or, between two requests of the plan, by the
 * bar before, as between one and what is on its way already; never beyond what the vendor allows, over what is not known to be without bars, or from what is final into what
 * is not. Vendors whose answers are whole files are asked for whole files.
 */
export const widened = Effect.fnUntraced(function* (
  market: MarketStore["Service"],
  fetcher: Fetcher,
  series: BarSeries,
  drafts: ReadonlyArray<RequestDraft>,
  inFlight: ReadonlyArray<InFlight>,
  now: EpochMillis
) {
  const { limits } = fetcher
  const { timeframe } = series
  if (alignmentOf(limits, timeframe) !== null) return drafts
  const settled = finalEnd(timeframe, now, limits, series.calendar)
  const reach = reachOf(fetcher, series, now)
  const wide: Array<RequestDraft> = []
  for (const [index, draft] of drafts.entries()) {
    const { end, start } = draft.range
    const ended = latest([...drafts.slice(Math.max(0, index - 1), index), ...inFlight], start)
    const begins = drafts[index + 1]?.range.start
    const follows = ended !== undefined && isClosedBetween(series, ended, start)
    const precedes = begins !== undefined && isClosedBetween(series, end, begins)
    const { after, before } =
      follows && precedes ? { after: null, before: null } : yield* market.surroundings(series.key, draft.range)
    let range = draft.range
    const from = follows
      ? limits.stampsOnGrid
        ? Timeframe.floor(timeframe, ended - 1)
        : ended - Timeframe.maxMillis(timeframe)
      : (before?.ts ?? -Infinity)
    if (from >= reach && isAllowed(fetcher, series, { start: from, end })) {
      const bordering =
        follows ||
        (before !== null && (yield* isClosed(market, series, { start: endOfBar(fetcher, series, from), end: start })))
      if (bordering) range = { start: from, end }
    }
    if (!precedes && after !== null) {
      const to = endOfBar(fetcher, series, after.ts)
      const fitting = (!draft.final || to <= settled) && isAllowed(fetcher, series, { start: range.start, end: to })
      if (fitting && (yield* isClosed(market, series, { start: end, end: after.ts }))) {
        range = { start: range.start, end: to }
      }
    }
    const since =
      draft.final && draft.notBefore !== null ? finalSince(timeframe, range.end, limits, series.calendar) : null
    wide.push({
      ...draft,
      range,
      notBefore: since === null ? draft.notBefore : Math.max(since, draft.notBefore ?? since)
    })
  }
  return wide
})
