/**
 * The pure part of a plan: from what is stored, what the vendor allows, the instant and the policy, to the pieces of a range
 * and the requests that would fill it. Nothing here asks anyone anything; every step is linear in its sorted inputs.
 */
import { type CoverageState, isFresh, type StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { PlannedRequest, PlanPiece, RangePolicy } from "../../domain/Plan.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { RequestLimit, VendorLimits } from "../../domain/VendorLimits.ts"
import type { CellGrid } from "./CellGrid.ts"
import { finalEnd, finalSince, openEnd } from "./finality.ts"
import { type Stretch, stretchesOf, walker } from "./stretchesOf.ts"

/** A range that a request in flight will bring. */
export interface InFlight {
  readonly id: string
  readonly range: TimeRange
}

export interface PlanInput {
  readonly timeframe: Timeframe.Timeframe
  readonly range: TimeRange
  readonly policy: RangePolicy
  readonly now: EpochMillis
  readonly limits: VendorLimits
  /** Null only where the vendor does not cut its answers. */
  readonly cells: CellGrid | null
  /** What the store knows of the range: sorted, disjoint. */
  readonly coverage: ReadonlyArray<StoredCoverage>
  /** Requests in flight whose answer this policy accepts. */
  readonly inFlight: ReadonlyArray<InFlight>
}

export type RequestDraft = Pick<PlannedRequest, "range" | "final" | "notBefore">

export interface PlanDraft {
  readonly pieces: ReadonlyArray<PlanPiece>
  readonly requests: ReadonlyArray<RequestDraft>
}

const noCause: CoverageState = { _tag: "Missing", cause: null }
const notYet: CoverageState = {
  _tag: "Missing",
  cause: { tag: "NotYet", message: "lies in the future; ask again when it is over" }
}
const tooEarly = (earliest: EpochMillis): CoverageState => ({
  _tag: "Missing",
  cause: { tag: "BeforeEarliest", message: `the vendor has nothing before ${new Date(earliest).toISOString()}` }
})

/**
 * Most requests of one plan. A range of a million years cut by days would fill memory while nothing else is served: a draft stops
 * at one more, and is none that may be carried out.
 */
export const maxRequests = 100_000

const isServed = (stored: StoredCoverage | null, policy: RangePolicy, now: EpochMillis): boolean => {
  if (stored === null || policy === "force") return false
  return isFresh(stored.state, now) && !(policy === "refresh" && stored.state._tag === "Provisional")
}

/** The shortest distance between two stamps: what a row costs of a limit that is given in rows. */
const minMillis = (timeframe: Timeframe.Timeframe): number => {
  const day = 86_400_000
  return timeframe === "1mo" ? 28 * day : timeframe === "3mo" ? 90 * day : Timeframe.maxMillis(timeframe)
}

const split = (ranges: Intervals.Ranges, timeframe: Timeframe.Timeframe, limit: RequestLimit): Intervals.Ranges => {
  const step = minMillis(timeframe)
  const span = Math.min(limit.maxSpan ?? Infinity, limit.maxRows === null ? Infinity : limit.maxRows * step)
  if (span === Infinity) return ranges
  return timeframe === "1mo" || timeframe === "3mo"
    ? Intervals.splitBySpan(ranges, span, (instant) => Timeframe.ceil(timeframe, instant + 1), maxRequests)
    : Intervals.splitBySpan(ranges, Math.max(step, Math.floor(span / step) * step), undefined, maxRequests)
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
  needed: Intervals.Ranges,
  within: TimeRange,
  pending: Intervals.Ranges,
  input: PlanInput
): Intervals.Ranges => {
  const limit = input.limits.timeframes[input.timeframe] ?? { maxSpan: null, maxRows: null }
  const near = Intervals.mergeNear(toWholeBars(needed, within, input), input.limits.mergeWithin)
  const cells = input.cells
  if (cells !== null) {
    // A cell that is still growing is one request, although a part of it is final already: its bytes come as a whole.
    const wanted = without(toWholeCells(near, within, cells), pending)
    return split(Intervals.splitBySpan(wanted, 0, cells.next, maxRequests), input.timeframe, limit)
  }
  const wanted = without(near, pending)
  const settled = finalEnd(input.timeframe, input.now, input.limits)
  const final = Intervals.intersect(wanted, [{ start: -Infinity, end: settled }])
  const open = Intervals.intersect(wanted, [{ start: settled, end: Infinity }])
  return split([...final, ...open], input.timeframe, limit)
}

/**
 * How young each answer must be. For the final: any that came after that became so, and after an "empty" that has run out.
 * For the rest: younger than what ran out, and than what would have run out by now had it been had.
 */
const withAges = (
  ranges: Intervals.Ranges,
  stretches: ReadonlyArray<Stretch>,
  input: PlanInput
): Array<RequestDraft> => {
  const { limits, now, policy, timeframe } = input
  const settled = finalEnd(timeframe, now, limits)
  let first = 0
  return ranges.map((range) => {
    const final = range.end <= settled
    if (policy !== "cacheFirst") return { range, final, notBefore: now }
    let notBefore = final ? finalSince(timeframe, range.end, limits) : now - limits.provisionalFor + 1
    while (first < stretches.length && (stretches[first]?.end ?? 0) <= range.start) first++
    for (let i = first; i < stretches.length; i++) {
      const stretch = stretches[i]
      if (stretch === undefined || stretch.start >= range.end) break
      const state = stretch.stored?.state
      const ranOut =
        state?._tag === "Empty" ? state.recheckAfter : state?._tag === "Provisional" && !final ? state.until : null
      if (ranOut !== null && ranOut <= now && ranOut > notBefore) notBefore = ranOut
    }
    return { range, final, notBefore }
  })
}

/** Flights may overlap (a forced one beside another): each instant is given to the first. */
export const inOrder = (inFlight: ReadonlyArray<InFlight>): ReadonlyArray<InFlight> => {
  let end = -Infinity
  return [...inFlight]
    .sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end)
    .flatMap(({ id, range }) => {
      const start = Math.max(range.start, end)
      end = Math.max(range.end, end)
      return start < range.end ? [{ id, range: { start, end: range.end } }] : []
    })
}

/** A piece of each stretch that is not served: what is asked for, what is awaited, and what cannot be asked for. */
const piecesOf = (
  stretches: ReadonlyArray<Stretch>,
  requests: ReadonlyArray<RequestDraft>,
  within: TimeRange,
  input: PlanInput
): Array<PlanPiece> => {
  const flightsIn = walker(inOrder(input.inFlight), (flight) => flight.range)
  const requestsIn = walker(requests, (request) => request.range)
  const pieces: Array<PlanPiece> = []
  const add = (from: PlanPiece["from"], start: EpochMillis, end: EpochMillis, state: CoverageState) => {
    if (start >= end) return
    const asked = from === "vendor" && state._tag !== "Pending"
    pieces.push({ start, end, from, state, requests: asked ? requestsIn.count({ start, end }) : 0 })
  }
  for (const { start, end, stored } of stretches) {
    if (isServed(stored, input.policy, input.now)) {
      add("store", start, end, stored?.state ?? noCause)
      continue
    }
    const from = Math.min(Math.max(start, within.start), end)
    const to = Math.max(Math.min(end, within.end), from)
    const state = stored?.state ?? noCause
    if (start < from) add("store", start, from, stored?.state ?? tooEarly(within.start))
    let at = from
    for (const { id, range } of at < to ? flightsIn.members({ start: at, end: to }) : []) {
      add("vendor", at, range.start, state)
      const begin = Math.max(range.start, at)
      at = Math.min(range.end, to)
      add("vendor", begin, at, { _tag: "Pending", flight: id })
    }
    add("vendor", at, to, state)
    add("store", to, end, stored?.state ?? notYet)
  }
  return pieces
}

/** The range as the store has it, stale or not. */
export const storedPieces = (range: TimeRange, coverage: ReadonlyArray<StoredCoverage>): ReadonlyArray<PlanPiece> =>
  stretchesOf(range, coverage).map(({ start, end, stored }) => ({
    start,
    end,
    from: "store",
    state: stored?.state ?? noCause,
    requests: 0
  }))

/** What answering the range takes. `pieces` cover the range exactly; `requests` ascend and are disjoint. */
export const draft = (input: PlanInput): PlanDraft => {
  if (input.policy === "cacheOnly") return { pieces: storedPieces(input.range, input.coverage), requests: [] }
  const stretches = stretchesOf(input.range, input.coverage)
  const { earliest, stampsOnGrid } = input.limits
  const within: TimeRange = {
    start:
      earliest === null ? Number.MIN_SAFE_INTEGER : stampsOnGrid ? Timeframe.ceil(input.timeframe, earliest) : earliest,
    end: openEnd(input.timeframe, input.now)
  }
  const missing = stretches.filter((stretch) => !isServed(stretch.stored, input.policy, input.now))
  const pending = Intervals.normalise(input.inFlight.map((flight) => flight.range))
  const needed = without(Intervals.intersect(Intervals.mergeNear(missing, 0), [within]), pending)
  const ranges = requestRanges(needed, within, pending, input)
  const requests = withAges(ranges, stretches, input)
  return { pieces: piecesOf(stretches, requests, within, input), requests }
}
