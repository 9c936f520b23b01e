import type { EpochMillis, TimeRange } from "../TimeRange.ts"

const minute = 60_000

/**
 * The hours of one session, in milliseconds of the zone's wall clock after 00:00 of the session's date: 09:30 is 34,200,000. A
 * session may open on the evening before (negative, at most a day) and close at most two days after its date began.
 */
export interface SessionHours {
  readonly open: number
  readonly close: number
  /** Both null, or both inside the session. */
  readonly breakStart: number | null
  readonly breakEnd: number | null
}

/** A time on the wall clock: `clock(9, 30)`. */
export const clock = (hours: number, minutes: number): number => (hours * 60 + minutes) * minute

/** Hours without a break. */
export const hours = (open: number, close: number): SessionHours => ({ open, close, breakStart: null, breakEnd: null })

/** The usual hours from a date on, by weekday from Sunday; null: no session. */
export interface Week {
  readonly from: EpochMillis
  readonly days: ReadonlyArray<SessionHours | null>
}

/** The same hours from Monday to Friday. */
export const mondayToFriday = (from: EpochMillis, day: SessionHours): Week => ({
  from,
  days: [null, day, day, day, day, day, null]
})

/** A date on which the exchange does not keep its usual hours; `hours` null: it is closed. */
export interface SpecialDay {
  readonly date: EpochMillis
  readonly name: string
  readonly hours: SessionHours | null
}

/** A day without a session. */
export const closed = (date: EpochMillis, name: string): SpecialDay => ({ date, name, hours: null })

/** What a calendar is computed from. Dates are 00:00Z. */
export interface CalendarRules {
  readonly name: string
  /** For people: the exchange, and what of it. */
  readonly title: string
  /** IANA zone of the wall clock. */
  readonly zone: string
  readonly known: TimeRange
  /** Ascending by `from`; the first holds for all time before the second. */
  readonly weeks: ReadonlyArray<Week>
  /** Of a calendar year at least, in any order; of two with one date the later in the list holds. Asked once a year. */
  readonly specialDays: (year: number) => ReadonlyArray<SpecialDay>
}

/** The usual hours of a date; null: no session. */
export const usualHours = (rules: CalendarRules, date: EpochMillis, weekday: number): SessionHours | null => {
  const week = rules.weeks.findLast(({ from }) => from <= date) ?? rules.weeks[0]
  return week?.days[weekday] ?? null
}
