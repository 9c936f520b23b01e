import { DateTime, Option } from "effect"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { Alignment } from "../../domain/VendorLimits.ts"

/**
 * The boundaries at which a vendor cuts its answers (a file per day, month or year). `start` is the boundary at or before an
 * instant, `next` the first one after it.
 */
export interface CellGrid {
  readonly start: (instant: EpochMillis) => EpochMillis
  readonly next: (instant: EpochMillis) => EpochMillis
}

const utc = (unit: Alignment["unit"]): CellGrid => {
  const boundary = (instant: EpochMillis, later: number): EpochMillis => {
    const date = new Date(instant)
    const year = date.getUTCFullYear()
    const month = date.getUTCMonth()
    // Date.UTC cannot be used: it moves the years 0 to 99 to 1900 to 1999.
    const midnight = new Date(0)
    switch (unit) {
      case "day":
        return midnight.setUTCFullYear(year, month, date.getUTCDate() + later)
      case "month":
        return midnight.setUTCFullYear(year, month + later, 1)
      case "year":
        return midnight.setUTCFullYear(year + later, 0, 1)
    }
  }
  return { start: (instant) => boundary(instant, 0), next: (instant) => boundary(instant, 1) }
}

const zoned = (unit: Alignment["unit"], zone: DateTime.TimeZone): CellGrid => {
  const startOf = (instant: EpochMillis) => DateTime.startOf(DateTime.setZone(DateTime.makeUnsafe(instant), zone), unit)
  const start = (instant: EpochMillis) => DateTime.toEpochMillis(startOf(instant))
  // A day and a half later is in the next day whatever the clocks do; the same holds for months and years.
  const later = unit === "day" ? { hours: 36 } : unit === "month" ? { days: 45 } : { days: 500 }
  const next = (instant: EpochMillis): EpochMillis => {
    let cell = startOf(instant)
    // Where the clocks go back just after midnight, the midnight that opens the day can be before an instant of the day before.
    do cell = DateTime.startOf(DateTime.add(cell, later), unit)
    while (DateTime.toEpochMillis(cell) <= instant)
    return DateTime.toEpochMillis(cell)
  }
  return { start, next }
}

/**
 * The grid of an alignment; none when its zone is unknown. Bars of a day and longer are stamped with dates at 00:00Z, not with
 * instants of the zone, so their cells are those of the dates.
 */
export const make = (alignment: Alignment, timeframe: Timeframe.Timeframe): Option.Option<CellGrid> =>
  !Timeframe.isIntraday(timeframe) || alignment.zone === "UTC"
    ? Option.some(utc(alignment.unit))
    : Option.map(DateTime.zoneMakeNamed(alignment.zone), (zone) => zoned(alignment.unit, zone))
