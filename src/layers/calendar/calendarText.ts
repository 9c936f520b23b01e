/** How calendars are written down: times, hours, dates and weekdays. Null where a text is none. */
import type { SessionHours } from "../../domain/calendar/CalendarRules.ts"
import { dateOf, dayMillis } from "../../domain/calendar/dates.ts"
import type { CalendarDate } from "../../domain/calendar/extended.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

const minute = 60_000

/** `9:30`, `24:00`; milliseconds after 00:00. */
export const timeOf = (text: string): number | null => {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? []
  if (hours === undefined || minutes === undefined) return null
  const time = (Number(hours) * 60 + Number(minutes)) * minute
  return Number(minutes) > 59 || time > dayMillis ? null : time
}

export const hoursText =
  "hours, such as 09:30-16:00, or 09:30-12:00, 13:00-16:00 with a break; an opening after the close is on the evening before"

const stretchOf = (text: string): readonly [number, number] | null => {
  const [from, to, ...more] = text.split("-").map(timeOf)
  return from === undefined || from === null || to === undefined || to === null || more.length > 0 ? null : [from, to]
}

/** One or two stretches. What opens later than it closes opens on the evening before. */
export const hoursOf = (text: string): SessionHours | null => {
  const [first, second, ...more] = text.split(",").map(stretchOf)
  if (first === undefined || first === null || second === null || more.length > 0) return null
  const close = second === undefined ? first[1] : second[1]
  const late = first[0] >= close
  const open = late ? first[0] - dayMillis : first[0]
  if (second === undefined) return { open, close, breakStart: null, breakEnd: null }
  // A time before the opening of an overnight session is one of the next morning.
  const inside = (time: number) => (late && time >= first[0] ? time - dayMillis : time)
  const breakStart = inside(first[1])
  const breakEnd = inside(second[0])
  return open < breakStart && breakStart < breakEnd && breakEnd < close ? { open, close, breakStart, breakEnd } : null
}

/** `2026-12-24`, at 00:00Z. */
export const dateOfText = (text: string): EpochMillis | null => {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim()) ?? []
  if (year === undefined || month === undefined || day === undefined || Number(year) < 1000) return null
  const date = dateOf(Number(year), Number(month), Number(day))
  return new Date(date).toISOString().startsWith(text.trim()) ? date : null
}

/** `2026-12-24`, or `12-24`. */
export const someDateOf = (text: string): CalendarDate | null => {
  const once = dateOfText(text)
  if (once !== null) return { once }
  // A leap year has all days that there are.
  return /^\d{2}-\d{2}$/.test(text.trim()) && dateOfText(`2000-${text.trim()}`) !== null
    ? { month: Number(text.trim().slice(0, 2)), day: Number(text.trim().slice(3)) }
    : null
}

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

/** `mon-fri`, `sat`, `mon,wed,fri`; as numbers from 0 (Sunday). A range may go over the end of the week. */
export const weekdaysOf = (text: string): ReadonlyArray<number> | null => {
  const found: Array<number> = []
  for (const part of text.toLowerCase().split(",")) {
    const [from = -1, to = from, ...more] = part.split("-").map((name) => weekdays.indexOf(name.trim()))
    if (from < 0 || to < 0 || more.length > 0) return null
    for (let weekday = from; ; weekday = (weekday + 1) % 7) {
      found.push(weekday)
      if (weekday === to) break
    }
  }
  return found
}
