/** From a query to a priced plan, with what must be asked of the store and the quota on the way. */
import { Clock, Effect, Option } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { Plan, PlannedRequest, RangePolicy } from "../../domain/Plan.ts"
import type { SymbolPeriod } from "../../domain/SymbolChange.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { alignmentOf } from "../../domain/VendorLimits.ts"
import type { VendorError } from "../../services/Adapter.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { Quota } from "../../services/Quota.ts"
import { TooManyRequests } from "../../services/StitchingCache.ts"
import { unsupported } from "./barSeries.ts"
import { isAdjusted } from "./basis.ts"
import * as CellGrid from "./CellGrid.ts"
import type { InFlight } from "./InFlight.ts"
import { widened, withRoom } from "./overlap.ts"
import { draft, type RequestDraft } from "./planner.ts"
import { storedPieces } from "./planPieces.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { maxRequests } from "./splitRequests.ts"
import { walker } from "./stretchesOf.ts"

interface Services {
  readonly market: MarketStore["Service"]
  readonly quota: Quota["Service"]
}

/** Refuses a timeframe that the vendor does not have, before anything is spent on it. */
export const offered = ({ limits, name }: Fetcher, { timeframe }: BarSeries): Effect.Effect<void, VendorError> =>
  limits.timeframes[timeframe] !== undefined
    ? Effect.void
    : Effect.fail(
        unsupported(
          name,
          `no bars of ${timeframe}; it has ${Timeframe.all.filter((offer) => limits.timeframes[offer] !== undefined).join(", ") || "none"}`
        )
      )

const cellsOf = ({ limits, name }: Fetcher, { timeframe }: BarSeries) => {
  const alignment = alignmentOf(limits, timeframe)
  if (alignment === null) return Effect.succeed(null)
  return Option.match(CellGrid.make(alignment, timeframe), {
    onNone: () => Effect.fail(unsupported(name, `its answers are cut in an unknown zone: ${alignment.zone}`)),
    onSome: Effect.succeed
  })
}

/** A turn of the event loop after a step that made many things. */
const many = (made: ReadonlyArray<unknown>): Effect.Effect<void> =>
  made.length < 1_000 ? Effect.void : Effect.yieldNow

/** The years of a long range as a calendar computes them when it is asked first: each in a turn of its own. */
const withYears = Effect.fnUntraced(function* ({ calendar }: BarSeries, range: TimeRange) {
  if (calendar === null) return
  const { known } = calendar
  const first = new Date(Math.max(range.start, known.start)).getUTCFullYear()
  const last = new Date(Math.min(range.end, known.end)).getUTCFullYear()
  if (last - first < 3) return
  for (let year = first; year <= last; year++) {
    calendar.sessionOn(Date.UTC(year, 0, 1))
    yield* Effect.yieldNow
  }
})

/** No request reaches from the time of one symbol into that of another. */
const cutAtSymbols = (
  drafts: ReadonlyArray<RequestDraft>,
  periods: ReadonlyArray<SymbolPeriod>
): ReadonlyArray<RequestDraft> =>
  periods.length < 2
    ? drafts
    : drafts.flatMap((draft) =>
        periods.flatMap((period) => Intervals.intersect([draft.range], [period]).map((range) => ({ ...draft, range })))
      )

const symbolOf = ({ fetch }: Fetcher, { key }: BarSeries, range: TimeRange) => {
  const then = fetch.symbolPeriods?.(key).find(({ end, start }) => start <= range.start && range.start < end)
  return then === undefined || then.symbol === null || then.symbol === key.symbol ? {} : { symbol: then.symbol }
}

/** Requests with their price and the wait that the quota foresees, in the order in which they will be made. */
const price = Effect.fnUntraced(function* (
  quota: Quota["Service"],
  fetcher: Fetcher,
  series: BarSeries,
  drafts: ReadonlyArray<RequestDraft>
) {
  if (drafts.length === 0) return []
  const asked = yield* Effect.forEach(drafts, ({ range }) => fetcher.fetch.request(series.key, range))
  const { maxInFlight, windows } = fetcher.limits
  let waits: ReadonlyArray<number> = []
  if (windows.length > 0 || maxInFlight !== null) {
    // The account's first plan may come before its first call.
    yield* quota.configure(fetcher.account, { windows, maxInFlight })
    waits = yield* quota.forecast(
      fetcher.account,
      asked.map(({ keys, weight }) => ({ keys, weight, priority: 0 }))
    )
  }
  return drafts.map((planned, index): PlannedRequest => {
    const request = asked[index]
    const cost = request === undefined ? 0 : fetcher.fetch.cost(request)
    return { ...planned, ...symbolOf(fetcher, series, planned.range), waits: waits[index] ?? 0, cost }
  })
})

/**
 * The plan for a range that has stamps, as things are now. `inFlight` must have been looked at before this looks at the
 * store: what lands in between is then planned as pending, never twice.
 */
export const planOf = Effect.fnUntraced(function* (
  { market, quota }: Services,
  fetcher: Fetcher,
  series: BarSeries,
  range: TimeRange,
  policy: RangePolicy,
  inFlight: ReadonlyArray<InFlight>,
  overlaps = isAdjusted(series.key)
) {
  const cells = yield* cellsOf(fetcher, series)
  const now = yield* Clock.currentTimeMillis
  const coverage = yield* market.coverage(series.key, range)
  yield* withYears(series, range)
  const closed = series.closedIn(range)
  yield* many(closed)
  const { pieces: whole, requests: uncut } = draft({
    timeframe: series.timeframe,
    range,
    policy,
    now,
    limits: overlaps ? withRoom(fetcher.limits, series) : fetcher.limits,
    calendar: series.calendar,
    closed,
    cells,
    coverage,
    inFlight,
    overlaps,
    finalOnly: series.apply !== undefined
  })
  yield* many(whole)
  const requests = cutAtSymbols(uncut, fetcher.fetch.symbolPeriods?.(series.key) ?? [])
  const requestsIn = walker(requests, ({ range }) => range)
  const pieces =
    requests.length === uncut.length
      ? whole
      : whole.map((piece) => (piece.requests === 0 ? piece : { ...piece, requests: requestsIn.count(piece) }))
  if (requests.length > maxRequests) return yield* new TooManyRequests({ limit: maxRequests })
  const drafts = overlaps ? yield* widened(market, fetcher, series, requests, inFlight, now) : requests
  const priced = yield* price(quota, fetcher, series, drafts)
  const plan: Plan = {
    series: series.key,
    range,
    policy,
    plannedAt: now,
    pieces,
    requests: priced,
    waits: priced.reduce((most, request) => Math.max(most, request.waits), 0),
    cost: priced.reduce((sum, request) => sum + request.cost, 0),
    ...(series.apply !== undefined && priced.length > 0 ? { atLeast: true } : {})
  }
  return { plan, coverage }
})

/** The plan that asks nobody: what is stored, as it is. */
export const storedPlan = (
  series: BarSeries,
  range: TimeRange,
  now: number,
  coverage: ReadonlyArray<StoredCoverage>
): Plan => ({
  series: series.key,
  range,
  policy: "cacheOnly",
  plannedAt: now,
  pieces: storedPieces(range, coverage, series.calendar, series.closedIn(range)),
  requests: [],
  waits: 0,
  cost: 0
})

/** The plan for a range in which no bar of the timeframe can be stamped: there is nothing to have. */
export const gridOnly = (series: BarSeries, range: TimeRange, policy: RangePolicy, now: number): Plan => ({
  ...storedPlan(series, range, now, []),
  policy,
  pieces: [{ ...range, from: "store", state: { _tag: "Closed", calendar: "stamps" }, requests: 0 }]
})
