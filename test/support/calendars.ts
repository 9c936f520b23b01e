/** Calendars of every shape: a real one, with a break, over night, around the clock, and far east and west of Greenwich. */
import { type CalendarRules, clock, hours, mondayToFriday } from "../../src/domain/calendar/CalendarRules.ts"
import { calendarOf } from "../../src/domain/calendar/calendarOf.ts"
import { everyWeekday } from "../../src/domain/calendar/exchanges/always.ts"
import { xnys } from "../../src/domain/calendar/exchanges/xnys.ts"
import type { TradingCalendar } from "../../src/domain/TradingCalendar.ts"
import * as ZoneClock from "../../src/domain/ZoneClock.ts"

const known = { start: Date.parse("2000-01-01"), end: Date.parse("2030-01-01") }

export const made = (rules: CalendarRules): TradingCalendar => {
  const zone = ZoneClock.make(rules.zone)
  if (zone === null) throw new Error(`no zone ${rules.zone}`)
  return calendarOf(rules, zone)
}

/** The same hours from Monday to Friday, without holidays. */
export const rules = (name: string, zone: string, day: ReturnType<typeof hours>): CalendarRules => ({
  name,
  title: name,
  zone,
  known,
  weeks: [mondayToFriday(known.start, day)],
  specialDays: () => []
})

export const newYork = made(xnys)
export const lunch = made(
  rules("lunch", "Asia/Hong_Kong", {
    open: clock(9, 30),
    breakStart: clock(12, 0),
    breakEnd: clock(13, 0),
    close: clock(16, 0)
  })
)
/** Opens on the evening before its date, in a zone with summer time. */
export const overnightRules = rules("overnight", "America/Chicago", hours(clock(-7, 0), clock(16, 0)))
export const overnight = made(overnightRules)
export const weekdays = made(everyWeekday)
export const sydney = made(rules("sydney", "Australia/Sydney", hours(clock(10, 0), clock(16, 0))))
/** Closes before its date begins in UTC. */
export const kiritimati = made(rules("kiritimati", "Pacific/Kiritimati", hours(clock(8, 0), clock(12, 0))))
/** Closes after its date has ended, everywhere. */
export const late = made(rules("late", "Pacific/Honolulu", hours(clock(9, 0), clock(26, 0))))
