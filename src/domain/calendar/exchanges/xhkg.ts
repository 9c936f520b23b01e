/**
 * Hong Kong: its general holidays, of which many go by the moon, and the days on which typhoons kept the exchange closed. A holiday
 * on a Sunday, or on the date of another one, moves to the next day; one on a Saturday does not.
 */
import type { EpochMillis } from "../../TimeRange.ts"
import {
  type CalendarRules,
  clock,
  closed,
  mondayToFriday,
  type SessionHours,
  type SpecialDay
} from "../CalendarRules.ts"
import { addDays, dateOf, easter, lastWeekday, monday, nthWeekday, sunday, weekdayOf } from "../dates.ts"
import { known } from "./known.ts"
import { chingMing, lunarFestivals } from "./lunar.ts"

const withLunch = (open: number, breakStart: number, breakEnd: number): SessionHours => ({
  open,
  close: clock(16, 0),
  breakStart,
  breakEnd
})

/** In two steps the exchange opened earlier and shortened its lunch. */
const firstStep = dateOf(2011, 3, 7)
const weeks = [
  mondayToFriday(known.start, withLunch(clock(10, 0), clock(12, 30), clock(14, 30))),
  mondayToFriday(firstStep, withLunch(clock(9, 30), clock(12, 0), clock(13, 30))),
  mondayToFriday(dateOf(2012, 3, 5), withLunch(clock(9, 30), clock(12, 0), clock(13, 0)))
]

/** The morning alone. */
const morning = (date: EpochMillis, name: string): SpecialDay => ({
  date,
  name,
  hours:
    date < firstStep
      ? { open: clock(10, 0), close: clock(12, 30), breakStart: null, breakEnd: null }
      : { open: clock(9, 30), close: clock(12, 0), breakStart: null, breakEnd: null }
})

const once: ReadonlyArray<SpecialDay> = [
  closed(dateOf(1992, 7, 22), "Typhoon Gary"),
  closed(dateOf(1993, 9, 17), "Typhoon Becky"),
  closed(dateOf(1997, 6, 30), "Queen's Birthday"),
  closed(dateOf(1997, 7, 2), "Day after the establishment of the region"),
  closed(dateOf(1999, 9, 16), "Typhoon York"),
  closed(dateOf(1999, 12, 31), "Before the year 2000"),
  closed(dateOf(2001, 7, 6), "Typhoon Utor"),
  closed(dateOf(2001, 7, 25), "Typhoon Yutu"),
  closed(dateOf(2008, 8, 6), "Typhoon Kammuri"),
  closed(dateOf(2008, 8, 22), "Typhoon Nuri"),
  closed(dateOf(2011, 9, 29), "Typhoon Nesat"),
  closed(dateOf(2013, 8, 14), "Typhoon Utor"),
  closed(dateOf(2015, 9, 3), "70th anniversary of the victory of 1945"),
  closed(dateOf(2016, 8, 2), "Typhoon Nida"),
  closed(dateOf(2016, 10, 21), "Typhoon Haima"),
  closed(dateOf(2017, 8, 23), "Typhoon Hato"),
  closed(dateOf(2020, 10, 13), "Typhoon Nangka"),
  closed(dateOf(2021, 10, 13), "Typhoon Kompasu"),
  closed(dateOf(2023, 7, 17), "Typhoon Talim"),
  closed(dateOf(2023, 9, 1), "Typhoon Saola"),
  closed(dateOf(2023, 9, 8), "Black rainstorm"),
  closed(dateOf(2024, 9, 6), "Typhoon Yagi")
]

/** Three days from the first of the lunar year; what a Sunday takes is given back before them, since 2011 after them. */
const lunarNewYear = (year: number, first: EpochMillis): ReadonlyArray<EpochMillis> => {
  const days = [first, addDays(first, 1), addDays(first, 2)]
  const lost = days.findIndex((date) => weekdayOf(date) === sunday)
  if (lost === -1) return days
  if (year >= 2011) return [...days, addDays(first, 3)]
  return lost < 2 ? [addDays(first, -1), ...days] : days
}

/** Holidays on the dates of which they are named, the unmovable first. */
const named = (year: number): ReadonlyArray<readonly [EpochMillis, string]> => {
  const lunar = lunarFestivals(year)
  const easterSunday = easter(year)
  const days: Array<readonly [EpochMillis, string]> = [
    [dateOf(year, 1, 1), "New Year's Day"],
    [addDays(easterSunday, -2), "Good Friday"],
    [addDays(easterSunday, -1), "Day after Good Friday"],
    [addDays(easterSunday, 1), "Easter Monday"],
    [chingMing(year), "Ching Ming Festival"]
  ]
  if (year <= 1996) {
    // The Monday after the Queen's official birthday in London.
    const from = dateOf(year, 6, 13)
    days.push([addDays(from, (monday - weekdayOf(from) + 7) % 7), "Queen's Birthday"])
    days.push([lastWeekday(year, 8, monday), "Liberation Day"])
  } else {
    days.push([dateOf(year, 7, 1), "Establishment of the region"], [dateOf(year, 10, 1), "National Day"])
  }
  if (year === 1997 || year === 1998) {
    days.push([nthWeekday(year, 8, monday, 3), "Sino-Japanese War Victory Day"])
    days.push([dateOf(year, 10, 2), "Day after National Day"])
  }
  if (year >= 1999) days.push([dateOf(year, 5, 1), "Labour Day"])
  if (lunar !== null) {
    for (const date of lunarNewYear(year, lunar.newYear)) days.push([date, "Lunar New Year"])
    if (year >= 1999) days.push([lunar.buddha, "Buddha's Birthday"])
    days.push([lunar.tuenNg, "Tuen Ng Festival"], [lunar.chungYeung, "Chung Yeung Festival"])
    const following = addDays(lunar.midAutumn, 1)
    // Until 2010 a Sunday moved it back to the Saturday of the festival itself.
    if (weekdayOf(following) !== sunday || year >= 2011) days.push([following, "Day after Mid-Autumn"])
  }
  days.push([dateOf(year, 12, 25), "Christmas Day"], [dateOf(year, 12, 26), "First weekday after Christmas"])
  return days
}

const holidays = (year: number): ReadonlyArray<SpecialDay> => {
  const taken = new Set<EpochMillis>()
  return named(year).map(([date, name]) => {
    const lunarNewYearsSunday = name === "Lunar New Year" && weekdayOf(date) === sunday
    let kept = date
    while (!lunarNewYearsSunday && (taken.has(kept) || weekdayOf(kept) === sunday)) kept = addDays(kept, 1)
    taken.add(kept)
    return closed(kept, name)
  })
}

const halfDays = (year: number): ReadonlyArray<SpecialDay> => {
  const lunar = lunarFestivals(year)
  return [
    ...(lunar !== null && year >= 2012 ? [morning(addDays(lunar.newYear, -1), "Lunar New Year's Eve")] : []),
    morning(dateOf(year, 12, 24), "Christmas Eve"),
    morning(dateOf(year, 12, 31), "New Year's Eve")
  ].filter(({ date }) => weekdayOf(date) >= monday && weekdayOf(date) <= 5)
}

/** The securities market of Hong Kong: continuous trading, with its lunch. */
export const xhkg: CalendarRules = {
  name: "XHKG",
  title: "Stock Exchange of Hong Kong",
  zone: "Asia/Hong_Kong",
  known,
  weeks,
  specialDays: (year) => [...halfDays(year), ...holidays(year), ...once]
}
