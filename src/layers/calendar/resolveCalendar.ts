import { type CalendarRules, type SessionHours, usualHours } from "../../domain/calendar/CalendarRules.ts"
import { addDays, dayMillis } from "../../domain/calendar/dates.ts"
import { type CalendarDate, extended, hoursOn, shortened } from "../../domain/calendar/extended.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import * as ZoneClock from "../../domain/ZoneClock.ts"
import type { CalendarSpec } from "./CalendarSpec.ts"
import { dateOfText, hoursOf, someDateOf, timeOf, weekdaysOf } from "./calendarText.ts"

/** What is wrong with a calendar, with `path` below its name. */
type Complain = (path: ReadonlyArray<string>, expected: string, found?: string | null, remedy?: string | null) => void

const weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

const iso = (date: EpochMillis): string => new Date(date).toISOString().slice(0, 10)

/** The second session begins before the first is over. */
const overlap = (first: SessionHours | null, second: SessionHours | null): boolean =>
  first !== null && second !== null && second.open + dayMillis < first.close

const weekOf = (hours: CalendarSpec["hours"], complain: Complain): ReadonlyMap<number, SessionHours | null> => {
  const week = new Map<number, SessionHours | null>()
  for (const [key, text] of Object.entries(hours ?? {})) {
    const weekdays = weekdaysOf(key)
    if (weekdays === null) complain(["hours", key], "weekdays, such as mon-fri, sat or mon,wed", JSON.stringify(key))
    for (const weekday of weekdays ?? []) {
      if (week.has(weekday)) complain(["hours", key], "each weekday once", `${weekdayNames[weekday]} for a second time`)
      week.set(weekday, hoursOf(text))
    }
  }
  return week
}

interface Dated<A> {
  readonly path: ReadonlyArray<string>
  readonly date: CalendarDate
  readonly value: A
}

const datesOf = <A>(
  section: string,
  mapping: Readonly<Record<string, string>> | undefined,
  read: (text: string) => A | null,
  complain: Complain
): ReadonlyArray<Dated<A>> =>
  Object.entries(mapping ?? {}).flatMap(([key, text]) => {
    const path = [section, key]
    const date = someDateOf(key)
    const value = read(text)
    if (date === null) complain(path, "a date, such as 2026-12-24, or 12-24 for every year", JSON.stringify(key))
    return date === null || value === null ? [] : [{ path, date, value }]
  })

/** One date may be a holiday, have its own hours, or close early, and not two of them. */
const eachOnce = (dates: ReadonlyArray<Dated<unknown>>, complain: Complain): void => {
  const seen = new Map<string, ReadonlyArray<string>>()
  for (const { date, path } of dates) {
    const key = JSON.stringify(date)
    const before = seen.get(key)
    if (before === undefined) seen.set(key, path)
    else complain(path, "each date once", `one that ${before[0]} has, too`)
  }
}

const knownOf = (spec: CalendarSpec, base: CalendarRules, complain: Complain): TimeRange => {
  const bound = (key: "from" | "to", otherwise: EpochMillis): EpochMillis => {
    const text = spec[key]
    const date = text === undefined ? null : dateOfText(text)
    if (date === null) return otherwise
    if (date >= base.known.start && date <= base.known.end) return date
    complain([key], `a date from ${iso(base.known.start)} to ${iso(base.known.end)}, which is what ${base.title} knows`)
    return otherwise
  }
  const start = bound("from", base.known.start)
  const end = bound("to", base.known.end)
  if (start < end) return { start, end }
  complain(["to"], `a date after ${iso(start)}, with which the calendar begins`)
  return base.known
}

/** Complains about early closes that shorten nothing and sessions that run into those beside them. */
const checkDays = (
  under: CalendarRules,
  rules: CalendarRules,
  earlyCloses: ReadonlyArray<Dated<number>>,
  sessions: ReadonlyArray<Dated<SessionHours>>,
  complain: Complain
): void => {
  for (const { date, path, value } of earlyCloses) {
    // Of those of every year some fall on a weekend, where they mean nothing.
    if (!("once" in date)) continue
    const usual = hoursOn(under, date.once)
    if (usual === null)
      complain(path, "a date with a session", `none on ${iso(date.once)}`, "remove it, or add it to sessions")
    else if (shortened(usual, value) === null)
      complain(path, "a time between the opening and the usual close of that date")
  }
  for (const { date, path } of sessions) {
    if (!("once" in date)) continue
    const [before, own, after] = [-1, 0, 1].map((days) => hoursOn(rules, addDays(date.once, days)))
    if (overlap(before ?? null, own ?? null) || overlap(own ?? null, after ?? null)) {
      complain(path, "hours that do not reach into the session of the day before or after")
    }
  }
}

/** The rules that a calendar of the configuration means, over those that it extends. What is wrong is told to `complain`. */
export const resolveCalendar = (
  name: string,
  spec: CalendarSpec,
  base: CalendarRules,
  complain: Complain
): CalendarRules => {
  const zone = spec.zone ?? base.zone
  if (zone !== "UTC" && ZoneClock.make(zone) === null) complain(["zone"], "an IANA zone, such as Europe/Berlin")
  const week = weekOf(spec.hours, complain)
  const earlyCloses = datesOf("earlyCloses", spec.earlyCloses, timeOf, complain)
  const sessions = datesOf("sessions", spec.sessions, hoursOf, complain)
  const holidays = (spec.holidays ?? []).flatMap((text, index): ReadonlyArray<Dated<null>> => {
    const date = someDateOf(text)
    return date === null ? [] : [{ path: ["holidays", String(index)], date, value: null }]
  })
  eachOnce([...holidays, ...sessions, ...earlyCloses], complain)
  const changes = {
    name,
    title: spec.title ?? (spec.extends === undefined ? name : `${base.title}, changed`),
    week,
    holidays: holidays.map(({ date }) => date),
    earlyCloses: earlyCloses.map(({ date, value }) => ({ date, close: value })),
    sessions: sessions.map(({ date, value }) => ({ date, hours: value })),
    known: knownOf(spec, base, complain)
  }
  const rules = extended({ ...base, zone }, changes)
  const usual = (weekday: number) => usualHours(rules, rules.known.start, weekday % 7)
  for (const [weekday, called] of weekdayNames.entries()) {
    if (overlap(usual(weekday + 6), usual(weekday))) {
      complain(["hours"], "sessions that do not overlap", `one on ${called} that opens before the one before it closes`)
    }
  }
  checkDays(extended({ ...base, zone }, { ...changes, earlyCloses: [] }), rules, earlyCloses, sessions, complain)
  return rules
}
