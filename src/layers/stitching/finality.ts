/**
 * When bars are final. All three functions are sides of one rule: the bar of a period is final when the period has closed and the
 * vendor's finality delay has passed. A period of a day and longer closes with the last session that the calendar has in it;
 * without a calendar, where it has no session and where the calendar does not know all of it, it closes with its dates, in UTC.
 */
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import type { VendorLimits } from "../../domain/VendorLimits.ts"

type FinalityLimits = Pick<VendorLimits, "finalityDelay" | "stampsOnGrid">

/** Farther from its date no session opens or closes. */
const reach = 3 * 86_400_000

/** The close of the period of a stamp. */
export const closeOf = (
  timeframe: Timeframe.Timeframe,
  stamp: EpochMillis,
  calendar: TradingCalendar | null
): EpochMillis => {
  const end = Timeframe.periodEnd(timeframe, stamp)
  if (calendar === null || Timeframe.isIntraday(timeframe)) return end
  if (stamp < calendar.known.start || end > calendar.known.end) return end
  return calendar.sessions({ start: stamp, end }).at(-1)?.close ?? end
}

/** The first stamp whose bar may still change at `now`; everything before it is final. */
export const finalEnd = (
  timeframe: Timeframe.Timeframe,
  now: EpochMillis,
  limits: FinalityLimits,
  calendar: TradingCalendar | null
): EpochMillis => {
  if (calendar === null || Timeframe.isIntraday(timeframe)) {
    return Timeframe.finalEnd(timeframe, now, limits.finalityDelay, limits.stampsOnGrid)
  }
  const over = now - limits.finalityDelay
  let stamp = Timeframe.floor(timeframe, over - reach)
  while (closeOf(timeframe, stamp, calendar) <= over) stamp = Timeframe.periodEnd(timeframe, stamp)
  return stamp
}

/**
 * The end of the period that is open at `now`: no vendor can have a bar from there on, and none is asked for one. East of
 * Greenwich a session opens before its date does in UTC.
 */
export const openEnd = (
  timeframe: Timeframe.Timeframe,
  now: EpochMillis,
  calendar: TradingCalendar | null
): EpochMillis => {
  const end = Timeframe.periodEnd(timeframe, Timeframe.floor(timeframe, now))
  if (calendar === null || Timeframe.isIntraday(timeframe)) return end
  const begun = calendar.sessions({ start: end, end: end + reach }).findLast(({ open }) => open <= now)
  return begun === undefined ? end : Timeframe.periodEnd(timeframe, Timeframe.floor(timeframe, begun.date))
}

/** The instant from which on everything before `end` was final: the least `now` whose `finalEnd` reaches `end`. */
export const finalSince = (
  timeframe: Timeframe.Timeframe,
  end: EpochMillis,
  limits: FinalityLimits,
  calendar: TradingCalendar | null
): EpochMillis => {
  if (Timeframe.isIntraday(timeframe) && !limits.stampsOnGrid) {
    return end + limits.finalityDelay + Timeframe.maxMillis(timeframe) - 1
  }
  if (calendar === null || Timeframe.isIntraday(timeframe)) return Timeframe.ceil(timeframe, end) + limits.finalityDelay
  let stamp = Timeframe.floor(timeframe, end - 1)
  let last = closeOf(timeframe, stamp, calendar)
  // An earlier period may close later: a session that runs into the next date beside one that opens on the evening before.
  while (stamp + reach > last) {
    stamp = Timeframe.floor(timeframe, stamp - 1)
    last = Math.max(last, closeOf(timeframe, stamp, calendar))
  }
  return last + limits.finalityDelay
}
