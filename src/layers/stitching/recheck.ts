/**
 * Which final ranges are fetched once more, for late corrections.
 *
 * A stamp is due `recheckAfter` after it became final; intraday stamps are due by the UTC day, all those of a day with its last,
 * so that a series that is read every minute is not also rechecked every minute. What was asked for before it was due is fetched
 * again by the first read that comes after; an answer asked for when it was due, or later, settles it for ever. A recheck that is
 * refused is put off for as long as the refusal is believed. Nothing is
 * stored but when each answer was asked for: a policy that is changed holds for what is there already, and no restart, refetch
 * or rebuild makes a range due twice.
 */
import { isPutOff, type StoredState } from "../../domain/Coverage.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import type { VendorLimits } from "../../domain/VendorLimits.ts"
import { finalEnd, finalSince } from "./finality.ts"
import type { Stretch } from "./stretchesOf.ts"

export interface RecheckRules {
  readonly timeframe: Timeframe.Timeframe
  readonly limits: Pick<VendorLimits, "recheckAfter" | "finalityDelay" | "stampsOnGrid">
  readonly calendar: TradingCalendar | null
}

/** The states that nothing else would ever have fetched again. */
export const isSettled = (state: StoredState): boolean =>
  state._tag === "Covered" || (state._tag === "Empty" && state.recheckAfter === null)

/** The end of what is due at `now`. */
const dueEnd = ({ calendar, limits, timeframe }: RecheckRules, recheckAfter: number, now: EpochMillis): EpochMillis => {
  const end = finalEnd(timeframe, now - recheckAfter, limits, calendar)
  return Timeframe.isIntraday(timeframe) ? Timeframe.floor("1d", end) : end
}

/** The instant from which on everything before `end` is due: the least `now` whose `dueEnd` reaches `end`. */
export const dueSince = ({ calendar, limits, timeframe }: RecheckRules, end: EpochMillis): EpochMillis => {
  const whole = Timeframe.isIntraday(timeframe) ? Timeframe.ceil("1d", end) : end
  return finalSince(timeframe, whole, limits, calendar) + (limits.recheckAfter ?? 0)
}

/** Marks what is due at `now`, as stretches of its own. */
export const withDue = (
  stretches: ReadonlyArray<Stretch>,
  rules: RecheckRules,
  now: EpochMillis
): ReadonlyArray<Stretch> => {
  const { recheckAfter } = rules.limits
  if (recheckAfter === null) return stretches
  const until = dueEnd(rules, recheckAfter, now)
  let asked = Number.NaN
  let settled = 0
  return stretches.flatMap((stretch) => {
    const { end, start, stored } = stretch
    if (stored === null || start >= until || !isSettled(stored.state) || isPutOff(stored, now)) return [stretch]
    const askedAt = stored.askedAt ?? stored.recordedAt
    if (askedAt !== asked) {
      asked = askedAt
      settled = dueEnd(rules, recheckAfter, askedAt)
    }
    const due = { start: Math.max(start, settled), end: Math.min(end, until), stored, due: true }
    return due.start >= due.end
      ? [stretch]
      : [{ start, end: due.start, stored }, due, { start: due.end, end, stored }].filter(
          (part) => part.start < part.end
        )
  })
}
