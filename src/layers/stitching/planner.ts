/**
 * The pure part of a plan: from what is stored, what the vendor allows, the instant and the policy, to the pieces of a range
 * and the requests that would fill it. Nothing here asks anyone anything; every step is linear in its sorted inputs.
 */

import type { StoredCoverage } from "../../domain/Coverage.ts"
import { type CoverageState, stands } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { PlannedRequest, PlanPiece, RangePolicy } from "../../domain/Plan.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import { type EpochMillis, iso, type TimeRange } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import type { VendorLimits } from "../../domain/VendorLimits.ts"
import type { CellGrid } from "./CellGrid.ts"
import { finalEnd, finalSince, openEnd } from "./finality.ts"
import type { InFlight } from "./InFlight.ts"
import { type Askable, piecesOf, storedPieces } from "./planPieces.ts"
import { dueSince, withDue } from "./recheck.ts"
import { maxRequests, split } from "./splitRequests.ts"
import { type Stretch, stretchesOf } from "./stretchesOf.ts"

export interface PlanInput {
  readonly timeframe: Timeframe.Timeframe
  readonly range: TimeRange
  readonly policy: RangePolicy
  readonly now: EpochMillis
  readonly limits: VendorLimits
  /** The calendar of the series; null: every instant may have a bar. */
  readonly calendar: TradingCalendar | null
  /** The stamps that have no bar by the calendar, over the range and the bars that its bounds cut: sorted, disjoint. */
  readonly closed: Intervals.Ranges
  /** Null only where the vendor does not cut its answers. */
  readonly cells: CellGrid | null
  /** What the store knows of the range: sorted, disjoint. */
  readonly coverage: ReadonlyArray<StoredCoverage>
  /** Requests in flight whose answer this policy accepts. */
  readonly inFlight: ReadonlyArray<InFlight>
  /** Whether each request is to share a bar with the one before. */
  readonly overlaps?: boolean
  /** Whether nobody is asked for what is not final: of single trades and quotes a part says nothing that holds. */
  readonly finalOnly?: boolean
}

export type RequestDraft = Pick<PlannedRequest, "range" | "final" | "notBefore">

export interface PlanDraft {
  readonly pieces: ReadonlyArray<PlanPiece>
  readonly requests: ReadonlyArray<RequestDraft>
}

const isServed = ({ due, stored }: Stretch, policy: RangePolicy, now: EpochMillis): boolean => {
  if (stored === null || due === true || policy === "force") return false
  return stands(stored, now) && !(policy === "refresh" && stored.state._tag === "Provisional")
}

/** Outwards to the bars that the bounds cut, so that a range that ends inside a bar does not leave a sliver to ask for. */
const toWholeBars = (ranges: Intervals.Ranges, within: TimeRange, input: PlanInput): Intervals.Ranges =>
  !input.limits.stampsOnGrid
    ? ranges
    : Intervals.mergeNear(
        ranges.map((range) => ({
          start: Math.max(Timeframe.floor(input.timeframe, range.start), within.start),
          end: Math.min(Timeframe.ceil(input.timeframe, range.end), within.end)
        })),
        0
      )

const toWholeCells = (ranges: Intervals.Ranges, within: TimeRange, cells: CellGrid): Intervals.Ranges =>
  Intervals.mergeNear(
    ranges.map((range) => ({
      start: Math.max(cells.start(range.start), within.start),
      end: Math.min(cells.start(range.end) === range.end ? range.end : cells.next(range.end), within.end)
    })),
    0
  )

const without = (ranges: Intervals.Ranges, pending: Intervals.Ranges): Intervals.Ranges =>
  pending.length === 0 ? ranges : Intervals.subtract(ranges, pending)

/** Cuts what is needed into the ranges of single requests. `within` is what may be asked for at all. */
const requestRanges = (
  missing: Intervals.Ranges,
  within: TimeRange,
  pending: Intervals.Ranges,
  input: PlanInput
): Intervals.Ranges => {
  const { calendar, cells, closed, limits, now, timeframe } = input
  const limit = limits.timeframes[timeframe] ?? { maxSpan: null, maxRows: null }
  const bars = toWholeBars(missing, within, input)
  if (cells !== null) {
    const near = Intervals.mergeNear(without(bars, closed), limits.mergeWithin)
    // A cell that is still growing is one request, although a part of it is final already: its bytes come as a whole.
    const wanted = without(toWholeCells(near, within, cells), pending)
    return split(Intervals.splitBySpan(wanted, 0, cells.next, maxRequests), timeframe, limit, [])
  }
  const wanted = without(Intervals.mergeNear(bars, limits.mergeWithin), pending)
  const settled = finalEnd(timeframe, now, limits, calendar)
  const final = Intervals.intersect(wanted, [{ start: -Infinity, end: settled }])
  const open = Intervals.intersect(wanted, [{ start: settled, end: Infinity }])
  return split([...final, ...open], timeframe, limit, closed, input.overlaps)
}

/**
 * How young each answer must be. For the final: any that came after that became so, after an "empty" that has run
 * out, and after a recheck was due. For the rest: younger than what ran out, and than what would have run out by now had it been had.
 */
const withAges = (
  ranges: Intervals.Ranges,
  stretches: ReadonlyArray<Stretch>,
  input: PlanInput
): Array<RequestDraft> => {
  const { calendar, limits, now, policy, timeframe } = input
  const settled = finalEnd(timeframe, now, limits, calendar)
  let first = 0
  return ranges.map((range) => {
    const final = range.end <= settled
    if (policy !== "cacheFirst") return { range, final, notBefore: now }
    let notBefore = final ? finalSince(timeframe, range.end, limits, calendar) : now - limits.provisionalFor + 1
    while (first < stretches.length && (stretches[first]?.end ?? 0) <= range.start) first++
    for (let i = first; i < stretches.length; i++) {
      const stretch = stretches[i]
      if (stretch === undefined || stretch.start >= range.end) break
      const state = stretch.stored?.state
      const ranOut =
        stretch.due === true
          ? dueSince(input, stretch.end)
          : state?._tag === "Empty"
            ? state.recheckAfter
            : state?._tag === "Provisional" && !final
              ? state.until
              : null
      if (ranOut !== null && ranOut <= now && ranOut > notBefore) notBefore = ranOut
    }
    return { range, final, notBefore }
  })
}

const hour = 3_600_000

/** Whole days where it is that; else hours. */
const ageText = (age: number): string =>
  age % (24 * hour) === 0 ? `${age / (24 * hour)} days` : `${Math.floor((10 * age) / hour) / 10} hours`

const tooOld = (timeframe: Timeframe.Timeframe, maxAge: number, oldest: EpochMillis): CoverageState => ({
  _tag: "Missing",
  cause: {
    tag: "TooOld",
    message: `the vendor gives ${timeframe} bars of the last ${ageText(maxAge)} only, now from ${iso(oldest)} on`
  }
})

const notYet = (message: string): CoverageState => ({ _tag: "Missing", cause: { tag: "NotYet", message } })
const inTheFuture = notYet("lies in the future; ask again when it is over")
const notHadYet = notYet("is not over, or so new that the vendor's history does not have it yet; ask again later")

/** Between which instants the vendor may be asked. */
const askableOf = ({ calendar, finalOnly, limits, now, timeframe }: PlanInput): Askable => {
  const { earliest, stampsOnGrid } = limits
  const onGrid = stampsOnGrid || !Timeframe.isIntraday(timeframe)
  const first =
    earliest === null ? Number.MIN_SAFE_INTEGER : stampsOnGrid ? Timeframe.ceil(timeframe, earliest) : earliest
  const maxAge = limits.timeframes[timeframe]?.maxAge ?? null
  const oldest = maxAge === null ? first : Timeframe.ceil(onGrid ? timeframe : "1m", now - maxAge)
  return {
    earliest: first,
    start: Math.max(first, oldest),
    end: finalOnly === true ? finalEnd(timeframe, now, limits, calendar) : openEnd(timeframe, now, calendar),
    notYet: finalOnly === true ? notHadYet : inTheFuture,
    tooOld: tooOld(timeframe, maxAge ?? 0, oldest)
  }
}

/** What answering the range takes. `pieces` cover the range exactly; `requests` ascend and are disjoint. */
export const draft = (input: PlanInput): PlanDraft => {
  const { calendar, closed, coverage, inFlight, now, policy, range } = input
  if (policy === "cacheOnly") return { pieces: storedPieces(range, coverage, calendar, closed), requests: [] }
  const stretches = withDue(stretchesOf(range, coverage), input, now)
  const askable = askableOf(input)
  const missing = stretches.filter((stretch) => !isServed(stretch, policy, now))
  const pending = Intervals.normalise(inFlight.map((flight) => flight.range))
  const needed = without(Intervals.intersect(Intervals.mergeNear(missing, 0), [askable]), pending)
  const requests = withAges(requestRanges(needed, askable, pending, input), stretches, input)
  const pieces = piecesOf(stretches, requests, askable, {
    calendar,
    closed,
    inFlight,
    isServed: (stretch) => isServed(stretch, policy, now)
  })
  return { pieces, requests }
}
