import { type CalendarRules, clock, hours, mondayToFriday } from "../CalendarRules.ts"
import { dateOf } from "../dates.ts"

const known = { start: dateOf(1970, 1, 1), end: dateOf(2100, 1, 1) }
const wholeDay = hours(0, clock(24, 0))

/** Trades without an end, as crypto does; a session is a day of UTC. */
export const everyDay: CalendarRules = {
  name: "24/7",
  title: "Every day around the clock, in UTC",
  zone: "UTC",
  known,
  weeks: [{ from: known.start, days: [wholeDay, wholeDay, wholeDay, wholeDay, wholeDay, wholeDay, wholeDay] }],
  specialDays: () => []
}

/** Trades around the clock from Monday 00:00 to Saturday 00:00, as currencies nearly do; a session is a day of UTC. */
export const everyWeekday: CalendarRules = {
  name: "24/5",
  title: "Monday to Friday around the clock, in UTC",
  zone: "UTC",
  known,
  weeks: [mondayToFriday(known.start, wholeDay)],
  specialDays: () => []
}
