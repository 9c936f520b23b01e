/** Sessions of a trading calendar as people read them: a date a line, holidays among them, in the time of one zone. */
import type { Zone } from "../../domain/Instant.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { TradingCalendar, TradingSession } from "../../domain/TradingCalendar.ts"
import { instant, instantOrNull, rangeDocument } from "./Documents.ts"
import { type Column, render } from "./Table.ts"

const day = 86_400_000

/** A date with a session, or one on which there would be one but for an occasion. */
export interface CalendarDay {
  readonly date: EpochMillis
  readonly session: TradingSession | null
  readonly occasion: string | null
}

/** The days of a range that are worth a line: those with a session, and holidays. Weekends are not. */
export const calendarDays = (calendar: TradingCalendar, range: TimeRange): ReadonlyArray<CalendarDay> => {
  const days: Array<CalendarDay> = calendar
    .sessions(range)
    .map((session) => ({ date: session.date, session, occasion: calendar.occasionOn(session.date) }))
  for (const closed of calendar.closedDates(range)) {
    for (let date = closed.start; date < closed.end; date += day) {
      const occasion = calendar.occasionOn(date)
      if (occasion !== null) days.push({ date, session: null, occasion })
    }
  }
  return days.sort((a, b) => a.date - b.date)
}

export const dateText = (midnight: EpochMillis): string => new Date(midnight).toISOString().slice(0, 10)

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const weekdayOf = (date: EpochMillis): number => new Date(date).getUTCDay()

/** `09:30`; with the days between the session's date and the local one where they differ: `17:00 -1d`. */
const clock = (at: EpochMillis, date: EpochMillis, zone: Zone): string => {
  const local = at + zone.offsetAt(at)
  const days = Math.floor(local / day) - date / day
  const time = new Date(local).toISOString().slice(11, local % 60_000 === 0 ? 16 : 19)
  return days === 0 ? time : `${time} ${days > 0 ? "+" : "-"}${Math.abs(days)}d`
}

/** A session that is as usual, near to one that is not: on the same weekday where there is one. */
const usualBeside = ({ date }: TradingSession, calendar: TradingCalendar): TradingSession | null => {
  const regular = calendar.sessions({ start: date - 15 * day, end: date + 15 * day }).filter((one) => !one.irregular)
  return regular.find((one) => weekdayOf(one.date) === weekdayOf(date)) ?? regular[0] ?? null
}

/** `late open`, `early close`, or both, by the wall clock of the exchange. */
const shortening = (session: TradingSession, calendar: TradingCalendar, exchange: Zone): string => {
  const usual = usualBeside(session, calendar)
  if (usual === null) return "shortened"
  const wall = (at: EpochMillis, date: EpochMillis) => at + exchange.offsetAt(at) - date
  const late = wall(session.open, session.date) > wall(usual.open, usual.date)
  const early = wall(session.close, session.date) < wall(usual.close, usual.date)
  return [...(late ? ["late open"] : []), ...(early ? ["early close"] : [])].join(", ")
}

const remark = ({ occasion, session }: CalendarDay, calendar: TradingCalendar, exchange: Zone): string => {
  const kind = session === null ? "closed" : session.irregular ? shortening(session, calendar, exchange) : ""
  return [kind, occasion ?? ""].filter((text) => text !== "").join(": ")
}

/** The header and a line a day; `exchange` is the zone of the calendar itself. A break has columns only where there is one. */
export const calendarTable = (
  calendar: TradingCalendar,
  days: ReadonlyArray<CalendarDay>,
  zone: Zone,
  exchange: Zone
): ReadonlyArray<string> => {
  const hasBreak = days.some(({ session }) => session?.breakStart != null)
  const header = ["date", "day", "open", ...(hasBreak ? ["break", "until"] : []), "close", ""]
  const columns = header.map((name): Column => ({ header: name, align: "left" }))
  const rows = days.map((row) => {
    const { date, session } = row
    const at = (instant: EpochMillis | null | undefined) => (instant == null ? "-" : clock(instant, date, zone))
    return [
      dateText(date),
      weekdays[weekdayOf(date)] ?? "",
      at(session?.open),
      ...(hasBreak ? [at(session?.breakStart), at(session?.breakEnd)] : []),
      at(session?.close),
      remark(row, calendar, exchange)
    ]
  })
  return render(columns, rows)
}

/** The JSON document of a calendar's range; docs/cli.md describes it. */
export const calendarDocument = (calendar: TradingCalendar, range: TimeRange, days: ReadonlyArray<CalendarDay>) => ({
  calendar: calendar.name,
  zone: calendar.zone,
  known: rangeDocument(calendar.known),
  range: rangeDocument(range),
  sessions: days.flatMap(({ date, occasion, session }) =>
    session === null
      ? []
      : [
          {
            date: dateText(date),
            open: instant(session.open),
            close: instant(session.close),
            breakStart: instantOrNull(session.breakStart),
            breakEnd: instantOrNull(session.breakEnd),
            irregular: session.irregular,
            occasion
          }
        ]
  ),
  closed: days.flatMap(({ date, occasion, session }) => (session === null ? [{ date: dateText(date), occasion }] : []))
})
