import { Equal } from "effect"
import {
  type CoverageInterval,
  type CoverageState,
  isComplete,
  type Refused,
  type StoredCoverage
} from "../../domain/Coverage.ts"
import type { Plan } from "../../domain/Plan.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { NotEntitled, NotFound, VendorError } from "../../services/Adapter.ts"
import { type Failure, kindOf, stateOf } from "./failure.ts"
import { type InFlight, inOrder } from "./InFlight.ts"
import { isSettled } from "./recheck.ts"
import { stretchesOf, walker } from "./stretchesOf.ts"

/** A range that was asked for in vain, and why. */
export interface Loss {
  readonly range: TimeRange
  readonly failure: Failure
}

const asState = ({ response, tag, until }: Refused): CoverageState => ({ _tag: tag, response, until })

/** Of provisional bars that can never be had as they ended the plan says so; they are in the answer nevertheless. */
const isOutlived = (planned: CoverageState, stored: CoverageState): boolean =>
  planned._tag === "Missing" && planned.cause?.tag === "TooOld" && stored._tag === "Provisional"

/**
 * The coverage report of an answer. Where this answer asked in vain it says why, whatever older evidence the store still has,
 * but for a recheck, which takes nothing from what is final; elsewhere it says what the store knows now, and where that is nothing,
 * what the plan said. What a vendor has refused since it gave it says so beside its state; to who forces an answer the refusal is
 * the answer.
 */
export const report = (
  { pieces, policy }: Pick<Plan, "pieces" | "policy">,
  coverage: ReadonlyArray<StoredCoverage>,
  losses: ReadonlyArray<Loss>
): ReadonlyArray<CoverageInterval> => {
  const intervals: Array<CoverageInterval> = []
  const add = (start: number, end: number, state: CoverageState, refusal?: Refused) => {
    const last = intervals.at(-1)
    const goesOn = last?.end === start && Equal.equals(last.state, state) && Equal.equals(last.refusal, refusal)
    const from = goesOn ? last.start : start
    if (goesOn) intervals.pop()
    intervals.push(refusal === undefined ? { start: from, end, state } : { start: from, end, state, refusal })
  }
  const storedIn = walker(coverage, (interval) => interval)
  for (const piece of pieces) {
    const { _tag } = piece.state
    const unknown: CoverageState =
      _tag === "Missing" || _tag === "Closed" ? piece.state : { _tag: "Missing", cause: null }
    for (const stretch of stretchesOf(piece, storedIn.members(piece))) {
      let at = stretch.start
      const { stored } = stretch
      const forced = policy === "force" && piece.from === "vendor"
      const refusal = forced ? undefined : stored?.refusal
      const told =
        stored === null || isOutlived(piece.state, stored.state)
          ? unknown
          : forced && stored.refusal !== undefined
            ? asState(stored.refusal)
            : stored.state
      const kept = policy !== "force" && stored !== null && isSettled(stored.state)
      for (const { failure, range } of piece.from === "vendor" && !kept ? losses : []) {
        if (range.end <= at || range.start >= stretch.end) continue
        if (range.start > at) add(at, range.start, told, refusal)
        const end = Math.min(range.end, stretch.end)
        add(Math.max(at, range.start), end, stateOf(failure))
        at = end
      }
      if (at < stretch.end) add(at, stretch.end, told, refusal)
    }
  }
  return intervals
}

/**
 * The one failure behind all the holes of a report, when there is one: then it says more than a list of holes. A stored refusal
 * is such a failure too.
 */
export const commonFailure = (
  series: SeriesKey,
  holes: ReadonlyArray<CoverageInterval>,
  losses: ReadonlyArray<Loss>
): Failure | null => {
  let common: Failure | null = null
  for (const hole of holes) {
    const failure = refusalOf(series, hole.state) ?? losses.find(({ range }) => meets(range, hole))?.failure ?? null
    if (failure === null || (common !== null && kindOf(common) !== kindOf(failure))) return null
    common ??= failure
  }
  return common
}

export const holesOf = <A extends CoverageInterval>(coverage: ReadonlyArray<A>): ReadonlyArray<A> =>
  coverage.filter((interval) => !isComplete(interval.state))

const meets = (a: TimeRange, b: TimeRange): boolean => a.start < b.end && b.start < a.end

/** What the vendor said no to, as the error that it was. */
export const refusalOf = ({ symbol, vendor }: SeriesKey, state: CoverageState): Failure | null => {
  if (state._tag !== "NotFound" && state._tag !== "NotEntitled") return null
  const again = `(response ${state.response}; asked again after ${new Date(state.until).toISOString()})`
  return new VendorError({
    vendor,
    reason:
      state._tag === "NotFound"
        ? new NotFound({ message: `has no ${symbol} ${again}` })
        : new NotEntitled({ message: `the account may not have ${symbol} ${again}` })
  })
}

/** Marks what is on the way, where it is not there yet. */
export const withFlights = (
  coverage: ReadonlyArray<CoverageInterval>,
  flights: ReadonlyArray<InFlight>
): ReadonlyArray<CoverageInterval> => {
  const flightsIn = walker(inOrder(flights), (flight) => flight.range)
  return coverage.flatMap((interval) => {
    if (interval.state._tag !== "Missing") return [interval]
    const { end, state } = interval
    const marked: Array<CoverageInterval> = []
    let at = interval.start
    for (const { id, range } of flightsIn.members(interval)) {
      const start = Math.max(range.start, at)
      if (start > at) marked.push({ start: at, end: start, state })
      at = Math.min(range.end, end)
      marked.push({ start, end: at, state: { _tag: "Pending", flight: id } })
    }
    return at < end ? [...marked, { start: at, end, state }] : marked
  })
}
