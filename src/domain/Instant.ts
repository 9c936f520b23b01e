/**
 * The texts in which people write instants, and how they get them back. Everything here is exact or refused: there is no
 * local time, no guess at a format, and no date that rolls over into the next month.
 */
import { Result } from "effect"
import type { EpochMillis } from "./TimeRange.ts"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Midnight UTC of a date of the proleptic Gregorian calendar. `Date.UTC` cannot be used: it moves years 0-99 to 1900-1999. */
const utcMidnight = (year: number, month: number, dayOfMonth: number): EpochMillis => {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, dayOfMonth)
  return date.getTime()
}

const earliest = utcMidnight(1, 1, 1)
const latest = utcMidnight(10_000, 1, 1)

/** Whether an instant lies in the years that {@link parseInstant} reads. */
export const isInCalendar = (instant: EpochMillis): boolean => earliest <= instant && instant < latest

const shape = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/

const number = (digits: string | undefined): number => (digits === undefined ? 0 : Number(digits))

const dateProblem = (year: number, month: number, dayOfMonth: number): string | null => {
  if (year < 1) return "years run from 0001 to 9999"
  if (month < 1 || month > 12) return `there is no month ${month}`
  const days = (utcMidnight(year, month + 1, 1) - utcMidnight(year, month, 1)) / day
  return dayOfMonth < 1 || dayOfMonth > days ? `that month has ${days} days` : null
}

const timeProblem = (hours: number, minutes: number, seconds: number, fraction: number): string | null => {
  if (hours === 24 && minutes === 0 && seconds === 0 && fraction === 0) return null
  if (hours > 23) return "hours run from 00 to 23 (24:00:00 is the end of the day)"
  if (minutes > 59) return "minutes run from 00 to 59"
  return seconds > 59 ? "seconds run from 00 to 59; there are no leap seconds here" : null
}

/** Milliseconds east of UTC, or null where the offset cannot be. */
const offsetMillis = (text: string): number | null => {
  if (text === "Z") return 0
  const hours = Number(text.slice(1, 3))
  const minutes = number(text.slice(3).replace(":", "") || undefined)
  if (hours > 23 || minutes > 59) return null
  return (text.startsWith("-") ? -1 : 1) * (hours * hour + minutes * minute)
}

/**
 * An instant written in ISO 8601, in UTC epoch milliseconds; fails with a sentence that says what to write instead.
 *
 * A bare date (`2019-01-02`) is 00:00Z of that day. A date-time needs `Z` or an offset (`2019-01-02T09:30-05:00`); 24:00 is
 * the end of its day. Digits below the millisecond (down to nanoseconds) are rounded up, whatever the sign of the result: a
 * row stamped in whole milliseconds lies at or after the written bound exactly when it lies at or after the rounded one.
 */
export const parseInstant = (text: string): Result.Result<EpochMillis, string> => {
  const refuse = (why: string): Result.Result<EpochMillis, string> => Result.fail(`${text}: ${why}`)
  const found = shape.exec(text)
  if (found === null) return refuse("not a date or date-time; write 2019-01-02 or 2019-01-02T09:30:00Z")
  const year = number(found[1])
  const month = number(found[2])
  const dayOfMonth = number(found[3])
  const wrongDate = dateProblem(year, month, dayOfMonth)
  if (wrongDate !== null) return refuse(`no such date: ${wrongDate}`)
  const midnight = utcMidnight(year, month, dayOfMonth)
  if (found[4] === undefined) return Result.succeed(midnight)

  const hours = number(found[4])
  const minutes = number(found[5])
  const seconds = number(found[6])
  const nanos = number(found[7]?.padEnd(9, "0"))
  const wrongTime = timeProblem(hours, minutes, seconds, nanos)
  if (wrongTime !== null) return refuse(`no such time: ${wrongTime}`)
  const zone = found[8]
  if (zone === undefined) {
    return refuse(`a time of day needs its offset from UTC; write ${text}Z, or ${text}-05:00 for an offset`)
  }
  const offset = offsetMillis(zone)
  if (offset === null) return refuse(`no such offset from UTC: ${zone}; write Z, or hours and minutes as in -05:00`)
  const instant = midnight + hours * hour + minutes * minute + seconds * second + Math.ceil(nanos / 1e6) - offset
  return instant < earliest || instant >= latest
    ? refuse("outside the years 0001 to 9999 in UTC")
    : Result.succeed(instant)
}

const spanUnits: Readonly<Record<string, number>> = { s: second, m: minute, h: hour, d: day, w: 7 * day }
const longestSpan = latest - earliest

/**
 * A length of time in milliseconds, written as a whole number and a unit: `90s`, `45m` (minutes), `12h`, `30d`, `2w`. Days are
 * 24 hours. Months and years are refused, since they have no fixed length.
 */
export const parseSpan = (text: string): Result.Result<number, string> => {
  const found = /^(\d+)([smhdw])$/.exec(text)
  const unit = spanUnits[found?.[2] ?? ""]
  if (found === null || unit === undefined) {
    return Result.fail(`${text}: not a length of time; write a whole number and s, m (minutes), h, d or w, as in 30d`)
  }
  const span = Number(found[1]) * unit
  if (span === 0) return Result.fail(`${text}: a length of time is more than zero`)
  return span > longestSpan ? Result.fail(`${text}: longer than the calendar`) : Result.succeed(span)
}

/** A time zone that exists; `offsetAt` is its distance from UTC in milliseconds (east positive), in whole minutes. */
export interface Zone {
  readonly id: string
  readonly offsetAt: (instant: EpochMillis) => number
}

/** Coordinated Universal Time. */
export const utc: Zone = { id: "UTC", offsetAt: () => 0 }

const gmtOffset = /GMT(?:([+\u2212-])(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?)?$/

const offsetOf = (formatted: string): number => {
  const found = gmtOffset.exec(formatted)
  // Seconds occur in local mean times, before zones were agreed on. They are dropped: an ISO 8601 offset has none, and the
  // text stays exact because the local time is computed with the offset that is printed.
  const size = number(found?.[2]) * hour + number(found?.[3]) * minute
  return found?.[1] === undefined || found[1] === "+" ? size : -size
}

/** A zone of the IANA data base (`America/New_York`), `UTC`, or a fixed offset (`+05:30`); fails with a sentence. */
export const parseZone = (text: string): Result.Result<Zone, string> => {
  if (text === "UTC" || text === "Z") return Result.succeed(utc)
  return Result.try({
    try: () => new Intl.DateTimeFormat("en-US", { timeZone: text, timeZoneName: "longOffset" }),
    catch: () => `${text}: not a time zone; write a name such as America/New_York, Europe/Berlin or UTC`
  }).pipe(Result.map((formatter) => ({ id: text, offsetAt: remembered((at) => offsetOf(formatter.format(at))) })))
}

/**
 * Rows come in order, so the offset is asked for once an hour: where both ends of an hour agree, so does all between them (no
 * zone changes twice in an hour). Changes come at any minute (St. John's once moved at 00:01), so other hours are asked about
 * instant by instant.
 */
const remembered = (offsetAt: (instant: EpochMillis) => number): ((instant: EpochMillis) => number) => {
  let from = 0
  let to = 0
  let offset = 0
  return (instant) => {
    if (from <= instant && instant < to) return offset
    const start = Math.floor(instant / hour) * hour
    const first = offsetAt(start)
    if (first !== offsetAt(start + hour - 1)) return offsetAt(instant)
    from = start
    to = start + hour
    offset = first
    return offset
  }
}

const twoDigits = (value: number): string => String(value).padStart(2, "0")

/**
 * The instant as ISO 8601 in the zone's local time with its offset, `2019-01-02T09:30:00.000-05:00`; with `Z` where the zone is
 * UTC itself. `parseInstant` gives the same instant back.
 */
export const formatInstant = (instant: EpochMillis, zone: Zone): string => {
  if (zone === utc) return new Date(instant).toISOString()
  const offset = zone.offsetAt(instant)
  const local = new Date(instant + offset).toISOString().slice(0, -1)
  const size = Math.abs(offset)
  return `${local}${offset < 0 ? "-" : "+"}${twoDigits(Math.floor(size / hour))}:${twoDigits((size % hour) / minute)}`
}
