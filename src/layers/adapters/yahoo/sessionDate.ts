import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { ZoneClock } from "../../../domain/ZoneClock.ts"

const hour = 3_600_000
const day = 24 * hour

/**
 * The date (at 00:00Z) of the session that an instant of a daily row means, on the exchange's own clock. Around changes of the
 * clocks Yahoo stamps midnight an hour or two too early: 22:00 and 23:00 sharp are the next day's. A live row is stamped when
 * its price was made, which may be at such an hour.
 */
export const sessionDate = (instant: EpochMillis, clock: ZoneClock, live: boolean): EpochMillis => {
  const local = instant + clock.offsetAt(instant)
  const date = Math.floor(local / day) * day
  const time = local - date
  return !live && (time === 22 * hour || time === 23 * hour) ? date + day : date
}
