/** The holidays and closures that the exchanges of the United States share, and the days on which they close early. */
import type { EpochMillis } from "../../TimeRange.ts"
import { closed, type SpecialDay } from "../CalendarRules.ts"
import {
  addDays,
  dateOf,
  easter,
  friday,
  lastWeekday,
  monday,
  nearestWeekday,
  nthWeekday,
  sunday,
  thursday,
  wednesday,
  weekdayOf
} from "../dates.ts"

/** New Year's Day is the one holiday that is not kept on the Friday before when it falls on a Saturday. */
const newYear = (year: number): EpochMillis => {
  const first = dateOf(year, 1, 1)
  return weekdayOf(first) === sunday ? addDays(first, 1) : first
}

const thanksgiving = (year: number): EpochMillis => nthWeekday(year, 11, thursday, 4)

/** The regular holidays of a year, each on the date on which it is kept. */
export const usHolidays = (year: number): ReadonlyArray<SpecialDay> => [
  closed(newYear(year), "New Year's Day"),
  ...(year >= 1998 ? [closed(nthWeekday(year, 1, monday, 3), "Martin Luther King Jr. Day")] : []),
  closed(nthWeekday(year, 2, monday, 3), "Presidents' Day"),
  closed(addDays(easter(year), -2), "Good Friday"),
  closed(lastWeekday(year, 5, monday), "Memorial Day"),
  ...(year >= 2022 ? [closed(nearestWeekday(dateOf(year, 6, 19)), "Juneteenth")] : []),
  closed(nearestWeekday(dateOf(year, 7, 4)), "Independence Day"),
  closed(nthWeekday(year, 9, monday, 1), "Labor Day"),
  closed(thanksgiving(year), "Thanksgiving Day"),
  closed(nearestWeekday(dateOf(year, 12, 25)), "Christmas Day")
]

/** Days on which all of them stayed closed. */
export const usClosures: ReadonlyArray<SpecialDay> = [
  closed(dateOf(1994, 4, 27), "Funeral of Richard Nixon"),
  closed(dateOf(2001, 9, 11), "Attacks of September 11"),
  closed(dateOf(2001, 9, 12), "Attacks of September 11"),
  closed(dateOf(2001, 9, 13), "Attacks of September 11"),
  closed(dateOf(2001, 9, 14), "Attacks of September 11"),
  closed(dateOf(2004, 6, 11), "Funeral of Ronald Reagan"),
  closed(dateOf(2007, 1, 2), "Mourning for Gerald Ford"),
  closed(dateOf(2012, 10, 29), "Hurricane Sandy"),
  closed(dateOf(2012, 10, 30), "Hurricane Sandy"),
  closed(dateOf(2018, 12, 5), "Mourning for George H. W. Bush"),
  closed(dateOf(2025, 1, 9), "Mourning for Jimmy Carter")
]

/** A day that ends early, before the hours of any one exchange. */
interface ShortDay {
  readonly date: EpochMillis
  readonly name: string
}

/** Half days that no rule gives. */
const usShortDaysOnce: ReadonlyArray<ShortDay> = [
  { date: dateOf(1997, 12, 26), name: "After Christmas" },
  { date: dateOf(1999, 12, 31), name: "Before the year 2000" },
  { date: dateOf(2003, 12, 26), name: "After Christmas" }
]

/** The half day beside Independence Day; its place has changed with the years. */
const besideIndependenceDay = (year: number): ReadonlyArray<ShortDay> => {
  const eve = dateOf(year, 7, 3)
  const weekday = weekdayOf(eve)
  if (year < 1995) return []
  // Before 2013 a holiday on a Thursday shortened the Friday after it, not the Wednesday before.
  if (weekday === wednesday && year < 2013) return [{ date: dateOf(year, 7, 5), name: "After Independence Day" }]
  return weekday >= monday && weekday <= thursday ? [{ date: eve, name: "Before Independence Day" }] : []
}

/** The half days of a year. Those of 1990 to 1992 ended an hour later than all others. */
export const usShortDays = (year: number): ReadonlyArray<ShortDay> => {
  const days = [...besideIndependenceDay(year)]
  if (year >= 1992) days.push({ date: addDays(thanksgiving(year), 1), name: "After Thanksgiving" })
  const eve = dateOf(year, 12, 24)
  // On a Friday it is the holiday itself.
  if (weekdayOf(eve) >= monday && weekdayOf(eve) < friday) days.push({ date: eve, name: "Christmas Eve" })
  for (const day of usShortDaysOnce) if (new Date(day.date).getUTCFullYear() === year) days.push(day)
  return days
}
