import type { EpochMillis, TimeRange } from "../TimeRange.ts"
import { type CalendarRules, type SessionHours, type SpecialDay, usualHours, type Week } from "./CalendarRules.ts"
import { dateOf, weekdayOf, yearOf } from "./dates.ts"

/** A date of one year, or of every year; February 29 only in years that have it. */
export type CalendarDate = { readonly once: EpochMillis } | { readonly month: number; readonly day: number }

/** The date in a year; null where it is not in that year. */
const inYear = (date: CalendarDate, year: number): EpochMillis | null => {
  if ("once" in date) return yearOf(date.once) === year ? date.once : null
  const found = dateOf(year, date.month, date.day)
  return new Date(found).getUTCDate() === date.day ? found : null
}

/** What a calendar changes of another. */
export interface CalendarChanges {
  readonly name: string
  readonly title: string
  /** The weekdays (0: Sunday) that have other hours, or none. */
  readonly week: ReadonlyMap<number, SessionHours | null>
  readonly holidays: ReadonlyArray<CalendarDate>
  /** When sessions close that would be longer; milliseconds of the wall clock after 00:00. */
  readonly earlyCloses: ReadonlyArray<{ readonly date: CalendarDate; readonly close: number }>
  /** Dates with hours of their own, which may be dates that have no session otherwise. */
  readonly sessions: ReadonlyArray<{ readonly date: CalendarDate; readonly hours: SessionHours }>
  readonly known: TimeRange
}

/** The hours that rules give to a date; null: no session. */
export const hoursOn = (rules: CalendarRules, date: EpochMillis): SessionHours | null => {
  const special = rules.specialDays(yearOf(date)).findLast((day) => day.date === date)
  return special === undefined ? usualHours(rules, date, weekdayOf(date)) : special.hours
}

/** Hours that end at `close`; null when they would not have begun, or end by then as it is. */
export const shortened = (hours: SessionHours, close: number): SessionHours | null => {
  if (close <= hours.open || close >= hours.close) return null
  if (hours.breakStart === null || hours.breakEnd === null || close > hours.breakEnd) return { ...hours, close }
  return { open: hours.open, close: Math.min(close, hours.breakStart), breakStart: null, breakEnd: null }
}

/** The rules of `base` with changes: a holiday before everything else, then sessions of their own, then early closes. */
export const extended = (base: CalendarRules, changes: CalendarChanges): CalendarRules => {
  const { earlyCloses, holidays, known, name, sessions, title, week } = changes
  const weeks = base.weeks.map(
    ({ days, from }): Week => ({
      from,
      days: days.map((hours, weekday) => {
        const own = week.get(weekday)
        return own === undefined ? hours : own
      })
    })
  )
  const under: CalendarRules = { ...base, weeks }

  const specialDays = (year: number): ReadonlyArray<SpecialDay> => {
    const days = [...base.specialDays(year)]
    for (const { close, date } of earlyCloses) {
      const found = inYear(date, year)
      const usual = found === null ? null : hoursOn(under, found)
      const hours = usual === null ? null : shortened(usual, close)
      if (found !== null && hours !== null) days.push({ date: found, name: "early close", hours })
    }
    for (const { date, hours } of sessions) {
      const found = inYear(date, year)
      if (found !== null) days.push({ date: found, name: "own hours", hours })
    }
    for (const date of holidays) {
      const found = inYear(date, year)
      if (found !== null) days.push({ date: found, name: "holiday", hours: null })
    }
    return days
  }
  return { name, title, zone: base.zone, known, weeks, specialDays }
}
