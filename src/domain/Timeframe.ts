import { Schema } from "effect"
import type { EpochMillis, TimeRange } from "./TimeRange.ts"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Timeframes whose bars all have the same length, in milliseconds. */
const fixed = {
  "1s": second,
  "5s": 5 * second,
  "10s": 10 * second,
  "15s": 15 * second,
  "30s": 30 * second,
  "1m": minute,
  "2m": 2 * minute,
  "3m": 3 * minute,
  "5m": 5 * minute,
  "10m": 10 * minute,
  "15m": 15 * minute,
  "20m": 20 * minute,
  "30m": 30 * minute,
  "1h": hour,
  "2h": 2 * hour,
  "3h": 3 * hour,
  "4h": 4 * hour,
  "8h": 8 * hour,
  "1d": day,
  "1w": 7 * day
} as const

const months = { "1mo": 1, "3mo": 3 } as const

/** The length of a bar. Anything else is refused. */
export const Timeframe = Schema.Literals([
  "1s",
  "5s",
  "10s",
  "15s",
  "30s",
  "1m",
  "2m",
  "3m",
  "5m",
  "10m",
  "15m",
  "20m",
  "30m",
  "1h",
  "2h",
  "3h",
  "4h",
  "8h",
  "1d",
  "1w",
  "1mo",
  "3mo"
])
export type Timeframe = typeof Timeframe.Type

/** Every timeframe, shortest first. */
export const all: ReadonlyArray<Timeframe> = Timeframe.literals

const isMonthly = (timeframe: Timeframe): timeframe is keyof typeof months => timeframe in months

/** Shorter than a day: such bars are stamped with their opening instant, longer ones with a date. */
export const isIntraday = (timeframe: Timeframe): boolean => !isMonthly(timeframe) && fixed[timeframe] < day

/** The length of one bar in milliseconds; for months the longest possible, which is what limits are measured with. */
export const maxMillis = (timeframe: Timeframe): number =>
  isMonthly(timeframe) ? months[timeframe] * 31 * day : fixed[timeframe]

// 1970-01-01 was a Thursday; weeks begin on the Monday before it.
const firstMonday = -3 * day

/**
 * The stamp of the bar whose period holds `instant`: floor to the UTC grid for intraday bars and days, the Monday for a
 * week, the first of the month or quarter for months. Vendors whose intraday bars open off this grid (a half hour session,
 * say) keep their own stamps; the grid only rounds ranges.
 */
export const floor = (timeframe: Timeframe, instant: EpochMillis): EpochMillis => {
  if (isMonthly(timeframe)) {
    const date = new Date(instant)
    const month = date.getUTCFullYear() * 12 + date.getUTCMonth()
    const first = month - (((month % months[timeframe]) + months[timeframe]) % months[timeframe])
    return utcMonth(first)
  }
  const length = fixed[timeframe]
  const origin = timeframe === "1w" ? firstMonday : 0
  return Math.floor((instant - origin) / length) * length + origin
}

const utcMonth = (month: number): EpochMillis => {
  const year = Math.floor(month / 12)
  const date = new Date(0)
  date.setUTCFullYear(year, month - year * 12, 1)
  return date.getTime()
}

/** The end (exclusive) of the period of a bar stamped `stamp`, which is the stamp of the next bar on a full grid. */
export const periodEnd = (timeframe: Timeframe, stamp: EpochMillis): EpochMillis => {
  if (isMonthly(timeframe)) {
    const date = new Date(stamp)
    return utcMonth(date.getUTCFullYear() * 12 + date.getUTCMonth() + months[timeframe])
  }
  return stamp + fixed[timeframe]
}

/** The first stamp at or after `instant`. */
export const ceil = (timeframe: Timeframe, instant: EpochMillis): EpochMillis => {
  const start = floor(timeframe, instant)
  return start === instant ? start : periodEnd(timeframe, start)
}

// The calendar goes no further than a Date does, and a bound beyond it would be no number.
const lastYear = Date.UTC(275_000, 0, 1)

/**
 * The range that stands for `range` in requests and coverage; null when it can hold no stamp. Bars of a day and longer are
 * stamped on the grid, so the range is rounded up to it at both ends. Intraday ranges stay as they are: vendors stamp bars off
 * the UTC grid (an hour bar that opens at 09:30), and rounding would lose or gain one.
 */
export const stamps = (timeframe: Timeframe, range: TimeRange): TimeRange | null => {
  if (isIntraday(timeframe)) return range
  const start = ceil(timeframe, Math.max(range.start, -lastYear))
  const end = ceil(timeframe, Math.min(range.end, lastYear))
  return start < end ? { start, end } : null
}

/**
 * The first stamp (exclusive bound) whose bar is not final at `now`, `delay` milliseconds being the time a vendor may still
 * correct a bar after its period ended. With `onGrid` the stamps are known to lie on the UTC grid, which lets the bound be the
 * last grid line; without it a bar counts as over only when a whole length has passed since its stamp.
 */
export const finalEnd = (timeframe: Timeframe, now: EpochMillis, delay: number, onGrid: boolean): EpochMillis =>
  onGrid || !isIntraday(timeframe) ? floor(timeframe, now - delay) : now - delay - maxMillis(timeframe) + 1
