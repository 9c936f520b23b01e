import { type CalendarRules, clock, hours, mondayToFriday } from "../CalendarRules.ts"
import { known } from "./known.ts"
import { usClosures, usHolidays, usShortDays } from "./usHolidays.ts"

const opens = clock(8, 30)
const early = hours(opens, clock(12, 15))

/** The futures exchange of Cboe: regular hours, a quarter of an hour longer than those of the shares. */
export const xcbf: CalendarRules = {
  name: "XCBF",
  title: "Cboe Futures Exchange, regular hours",
  zone: "America/Chicago",
  known,
  weeks: [mondayToFriday(known.start, hours(opens, clock(15, 15)))],
  specialDays: (year) => [
    ...(year < 1993 ? [] : usShortDays(year).map(({ date, name }) => ({ date, name, hours: early }))),
    ...usHolidays(year),
    ...usClosures
  ]
}
