/** The holidays that the exchanges of the United States share. */
import type { EpochMillis } from "../../TimeRange.ts"
import type { SpecialDay } from "../CalendarRules.ts"
import {
  addDays,
  dateOf,
  easter,
  lastWeekday,
  monday,
  nearestWeekday,
  nthWeekday,
  sunday,
  thursday,
  weekdayOf
} from "../dates.ts"

/** New Year's Day is the one holiday that is not kept on the Friday before when it falls on a Saturday. */
const newYear = (year: number): EpochMillis => {
  const first = dateOf(year, 1, 1)
  return weekdayOf(first) === sunday ? addDays(first, 1) : first
}

export const thanksgiving = (year: number): EpochMillis => nthWeekday(year, 11, thursday, 4)

const closedOn = (date: EpochMillis, name: string): SpecialDay => ({ date, name, hours: null })

/** The regular holidays of a year, each on the date on which it is kept. */
export const usHolidays = (year: number): ReadonlyArray<SpecialDay> => [
  closedOn(newYear(year), "New Year's Day"),
  ...(year >= 1998 ? [closedOn(nthWeekday(year, 1, monday, 3), "Martin Luther King Jr. Day")] : []),
  closedOn(nthWeekday(year, 2, monday, 3), "Presidents' Day"),
  closedOn(addDays(easter(year), -2), "Good Friday"),
  closedOn(lastWeekday(year, 5, monday), "Memorial Day"),
  ...(year >= 2022 ? [closedOn(nearestWeekday(dateOf(year, 6, 19)), "Juneteenth")] : []),
  closedOn(nearestWeekday(dateOf(year, 7, 4)), "Independence Day"),
  closedOn(nthWeekday(year, 9, monday, 1), "Labor Day"),
  closedOn(thanksgiving(year), "Thanksgiving Day"),
  closedOn(nearestWeekday(dateOf(year, 12, 25)), "Christmas Day")
]

/** Days on which all of them stayed closed. */
export const usClosures: ReadonlyArray<SpecialDay> = [
  closedOn(dateOf(1994, 4, 27), "Funeral of Richard Nixon"),
  closedOn(dateOf(2001, 9, 11), "Attacks of September 11"),
  closedOn(dateOf(2001, 9, 12), "Attacks of September 11"),
  closedOn(dateOf(2001, 9, 13), "Attacks of September 11"),
  closedOn(dateOf(2001, 9, 14), "Attacks of September 11"),
  closedOn(dateOf(2004, 6, 11), "Funeral of Ronald Reagan"),
  closedOn(dateOf(2007, 1, 2), "Mourning for Gerald Ford"),
  closedOn(dateOf(2012, 10, 29), "Hurricane Sandy"),
  closedOn(dateOf(2012, 10, 30), "Hurricane Sandy"),
  closedOn(dateOf(2018, 12, 5), "Mourning for George H. W. Bush"),
  closedOn(dateOf(2025, 1, 9), "Mourning for Jimmy Carter")
]
