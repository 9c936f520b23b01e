import { DateTime, Effect, Layer } from "effect"
import type { CalendarRules } from "../../domain/calendar/CalendarRules.ts"
import { calendarOf } from "../../domain/calendar/calendarOf.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import { ZoneClock } from "../../domain/ZoneClock.ts"
import { Calendar, CalendarError, UnknownCalendar } from "../../services/Calendar.ts"
import { builtIn } from "./builtIn.ts"

const byName = (a: CalendarRules, b: CalendarRules): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

const make = (own: ReadonlyArray<CalendarRules>) => {
  const rules = [...new Map([...builtIn, ...own].map((one) => [one.name, one])).values()].sort(byName)
  const calendars = new Map<string, TradingCalendar>()

  const get = Effect.fn("Calendar.get")(function* (name: string) {
    const made = calendars.get(name)
    if (made !== undefined) return made
    const found = rules.find((candidate) => candidate.name === name)
    if (found === undefined) {
      const known = rules.map((candidate) => candidate.name)
      return yield* new CalendarError({ reason: new UnknownCalendar({ calendar: name, known }) })
    }
    const calendar = calendarOf(found, new ZoneClock(DateTime.zoneMakeNamedUnsafe(found.zone)))
    calendars.set(name, calendar)
    return calendar
  })

  return Calendar.of({
    get,
    list: Effect.sync(() => rules.map(({ known, name, title, zone }) => ({ name, title, zone, known })))
  })
}

/** The calendars that come with Tapestry, and others; of two with one name the other one. Their zones must exist. */
export const layerWith = (own: ReadonlyArray<CalendarRules>): Layer.Layer<Calendar> =>
  Layer.sync(Calendar, () => make(own))

/** The calendars that come with Tapestry. */
export const layer: Layer.Layer<Calendar> = layerWith([])
