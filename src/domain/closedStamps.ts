import * as Intervals from "./Intervals.ts"
import type { SessionScope } from "./SeriesKey.ts"
import * as Timeframe from "./Timeframe.ts"
import type { EpochMillis, TimeRange } from "./TimeRange.ts"
import type { TradingCalendar } from "./TradingCalendar.ts"
import * as ZoneClock from "./ZoneClock.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Farther from its date no session opens or closes. */
const reach = 3 * day

/** What of a series decides where it can have bars. `onGrid`: its intraday stamps lie on the UTC grid of the timeframe. */
export interface StampRules {
  readonly timeframe: Timeframe.Timeframe
  readonly session: SessionScope
  readonly onGrid: boolean
}

/**
 * A stretch without trading. `auction`: a session closes where it begins, and not at midnight, when nobody holds one. `opens`: a
 * session opens where it ends; else a date without one does.
 */
interface Closure extends TimeRange {
  readonly auction: boolean
  readonly opens: boolean
}

/** Bars of a week and longer exist when one of their dates has a session. */
const closedPeriods = (calendar: TradingCalendar, timeframe: Timeframe.Timeframe, range: TimeRange): Intervals.Ranges =>
  Intervals.normalise(
    calendar
      .closedDates({ start: Timeframe.floor(timeframe, range.start), end: Timeframe.ceil(timeframe, range.end) })
      .map(({ end, start }) => ({ start: Timeframe.ceil(timeframe, start), end: Timeframe.floor(timeframe, end) }))
  )

const clocks = new Map<string, ZoneClock.ZoneClock | null>()

const clockOf = (zone: string): ZoneClock.ZoneClock | null => {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const made = ZoneClock.make(zone)
  clocks.set(zone, made)
  return made
}

const isMidnight = (clock: ZoneClock.ZoneClock, instant: EpochMillis): boolean =>
  (instant + clock.offsetAt(instant)) % day === 0

/** Everything outside the sessions. */
const closedHours = (calendar: TradingCalendar, clock: ZoneClock.ZoneClock, range: TimeRange): ReadonlyArray<Closure> =>
  calendar.closures(range).map(({ end, start }) => ({ start, end, auction: !isMidnight(clock, start), opens: true }))

/** Dates without a session, as days of the exchange's own zone, less what a session that reaches into them trades. */
const closedDays = (
  calendar: TradingCalendar,
  clock: ZoneClock.ZoneClock,
  range: TimeRange
): ReadonlyArray<Closure> => {
  const around = { start: Timeframe.floor("1d", range.start - reach), end: Timeframe.ceil("1d", range.end + reach) }
  const days = calendar
    .closedDates(around)
    .map(({ end, start }) => ({ start: clock.first(start), end: clock.first(end) }))
  const closures = calendar.closures(around)
  const opens = new Set(closures.map(({ end }) => end))
  return Intervals.intersect(days, closures).map(({ end, start }) => ({
    start,
    end,
    auction: !isMidnight(clock, start),
    opens: opens.has(end)
  }))
}

/**
 * The stamps whose whole bar lies in a closure. The stamp at a close itself is none of them: vendors stamp the closing auction
 * so. A bar may run past a midnight only where its stamps are not on the grid and it is no longer than an hour: then it is of
 * the day of its stamp, and nobody trades in the first hour of a day whose session does not.
 */
const stampsIn = (closure: Closure, { onGrid, timeframe }: StampRules): TimeRange => {
  const length = Timeframe.maxMillis(timeframe)
  const { auction, end, opens, start } = closure
  if (onGrid) {
    return {
      start: Timeframe.ceil(timeframe, auction ? start + 1 : start),
      end: Timeframe.ceil(timeframe, end - length + 1)
    }
  }
  // In whole minutes, so that what is asked of a vendor has bounds that it can be told.
  const unit = Math.min(length, minute)
  const down = (instant: EpochMillis) => Math.floor(instant / unit) * unit
  return {
    start: auction ? down(start) + unit : start,
    end: !opens && length <= hour ? end : down(end - length)
  }
}

/**
 * The stamps of a range for which a series has no bar, by the calendar: sorted, disjoint ranges of stamps, inside `range`.
 *
 * - Bars of a day and longer: periods without a session.
 * - Intraday, session `regular`: bars that meet no open time; breaks are closed.
 * - Intraday, `extended` and `all`: only dates without a session, since nobody says when such trading begins and ends.
 *
 * Where the calendar knows nothing, nothing is closed. An unknown stamp counts as one that may have a bar.
 */
export const closedStamps = (calendar: TradingCalendar, rules: StampRules, range: TimeRange): Intervals.Ranges => {
  const { session, timeframe } = rules
  if (!Timeframe.isIntraday(timeframe)) {
    return Intervals.intersect(closedPeriods(calendar, timeframe, range), [range])
  }
  const length = Math.max(Timeframe.maxMillis(timeframe), minute)
  // Closures are cut at the bounds that they are asked for, and a bound that is cut is no close and no open.
  const around = { start: range.start - 2 * length, end: range.end + 2 * length }
  const clock = clockOf(calendar.zone)
  if (clock === null) return []
  const closures = (session === "regular" ? closedHours : closedDays)(calendar, clock, around)
  return Intervals.intersect(Intervals.normalise(closures.map((closure) => stampsIn(closure, rules))), [range])
}
