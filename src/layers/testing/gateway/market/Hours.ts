/** When what a simulated market lists is traded, before and after regular hours included, and when it is liquid. Instants are UTC epoch milliseconds. */

import { clock, hours, mondayToFriday, type SessionHours } from "../../../../domain/calendar/CalendarRules.ts"
import { calendarOf } from "../../../../domain/calendar/calendarOf.ts"
import { xnys } from "../../../../domain/calendar/exchanges/xnys.ts"
import type { TimeRange } from "../../../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../../../domain/TradingCalendar.ts"
import * as ZoneClock from "../../../../domain/ZoneClock.ts"

const hour = 3_600_000
const day = 24 * hour

/** A trading day: from the first to the last instant at which there may be a trade, and the regular hours in it. */
export interface HoursOfDay {
  /** At 00:00Z. */
  readonly date: number
  readonly open: number
  readonly close: number
  readonly liquidOpen: number
  readonly liquidClose: number
}

const known: TimeRange = { start: Date.UTC(1990, 0, 1), end: Date.UTC(2100, 0, 1) }

const clockOf = (zone: string): ZoneClock.ZoneClock => {
  const made = ZoneClock.make(zone)
  if (made === null) throw new Error(`this Node does not know the zone ${zone}`)
  return made
}

export class Hours {
  /** The zone as contract details name it. */
  readonly zone: string
  readonly clock: ZoneClock.ZoneClock
  private readonly calendar: TradingCalendar
  private readonly whole: (session: { date: number; open: number; close: number }) => HoursOfDay
  private last: HoursOfDay = { date: 0, open: 0, close: 0, liquidOpen: 0, liquidClose: 0 }
  private lastSince = 0

  constructor(calendar: TradingCalendar, whole: Hours["whole"]) {
    this.zone = calendar.zone
    this.clock = clockOf(calendar.zone)
    this.calendar = calendar
    this.whole = whole
  }

  /** Days that have an instant of the range, ascending. */
  between({ end, start }: TimeRange): ReadonlyArray<HoursOfDay> {
    const dates = { start: Math.floor(start / day - 3) * day, end: Math.ceil(end / day + 3) * day }
    return this.calendar
      .sessions(dates)
      .map(this.whole)
      .filter(({ close, open }) => open < end && close > start)
  }

  /** The day in which an instant lies, or else the next; null after the last that is known. */
  at(instant: number): HoursOfDay | null {
    if (instant >= this.lastSince && instant < this.last.close) return this.last
    for (const reach of [12, 60]) {
      const days = this.between({ start: instant - 6 * day, end: instant + reach * day })
      const index = days.findIndex(({ close }) => close > instant)
      const found = days[index]
      if (found === undefined) continue
      this.last = found
      this.lastSince = days[index - 1]?.close ?? instant
      return found
    }
    return null
  }

  /** The day that closed last at or before an instant. */
  before(instant: number): HoursOfDay | null {
    return (
      this.between({ start: instant - 20 * day, end: instant + 1 }).findLast(({ close }) => close <= instant) ?? null
    )
  }

  isOpen(instant: number): boolean {
    const found = this.at(instant)
    return found !== null && instant >= found.open
  }

  isLiquid(instant: number): boolean {
    const found = this.at(instant)
    return found !== null && instant >= found.liquidOpen && instant < found.liquidClose
  }

  /** What contract details say of six days: `20260410:0400-20260410:2000`, days without trade as `CLOSED`. */
  text(now: number, liquid: boolean): string {
    const local = (instant: number) => new Date(instant + this.clock.offsetAt(instant)).toISOString()
    const stamp = (instant: number) => {
      const text = local(instant)
      return `${text.slice(0, 10).replaceAll("-", "")}:${text.slice(11, 13)}${text.slice(14, 16)}`
    }
    const today = Math.floor((now + this.clock.offsetAt(now)) / day) * day
    return Array.from({ length: 6 }, (_, index) => {
      const date = today + index * day
      const [session] = this.calendar.sessions({ start: date, end: date + day })
      if (session === undefined) return `${new Date(date).toISOString().slice(0, 10).replaceAll("-", "")}:CLOSED`
      const { close, liquidClose, liquidOpen, open } = this.whole(session)
      return liquid ? `${stamp(liquidOpen)}-${stamp(liquidClose)}` : `${stamp(open)}-${stamp(close)}`
    }).join(";")
  }
}

const weekdays = (name: string, zone: string, week: SessionHours): TradingCalendar =>
  calendarOf(
    { name, title: name, zone, known, weeks: [mondayToFriday(known.start, week)], specialDays: () => [] },
    clockOf(zone)
  )

/** New York, with four hours after the close, and from four in the morning. */
export const stockHours = (): Hours =>
  new Hours(calendarOf(xnys, clockOf(xnys.zone)), ({ close, date, open }) => ({
    date,
    open: open - 5.5 * hour,
    close: close + 4 * hour,
    liquidOpen: open,
    liquidClose: close
  }))

/** Options and indices: regular hours alone. */
export const regularHours = (): Hours =>
  new Hours(calendarOf(xnys, clockOf(xnys.zone)), ({ close, date, open }) => ({
    date,
    open,
    close,
    liquidOpen: open,
    liquidClose: close
  }))

/** Chicago, nearly around the clock. */
export const futureHours = (): Hours =>
  new Hours(weekdays("GLBX", "America/Chicago", hours(clock(-7, 0), clock(16, 0))), ({ close, date, open }) => ({
    date,
    open,
    close,
    liquidOpen: open + 15.5 * hour,
    liquidClose: close
  }))

export const currencyHours = (): Hours =>
  new Hours(weekdays("IDEALPRO", "America/New_York", hours(clock(-7, 15), clock(17, 0))), ({ close, date, open }) => ({
    date,
    open,
    close,
    liquidOpen: open,
    liquidClose: close
  }))

/** Around the clock and on every day, so that there is a market whenever somebody looks. */
export const alwaysHours = (): Hours =>
  new Hours(
    calendarOf(
      {
        name: "ALWAYS",
        title: "around the clock",
        zone: "UTC",
        known,
        weeks: [{ from: known.start, days: Array.from({ length: 7 }, () => hours(0, day)) }],
        specialDays: () => []
      },
      clockOf("UTC")
    ),
    ({ close, date, open }) => ({ date, open, close, liquidOpen: open, liquidClose: close })
  )
