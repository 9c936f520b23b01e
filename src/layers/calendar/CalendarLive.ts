import { DateTime, Effect, Layer } from "effect"
import type { CalendarRules } from "../../domain/calendar/CalendarRules.ts"
import { calendarOf } from "../../domain/calendar/calendarOf.ts"
import { everyDay, everyWeekday } from "../../domain/calendar/exchanges/always.ts"
import { xcbf } from "../../domain/calendar/exchanges/xcbf.ts"
import { xhkg } from "../../domain/calendar/exchanges/xhkg.ts"
import { xlon } from "../../domain/calendar/exchanges/xlon.ts"
import { xnas, xnys } from "../../domain/calendar/exchanges/xnys.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import { ZoneClock } from "../../domain/ZoneClock.ts"
import { Calendar, CalendarError, UnknownCalendar } from "../../services/Calendar.ts"

const builtIn: ReadonlyArray<CalendarRules> = [everyWeekday, everyDay, xcbf, xhkg, xlon, xnas, xnys]

const byName = (a: CalendarRules, b: CalendarRules): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

const make = Effect.sync(() => {
  const rules = builtIn.toSorted(byName)
  const calendars = new Map<string, TradingCalendar>()

  const get = Effect.fn("Calendar.get")(function* (name: string) {
    const made = calendars.get(name)
    if (made !== undefined) return made
    const found = rules.find((candidate) => candidate.name === name)
    if (found === undefined) {
      const known = rules.map((candidate) => candidate.name)
      return yield* new CalendarError({ reason: new UnknownCalendar({ name, known }) })
    }
    const calendar = calendarOf(found, new ZoneClock(DateTime.zoneMakeNamedUnsafe(found.zone)))
    calendars.set(name, calendar)
    return calendar
  })

  return Calendar.of({
    get,
    list: Effect.sync(() => rules.map(({ known, name, title, zone }) => ({ name, title, zone, known })))
  })
})

/** The calendars that come with Tapestry. */
export const layer: Layer.Layer<Calendar> = Layer.effect(Calendar, make)
