/**
 * When IB takes its own servers away, as its page on the status of its systems has it: once or twice a day by region, and for longer in the night to
 * Saturday everywhere. A gateway is often there in such a window and has no line to IB, or restarts.
 */
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { make as zoneClock } from "../../../domain/ZoneClock.ts"

/** `HH:MM-HH:MM Zone`, past midnight where the second is not after the first; with a day (`Fri`) in front only in that night. */
const form = /^(?:(Sun|Mon|Tue|Wed|Thu|Fri|Sat) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S+)$/

const days: ReadonlyArray<string> = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

const weekend = "Fri 23:00-03:00 America/New_York"

export const resetsByRegion = {
  america: ["00:15-01:45 America/New_York", weekend],
  europe: ["06:25-07:45 Europe/Zurich", weekend],
  asia: ["04:45-06:05 Asia/Hong_Kong", "20:15-21:15 Asia/Hong_Kong", weekend],
  none: []
} as const satisfies Readonly<Record<string, ReadonlyArray<string>>>

const minute = 60_000
const day = 1440 * minute

interface Window {
  /** Null: every day. */
  readonly weekday: number | null
  /** Milliseconds of the day. */
  readonly from: number
  readonly length: number
  readonly zone: string
}

const windowOf = (text: string): Window | null => {
  const [, weekday, fromHour, fromMinute, toHour, toMinute, zone = ""] = form.exec(text) ?? []
  if (fromHour === undefined || zoneClock(zone) === null) return null
  const from = (Number(fromHour) * 60 + Number(fromMinute)) * minute
  const to = (Number(toHour) * 60 + Number(toMinute)) * minute
  return {
    weekday: weekday === undefined ? null : days.indexOf(weekday),
    from,
    length: to > from ? to - from : to - from + day,
    zone
  }
}

export const isResetWindow = (text: string): boolean => windowOf(text) !== null

/** When the window ends in which an instant lies, or the last of them; null outside. Texts that are no windows have none. */
export const resetEnd = (windows: ReadonlyArray<string>): ((now: EpochMillis) => EpochMillis | null) => {
  const known = windows.flatMap((text) => {
    const window = windowOf(text)
    const clock = window === null ? null : zoneClock(window.zone)
    return window === null || clock === null ? [] : [{ ...window, clock }]
  })
  return (now) => {
    let last: EpochMillis | null = null
    for (const { clock, from, length, weekday } of known) {
      const local = now + clock.offsetAt(now)
      const today = Math.floor(local / day) * day
      for (const midnight of [today - day, today]) {
        const begins = midnight + from
        if (local < begins || local >= begins + length) continue
        // The first of January 1970 was a Thursday.
        if (weekday !== null && (midnight / day + 4) % 7 !== weekday) continue
        last = Math.max(last ?? 0, clock.first(begins + length))
      }
    }
    return last
  }
}
