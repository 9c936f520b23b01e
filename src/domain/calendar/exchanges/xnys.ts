import type { EpochMillis } from "../../TimeRange.ts"
import { type CalendarRules, clock, hours, mondayToFriday, type SpecialDay } from "../CalendarRules.ts"
import { addDays, dateOf, friday, monday, thursday, weekdayOf, yearOf } from "../dates.ts"
import { thanksgiving, usClosures, usHolidays } from "./usHolidays.ts"

const opens = clock(9, 30)
const shortened = (date: EpochMillis, name: string, close = clock(13, 0)): SpecialDay => ({
  date,
  name,
  hours: hours(opens, close)
})

/** The half day beside Independence Day; its place has changed with the years. */
const besideIndependenceDay = (year: number): ReadonlyArray<SpecialDay> => {
  const eve = dateOf(year, 7, 3)
  const weekday = weekdayOf(eve)
  // Before 2013 a holiday on a Thursday shortened the Friday after it, not the Wednesday before.
  if (weekday === 3 && year < 2013) return year < 1995 ? [] : [shortened(dateOf(year, 7, 5), "After Independence Day")]
  const kept = year >= 1995 && weekday >= monday && weekday <= thursday
  return kept ? [shortened(eve, "Before Independence Day")] : []
}

const earlyCloses = (year: number): ReadonlyArray<SpecialDay> => {
  const days = [...besideIndependenceDay(year)]
  const until1992 = year < 1993 ? clock(14, 0) : clock(13, 0)
  if (year >= 1992) days.push(shortened(addDays(thanksgiving(year), 1), "After Thanksgiving", until1992))
  const eve = dateOf(year, 12, 24)
  // On a Friday it is the holiday itself.
  if (weekdayOf(eve) >= monday && weekdayOf(eve) < friday) days.push(shortened(eve, "Christmas Eve", until1992))
  return days
}

const once: ReadonlyArray<SpecialDay> = [
  ...usClosures,
  shortened(dateOf(1997, 12, 26), "After Christmas"),
  shortened(dateOf(1999, 12, 31), "Before the year 2000"),
  shortened(dateOf(2003, 12, 26), "After Christmas")
]

/** The New York Stock Exchange: its core session. */
export const xnys: CalendarRules = {
  name: "XNYS",
  title: "New York Stock Exchange, core session",
  zone: "America/New_York",
  known: { start: dateOf(1990, 1, 1), end: dateOf(2029, 1, 1) },
  weeks: [mondayToFriday(dateOf(1990, 1, 1), hours(opens, clock(16, 0)))],
  specialDays: (year) => [
    ...earlyCloses(year),
    ...usHolidays(year),
    ...once.filter(({ date }) => yearOf(date) === year)
  ]
}
