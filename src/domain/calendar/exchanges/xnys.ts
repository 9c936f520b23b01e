import { type CalendarRules, clock, hours, mondayToFriday, type SpecialDay } from "../CalendarRules.ts"
import { dateOf } from "../dates.ts"
import { known } from "./known.ts"
import { usClosures, usHolidays, usShortDays } from "./usHolidays.ts"

const opens = clock(9, 30)
const closes = clock(16, 0)

/** What both of New York's exchanges keep. */
const common = (year: number): ReadonlyArray<SpecialDay> => {
  const early = hours(opens, year < 1993 ? clock(14, 0) : clock(13, 0))
  return [
    ...usShortDays(year).map(({ date, name }) => ({ date, name, hours: early })),
    ...usHolidays(year),
    ...usClosures
  ]
}

/** Interruptions of the floor that moved an opening or a close. Silences of a minute or two are left out. */
const interruptions: ReadonlyArray<SpecialDay> = [
  { date: dateOf(1994, 2, 11), name: "Snowstorm", hours: hours(opens, clock(14, 30)) },
  { date: dateOf(1995, 12, 18), name: "Computer failure", hours: hours(clock(10, 30), closes) },
  { date: dateOf(1996, 1, 8), name: "Snowstorm", hours: hours(clock(11, 0), clock(14, 0)) },
  { date: dateOf(1997, 10, 27), name: "Circuit breaker", hours: hours(opens, clock(15, 30)) },
  { date: dateOf(2002, 9, 11), name: "Anniversary of September 11", hours: hours(clock(12, 0), closes) }
]

const weeks = [mondayToFriday(known.start, hours(opens, closes))]

/** The New York Stock Exchange: its core session. */
export const xnys: CalendarRules = {
  name: "XNYS",
  title: "New York Stock Exchange, core session",
  zone: "America/New_York",
  known,
  weeks,
  specialDays: (year) => [...common(year), ...interruptions]
}

/** Nasdaq keeps the days and hours of the New York Stock Exchange, without what happened on its floor. */
export const xnas: CalendarRules = {
  name: "XNAS",
  title: "Nasdaq, regular session",
  zone: "America/New_York",
  known,
  weeks,
  specialDays: common
}
