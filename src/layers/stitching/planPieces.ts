/** The pieces of a plan: what each stretch of its range is, and who is asked for it. */
import type { CoverageState, StoredCoverage } from "../../domain/Coverage.ts"
import type * as Intervals from "../../domain/Intervals.ts"
import type { PlanPiece } from "../../domain/Plan.ts"
import { type EpochMillis, iso, type TimeRange } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import { type InFlight, inOrder } from "./InFlight.ts"
import { type Stretch, stretchesOf, walker } from "./stretchesOf.ts"

const noCause: CoverageState = { _tag: "Missing", cause: null }
const beforeEarliest = (earliest: EpochMillis): CoverageState => ({
  _tag: "Missing",
  cause: { tag: "BeforeEarliest", message: `the vendor has nothing before ${iso(earliest)}` }
})

/** Between which instants a vendor may be asked, and how what lies before is called. */
export interface Askable extends TimeRange {
  /** The first instant that the vendor has ever had; -Infinity: not known. */
  readonly earliest: EpochMillis
  /** Of what the vendor has had and gives no longer. */
  readonly tooOld: CoverageState
  /** Of what the vendor does not have yet. */
  readonly notYet: CoverageState
}

/** The piece that stands for stored evidence as it is, or for none. */
type Emit = (start: EpochMillis, end: EpochMillis, state: CoverageState, closed: boolean) => void

/** Where nothing is stored, closed time is told apart from the rest. */
const apart = (calendar: TradingCalendar | null, closed: Intervals.Ranges, emit: Emit) => {
  if (calendar === null || closed.length === 0) {
    return (start: EpochMillis, end: EpochMillis, state: CoverageState) => emit(start, end, state, false)
  }
  const closedIn = walker(closed, (range) => range)
  const shut: CoverageState = { _tag: "Closed", calendar: calendar.name }
  return (start: EpochMillis, end: EpochMillis, state: CoverageState, stored: StoredCoverage | null) => {
    let at = start
    for (const range of stored === null && start < end ? closedIn.members({ start, end }) : []) {
      if (range.start > at) emit(at, range.start, state, false)
      const begin = Math.max(range.start, at)
      at = Math.min(range.end, end)
      emit(begin, at, shut, true)
    }
    if (at < end) emit(at, end, state, false)
  }
}

export interface PieceInput {
  readonly calendar: TradingCalendar | null
  readonly closed: Intervals.Ranges
  readonly inFlight: ReadonlyArray<InFlight>
  readonly isServed: (stretch: Stretch) => boolean
}

/**
 * A piece of each stretch: what the store serves, what is asked for, what is awaited, what cannot be asked for, and what is
 * closed. A request may run over closed time, whose pieces name none; stale evidence of closed time is served as it is.
 */
export const piecesOf = (
  stretches: ReadonlyArray<Stretch>,
  requests: ReadonlyArray<{ readonly range: TimeRange }>,
  askable: Askable,
  { calendar, closed, inFlight, isServed }: PieceInput
): Array<PlanPiece> => {
  const flightsIn = walker(inOrder(inFlight), (flight) => flight.range)
  const requestsIn = walker(requests, (request) => request.range)
  const pieces: Array<PlanPiece> = []
  const store = (start: EpochMillis, end: EpochMillis, state: CoverageState) => {
    if (start < end) pieces.push({ start, end, from: "store", state, requests: 0 })
  }
  const vendor = (start: EpochMillis, end: EpochMillis, state: CoverageState) => {
    if (start >= end) return
    const asked = state._tag === "Pending" ? 0 : requestsIn.count({ start, end })
    // Only of closed time nobody is asked although it is not served.
    const from = asked === 0 && state._tag !== "Pending" ? "store" : "vendor"
    pieces.push({ start, end, from, state, requests: asked })
  }
  const unstored = apart(calendar, closed, (start, end, state, shut) => (shut ? store : vendor)(start, end, state))
  const unasked = apart(calendar, closed, (start, end, state) => store(start, end, state))
  for (const stretch of stretches) {
    const { end, start, stored } = stretch
    if (isServed(stretch)) {
      store(start, end, stored?.state ?? noCause)
      continue
    }
    const from = Math.min(Math.max(start, askable.start), end)
    const to = Math.max(Math.min(end, askable.end), from)
    const state = stored?.state ?? noCause
    const early = Math.min(Math.max(start, askable.earliest), from)
    if (start < early) unasked(start, early, stored?.state ?? beforeEarliest(askable.earliest), stored)
    // A bar that was still open when it was had, and whose final one cannot be had any more, is a hole.
    const lasting = stored === null || stored.state._tag === "Provisional" ? null : stored.state
    if (early < from) unasked(early, from, lasting ?? askable.tooOld, stored)
    let at = from
    for (const { id, range } of at < to ? flightsIn.members({ start: at, end: to }) : []) {
      unstored(at, range.start, state, stored)
      const begin = Math.max(range.start, at)
      at = Math.min(range.end, to)
      vendor(begin, at, { _tag: "Pending", flight: id })
    }
    unstored(at, to, state, stored)
    if (to < end) unasked(to, end, stored?.state ?? askable.notYet, stored)
  }
  return pieces
}

/** The range as the store has it, stale or not. */
export const storedPieces = (
  range: TimeRange,
  coverage: ReadonlyArray<StoredCoverage>,
  calendar: TradingCalendar | null,
  closed: Intervals.Ranges
): ReadonlyArray<PlanPiece> => {
  const pieces: Array<PlanPiece> = []
  const add = apart(calendar, closed, (start, end, state) => {
    pieces.push({ start, end, from: "store", state, requests: 0 })
  })
  for (const { end, start, stored } of stretchesOf(range, coverage)) add(start, end, stored?.state ?? noCause, stored)
  return pieces
}
