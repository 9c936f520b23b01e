import type { EpochMillis } from "../../TimeRange.ts"
import { type CalendarRules, clock, closed, hours, mondayToFriday, type SpecialDay } from "../CalendarRules.ts"
import {
  addDays,
  dateOf,
  easter,
  friday,
  lastWeekday,
  monday,
  nextWeekday,
  nthWeekday,
  saturday,
  weekdayOf
} from "../dates.ts"
import { known } from "./known.ts"

const opens = clock(8, 0)
const early = hours(opens, clock(12, 30))

/** Bank holidays that were moved or added for an occasion. */
const once: ReadonlyArray<SpecialDay> = [
  closed(dateOf(1999, 12, 31), "Before the year 2000"),
  closed(dateOf(2002, 6, 3), "Golden Jubilee"),
  closed(dateOf(2011, 4, 29), "Royal wedding"),
  closed(dateOf(2012, 6, 5), "Diamond Jubilee"),
  closed(dateOf(2022, 6, 3), "Platinum Jubilee"),
  closed(dateOf(2022, 9, 19), "Funeral of Elizabeth II"),
  closed(dateOf(2023, 5, 8), "Coronation of Charles III")
]

/** Two of them were moved to the day of the victory of 1945. */
const earlyMay = (year: number): EpochMillis =>
  year === 1995 || year === 2020 ? dateOf(year, 5, 8) : nthWeekday(year, 5, monday, 1)

const movedSpring = new Map([
  [2002, dateOf(2002, 6, 4)],
  [2012, dateOf(2012, 6, 4)],
  [2022, dateOf(2022, 6, 2)]
])

/** Christmas Day and Boxing Day; one that falls on a weekend is kept on the first weekday that is free. */
const christmas = (year: number): ReadonlyArray<SpecialDay> => {
  const day = nextWeekday(dateOf(year, 12, 25))
  const boxing = nextWeekday(dateOf(year, 12, 26))
  return [closed(day, "Christmas Day"), closed(boxing === day ? nextWeekday(addDays(day, 1)) : boxing, "Boxing Day")]
}

/** The last weekday before a holiday ends at noon. */
const eve = (date: EpochMillis, name: string): SpecialDay => {
  const weekday = weekdayOf(date)
  const kept =
    weekday === saturday ? addDays(date, -1) : weekday > friday || weekday < monday ? addDays(date, -2) : date
  return { date: kept, name, hours: early }
}

/** The London Stock Exchange: continuous trading from the opening auction to the closing one. */
export const xlon: CalendarRules = {
  name: "XLON",
  title: "London Stock Exchange",
  zone: "Europe/London",
  known,
  weeks: [mondayToFriday(known.start, hours(opens, clock(16, 30)))],
  specialDays: (year) => [
    eve(dateOf(year, 12, 24), "Christmas Eve"),
    eve(dateOf(year, 12, 31), "New Year's Eve"),
    closed(nextWeekday(dateOf(year, 1, 1)), "New Year's Day"),
    closed(addDays(easter(year), -2), "Good Friday"),
    closed(addDays(easter(year), 1), "Easter Monday"),
    closed(earlyMay(year), "Early May bank holiday"),
    closed(movedSpring.get(year) ?? lastWeekday(year, 5, monday), "Spring bank holiday"),
    closed(lastWeekday(year, 8, monday), "Summer bank holiday"),
    ...christmas(year),
    ...once
  ]
}
