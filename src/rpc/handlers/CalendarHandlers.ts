import { Effect } from "effect"
import * as Intervals from "../../domain/Intervals.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { Calendar } from "../../services/Calendar.ts"
import { CalendarRpcs } from "../contract/CalendarRpcs.ts"
import { counted } from "./CallTally.ts"
import { chunked } from "./chunked.ts"

/** So much is computed without a pause: a year takes less than a millisecond, and a calendar may know a hundred of them. */
const stretch = 366 * 86_400_000

const make = Effect.gen(function* () {
  const calendars = yield* Calendar

  /** A calendar that has computed the sessions of a range, with pauses. */
  const warmed = Effect.fnUntraced(function* (name: string, range: TimeRange) {
    const calendar = yield* calendars.get(name)
    for (const piece of Intervals.splitBySpan(Intervals.intersect([range], [calendar.known]), stretch)) {
      calendar.sessions(piece)
      yield* Effect.yieldNow
    }
    return calendar
  })

  return CalendarRpcs.of({
    "Calendar.list": () => calendars.list,

    "Calendar.sessions": ({ name, range }) =>
      counted(chunked(Effect.map(warmed(name, range), (calendar) => calendar.sessions(range)))),

    "Calendar.closures": ({ name, range }) =>
      counted(chunked(Effect.map(warmed(name, range), (calendar) => calendar.closures(range))))
  })
})

export const layer = CalendarRpcs.toLayer(make)
