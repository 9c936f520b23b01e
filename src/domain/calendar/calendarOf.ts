import type { EpochMillis, TimeRange } from "../TimeRange.ts"
import type { TradingCalendar, TradingSession } from "../TradingCalendar.ts"
import type { ZoneClock } from "../ZoneClock.ts"
import { type CalendarRules, type SessionHours, usualHours } from "./CalendarRules.ts"
import { addDays, ceilDay, dateOf, dayMillis, weekdayOf, yearOf } from "./dates.ts"

/** Farther from its date no session reaches: two days of hours and a day of zone. */
const reach = 3 * dayMillis

type Sessions = ReadonlyArray<TradingSession>

/** The index of the first session that holds; they are sorted so that all after it hold too. */
const firstIndex = (sessions: Sessions, holds: (session: TradingSession) => boolean): number => {
  let low = 0
  let high = sessions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const session = sessions[middle]
    if (session !== undefined && holds(session)) high = middle
    else low = middle + 1
  }
  return low
}

const isIrregular = (hours: SessionHours, usual: SessionHours | null): boolean =>
  usual !== null && (hours.open > usual.open || hours.close < usual.close)

interface Year {
  readonly sessions: Sessions
  /** Of the dates that are not as usual. */
  readonly occasions: ReadonlyMap<EpochMillis, string>
}

const computed = (rules: CalendarRules, zone: ZoneClock, year: number): Year => {
  const special = new Map(rules.specialDays(year).map((day) => [day.date, day]))
  const occasions = new Map<EpochMillis, string>()
  const sessions: Array<TradingSession> = []
  const end = dateOf(year + 1, 1, 1)
  const instant = (local: number): EpochMillis => {
    const quick = zone.quick(local)
    return Number.isNaN(quick) ? zone.first(local) : quick
  }
  let weekday = weekdayOf(dateOf(year, 1, 1))
  for (let date = dateOf(year, 1, 1); date < end; date += dayMillis) {
    const usual = usualHours(rules, date, weekday)
    const own = special.get(date)
    const hours = own === undefined ? usual : own.hours
    weekday = (weekday + 1) % 7
    if (own !== undefined && (usual !== null || hours !== null)) occasions.set(date, own.name)
    if (hours === null) continue
    sessions.push({
      date,
      open: instant(date + hours.open),
      close: instant(date + hours.close),
      breakStart: hours.breakStart === null ? null : instant(date + hours.breakStart),
      breakEnd: hours.breakEnd === null ? null : instant(date + hours.breakEnd),
      irregular: own !== undefined && isIrregular(hours, usual)
    })
  }
  return { sessions, occasions }
}

/** The calendar that rules describe, in the zone of `zone`. Years are computed when they are asked for, and kept. */
export const calendarOf = (rules: CalendarRules, zone: ZoneClock): TradingCalendar => {
  const { known } = rules
  const firstYear = yearOf(known.start)
  const lastYear = yearOf(known.end - 1)
  const years = new Map<number, Year>()

  const ofYear = (year: number): Year => {
    const known = years.get(year)
    if (known !== undefined) return known
    const made = computed(rules, zone, year)
    years.set(year, made)
    return made
  }
  const inYear = (year: number): Sessions => ofYear(year).sessions

  /** By date, also beyond what is known: a session there may reach into it. */
  const between = (start: EpochMillis, end: EpochMillis): Sessions => {
    const found: Array<TradingSession> = []
    for (let year = yearOf(start); start < end && year <= yearOf(end - 1); year++) {
      const sessions = inYear(year)
      const from = firstIndex(sessions, ({ date }) => date >= start)
      const until = firstIndex(sessions, ({ date }) => date >= end)
      for (const session of sessions.slice(from, until)) found.push(session)
    }
    return found
  }

  const isKnown = ({ date }: TradingSession): boolean => date >= known.start && date < known.end

  /** A year to search from, in the years that are known. */
  const searched = (instant: EpochMillis): number =>
    instant < known.start ? firstYear : instant >= known.end ? lastYear : yearOf(instant)

  /** The last known session that does not hold where all after it do. */
  const lastBefore = (instant: EpochMillis, after: (session: TradingSession) => boolean): TradingSession | null => {
    for (let year = searched(instant + reach); year >= firstYear; year--) {
      const sessions = inYear(year)
      const found = sessions[firstIndex(sessions, after) - 1]
      if (found !== undefined) return isKnown(found) ? found : null
    }
    return null
  }

  const clipped = (range: TimeRange): TimeRange | null => {
    const start = Math.max(range.start, known.start)
    const end = Math.min(range.end, known.end)
    return start < end ? { start, end } : null
  }

  const sessions = (range: TimeRange): Sessions => {
    const inside = clipped(range)
    return inside === null ? [] : between(inside.start, inside.end)
  }

  return {
    name: rules.name,
    zone: rules.zone,
    known,
    sessions,
    sessionOn: (date) => {
      const [session] = sessions({ start: date, end: date + 1 })
      return session ?? null
    },
    occasionOn: (date) =>
      date >= known.start && date < known.end ? (ofYear(yearOf(date)).occasions.get(date) ?? null) : null,
    isOpenAt: (instant) => {
      const session = lastBefore(instant, ({ open }) => open > instant)
      if (session === null || instant >= session.close) return false
      return session.breakStart === null || session.breakEnd === null
        ? true
        : instant < session.breakStart || instant >= session.breakEnd
    },
    next: (instant) => {
      for (let year = searched(instant - reach); year <= lastYear; year++) {
        const list = inYear(year)
        const found = list[firstIndex(list, ({ open }) => open > instant)]
        if (found !== undefined) return isKnown(found) ? found : null
      }
      return null
    },
    previous: (instant) => lastBefore(instant, ({ close }) => close > instant),
    closures: (range) => {
      const inside = clipped(range)
      if (inside === null) return []
      const closed: Array<TimeRange> = []
      let start = inside.start
      const trades = (open: EpochMillis, close: EpochMillis) => {
        if (open > start && start < inside.end) closed.push({ start, end: Math.min(open, inside.end) })
        if (close > start) start = close
      }
      for (const { breakEnd, breakStart, close, open } of between(inside.start - reach, inside.end + reach)) {
        if (breakStart === null || breakEnd === null) trades(open, close)
        else {
          trades(open, breakStart)
          trades(breakEnd, close)
        }
      }
      trades(inside.end, inside.end)
      return closed
    },
    closedDates: (range) => {
      const inside = clipped({ start: ceilDay(range.start), end: ceilDay(range.end) })
      if (inside === null) return []
      const closed: Array<TimeRange> = []
      let start = inside.start
      for (const { date } of between(inside.start, inside.end)) {
        if (date > start) closed.push({ start, end: date })
        start = addDays(date, 1)
      }
      if (start < inside.end) closed.push({ start, end: inside.end })
      return closed
    }
  }
}
