/**
 * Dates of the Gregorian calendar as their 00:00Z in epoch milliseconds, and the ways in which holiday rules name them. Years from
 * 100 on; weekdays run from 0 (Sunday) to 6.
 */
import type { EpochMillis } from "../TimeRange.ts"

export const dayMillis = 86_400_000

export const sunday = 0
export const monday = 1
export const wednesday = 3
export const thursday = 4
export const friday = 5
export const saturday = 6

export const dateOf = (year: number, month: number, day: number): EpochMillis => Date.UTC(year, month - 1, day)

/** The first date at or after an instant. */
export const ceilDay = (instant: EpochMillis): EpochMillis => Math.ceil(instant / dayMillis) * dayMillis

export const addDays = (date: EpochMillis, days: number): EpochMillis => date + days * dayMillis

export const yearOf = (date: EpochMillis): number => new Date(date).getUTCFullYear()

// 1970-01-01 was a Thursday.
export const weekdayOf = (date: EpochMillis): number => (((Math.floor(date / dayMillis) + thursday) % 7) + 7) % 7

/** The n-th (from 1) such weekday of a month. */
export const nthWeekday = (year: number, month: number, weekday: number, n: number): EpochMillis => {
  const first = dateOf(year, month, 1)
  return addDays(first, ((weekday - weekdayOf(first) + 7) % 7) + (n - 1) * 7)
}

/** The last such weekday of a month. */
export const lastWeekday = (year: number, month: number, weekday: number): EpochMillis => {
  const last = dateOf(year, month + 1, 0)
  return addDays(last, -((weekdayOf(last) - weekday + 7) % 7))
}

/** Easter Sunday of the western churches. */
export const easter = (year: number): EpochMillis => {
  const century = Math.floor(year / 100)
  const golden = year % 19
  const correction = Math.floor((century - Math.floor((century - 17) / 25)) / 3)
  let moon = (century - Math.floor(century / 4) - correction + 19 * golden + 15) % 30
  moon -= Math.floor(moon / 28) * (1 - Math.floor(29 / (moon + 1)) * Math.floor((21 - golden) / 11))
  const weekday = (year + Math.floor(year / 4) + moon + 2 - century + Math.floor(century / 4)) % 7
  return dateOf(year, 3, 28 + moon - weekday)
}

/** The Friday before a Saturday and the Monday after a Sunday; other dates stay. */
export const nearestWeekday = (date: EpochMillis): EpochMillis => {
  const weekday = weekdayOf(date)
  return weekday === saturday ? addDays(date, -1) : weekday === sunday ? addDays(date, 1) : date
}

/** The date itself, or the Monday after a weekend. */
export const nextWeekday = (date: EpochMillis): EpochMillis => {
  const weekday = weekdayOf(date)
  return weekday === saturday ? addDays(date, 2) : weekday === sunday ? addDays(date, 1) : date
}
