import { Schema } from "effect"
import { EpochMillis, type TimeRange } from "./TimeRange.ts"

/**
 * One trading day of an exchange. `date` is its date at 00:00Z, which is the stamp of its daily bar; all other instants are UTC
 * epoch milliseconds. `breakStart` and `breakEnd` are null on days without a lunch break. `irregular` is true when the day opens
 * late or closes early.
 */
export const TradingSession = Schema.Struct({
  date: EpochMillis,
  open: EpochMillis,
  close: EpochMillis,
  breakStart: Schema.NullOr(EpochMillis),
  breakEnd: Schema.NullOr(EpochMillis),
  irregular: Schema.Boolean
})
export interface TradingSession extends Schema.Schema.Type<typeof TradingSession> {}

const minute = 60_000

/**
 * The minutes of a session, each by its first instant: those of a break are left out, and the close is none. Where a session does
 * not open or close on a minute, the last minute of a stretch is a short one.
 */
export const minutesOf = ({ breakEnd, breakStart, close, open }: TradingSession): ReadonlyArray<EpochMillis> => {
  const minutes: Array<EpochMillis> = []
  const add = (start: EpochMillis, end: EpochMillis) => {
    for (let at = start; at < end; at += minute) minutes.push(at)
  }
  if (breakStart === null || breakEnd === null) add(open, close)
  else {
    add(open, breakStart)
    add(breakEnd, close)
  }
  return minutes
}

/**
 * When an exchange trades. A calendar knows nothing outside of `known` (dates at 00:00Z, half-open): there is neither a session
 * nor a closure there, so nothing is left out of a request because of it.
 */
export interface TradingCalendar {
  readonly name: string
  /** IANA zone in which the exchange states its hours. */
  readonly zone: string
  readonly known: TimeRange
  /** Sessions whose date lies in the range, ascending. */
  readonly sessions: (range: TimeRange) => ReadonlyArray<TradingSession>
  /** The session with this date; null when there is none. */
  readonly sessionOn: (date: EpochMillis) => TradingSession | null
  /**
   * Why a date has no session where there would be one, or other hours than usual (`Thanksgiving Day`, `Snowstorm`); null for
   * all others, and beyond what is known.
   */
  readonly occasionOn: (date: EpochMillis) => string | null
  /** Open for trading at this instant: not in a break, and not at the close itself. */
  readonly isOpenAt: (instant: EpochMillis) => boolean
  /** The first session that opens after the instant; null beyond what is known. */
  readonly next: (instant: EpochMillis) => TradingSession | null
  /** The last session that closed at or before the instant; null before what is known. */
  readonly previous: (instant: EpochMillis) => TradingSession | null
  /**
   * The parts of a range in which the exchange does not trade: everything known that lies outside the sessions, breaks included.
   * Ascending and disjoint. Instants, not stamps: see `closedStamps` for what a series of bars leaves out.
   */
  readonly closures: (range: TimeRange) => ReadonlyArray<TimeRange>
  /** The dates (00:00Z) of the range without a session, as ranges of whole days; ascending and disjoint. */
  readonly closedDates: (range: TimeRange) => ReadonlyArray<TimeRange>
}
