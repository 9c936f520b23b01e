import { Result } from "effect"

/**
 * Reads the stamp of a row. `read` gives milliseconds, or NaN when the text is no such stamp; `local` says of the last stamp
 * read whether those are local (as if the zone were UTC) or already an instant. One reader serves one file at a time.
 */
export interface TimestampReader {
  local: boolean
  readonly read: (bytes: Uint8Array, start: number, end: number) => number
}

const dayMillis = 86_400_000
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** Days since 1970-01-01 of a date of the Gregorian calendar; NaN when there is no such date. */
const dayNumber = (year: number, month: number, day: number): number => {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const most = month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0)
  if (day < 1 || day > most) return Number.NaN
  // Years are counted from March, so that the leap day is a year's last.
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** `count` digits at `at` as a number; NaN when one of them is no digit or lies beyond `end`. */
const digits = (bytes: Uint8Array, at: number, end: number, count: number): number => {
  if (at + count > end) return Number.NaN
  let value = 0
  for (let i = at; i < at + count; i++) {
    const code = bytes[i] ?? 0
    if (code < 48 || code > 57) return Number.NaN
    value = value * 10 + code - 48
  }
  return value
}

const timeOfDay = (hours: number, minutes: number, seconds: number, millis: number): number =>
  hours < 24 && minutes < 60 && seconds < 60
    ? hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + millis
    : Number.NaN

const isDigit = (code: number | undefined): boolean => code !== undefined && code >= 48 && code <= 57

/** A fraction of a second after its point: its end, and its milliseconds, NaN when it is finer than those. */
const fraction = (bytes: Uint8Array, start: number, end: number): { readonly at: number; readonly millis: number } => {
  let at = start
  let millis = 0
  while (at < end && isDigit(bytes[at])) {
    const digit = (bytes[at] ?? 48) - 48
    const place = at - start
    if (place < 3) millis = millis * 10 + digit
    else if (digit !== 0) millis = Number.NaN
    at++
  }
  for (let place = at - start; place < 3; place++) millis *= 10
  return { at, millis: at === start ? Number.NaN : millis }
}

const isoReader = (): TimestampReader => {
  const reader = {
    local: true,
    read: (bytes: Uint8Array, start: number, end: number): number => {
      reader.local = true
      if (bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return Number.NaN
      const day = dayNumber(
        digits(bytes, start, end, 4),
        digits(bytes, start + 5, end, 2),
        digits(bytes, start + 8, end, 2)
      )
      let at = start + 10
      if (at === end) return day * dayMillis
      if ((bytes[at] !== 84 && bytes[at] !== 32) || bytes[at + 3] !== 58) return Number.NaN
      const hours = digits(bytes, at + 1, end, 2)
      const minutes = digits(bytes, at + 4, end, 2)
      at += 6
      let seconds = 0
      let millis = 0
      if (at < end && bytes[at] === 58) {
        seconds = digits(bytes, at + 1, end, 2)
        at += 3
        if (at < end && (bytes[at] === 46 || bytes[at] === 44)) {
          const found = fraction(bytes, at + 1, end)
          millis = found.millis
          at = found.at
        }
      }
      const value = day * dayMillis + timeOfDay(hours, minutes, seconds, millis)
      if (at === end) return value
      reader.local = false
      const sign = bytes[at]
      if (sign === 90 || sign === 122) return at + 1 === end ? value : Number.NaN
      if (sign !== 43 && sign !== 45) return Number.NaN
      const colon = bytes[at + 3] === 58 ? 1 : 0
      const offset =
        at + 3 === end
          ? digits(bytes, at + 1, end, 2) * 3_600_000
          : at + 5 + colon === end
            ? timeOfDay(digits(bytes, at + 1, end, 2), digits(bytes, at + 3 + colon, end, 2), 0, 0)
            : Number.NaN
      return sign === 43 ? value - offset : value + offset
    }
  }
  return reader
}

/** Whole numbers since 1970 of `10^-places` milliseconds; a stamp that is no whole millisecond is refused, never rounded. */
const fineEpochReader = (places: number): TimestampReader => ({
  local: false,
  read: (bytes, start, end) => {
    const negative = bytes[start] === 45
    const first = negative ? start + 1 : start
    if (first >= end) return Number.NaN
    const split = Math.max(first, end - places)
    for (let at = split; at < end; at++) if (bytes[at] !== 48) return Number.NaN
    if (split === first) return 0
    const value = split - first > 15 ? Number.NaN : digits(bytes, first, split, split - first)
    return negative ? -value : value
  }
})

const secondsReader: TimestampReader["read"] = (bytes, start, end) => {
  const negative = bytes[start] === 45
  const first = negative ? start + 1 : start
  let at = first
  while (at < end && isDigit(bytes[at])) at++
  if (at === first || at - first > 12) return Number.NaN
  let value = digits(bytes, first, end, at - first) * 1000
  if (at < end) {
    if (bytes[at] !== 46) return Number.NaN
    const found = fraction(bytes, at + 1, end)
    if (found.at !== end) return Number.NaN
    value += found.millis
  }
  return negative ? -value : value
}

type Part =
  | { readonly field: "year" | "month" | "day" | "hour" | "minute" | "second" | "milli"; readonly width: number }
  | { readonly field: "monthName" }
  | { readonly field: "text"; readonly code: number }

const tokens: ReadonlyArray<readonly [string, Part]> = [
  ["yyyy", { field: "year", width: 4 }],
  ["MMM", { field: "monthName" }],
  ["MM", { field: "month", width: 2 }],
  ["M", { field: "month", width: 0 }],
  ["dd", { field: "day", width: 2 }],
  ["d", { field: "day", width: 0 }],
  ["HH", { field: "hour", width: 2 }],
  ["H", { field: "hour", width: 0 }],
  ["mm", { field: "minute", width: 2 }],
  ["SSS", { field: "milli", width: 3 }],
  ["ss", { field: "second", width: 2 }]
]

const patternParts = (pattern: string): Result.Result<ReadonlyArray<Part>, string> => {
  const parts: Array<Part> = []
  let at = 0
  while (at < pattern.length) {
    const token = tokens.find(([text]) => pattern.startsWith(text, at))
    if (token !== undefined) {
      parts.push(token[1])
      at += token[0].length
      continue
    }
    const code = pattern.charCodeAt(at)
    const character = pattern.charAt(at)
    if (code > 126 || (/[A-Za-z]/.test(character) && character !== "T" && character !== "Z")) {
      return Result.fail(
        `"${pattern}" has ${character}; a pattern is made of yyyy MM M MMM dd d HH H mm ss SSS and punctuation`
      )
    }
    parts.push({ field: "text", code })
    at++
  }
  const has = (field: Part["field"]) => parts.some((part) => part.field === field)
  if (!has("year") || !(has("month") || has("monthName")) || !has("day")) {
    return Result.fail(`"${pattern}" does not give a whole date: it needs yyyy, MM (or M, MMM) and dd (or d)`)
  }
  return Result.succeed(parts)
}

const patternReader = (parts: ReadonlyArray<Part>): TimestampReader => ({
  local: true,
  read: (bytes, start, end) => {
    let at = start
    let year = 0
    let month = 0
    let day = 0
    let hour = 0
    let minute = 0
    let second = 0
    let milli = 0
    for (const part of parts) {
      if (part.field === "text") {
        if (at >= end || bytes[at] !== part.code) return Number.NaN
        at++
        continue
      }
      if (part.field === "monthName") {
        if (at + 3 > end) return Number.NaN
        const name = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0).toLowerCase()
        month = monthNames.indexOf(name) + 1
        if (month === 0) return Number.NaN
        at += 3
        continue
      }
      const width = part.width > 0 ? part.width : at + 1 < end && isDigit(bytes[at + 1]) ? 2 : 1
      const value = digits(bytes, at, end, width)
      at += width
      if (part.field === "year") year = value
      else if (part.field === "month") month = value
      else if (part.field === "day") day = value
      else if (part.field === "hour") hour = value
      else if (part.field === "minute") minute = value
      else if (part.field === "second") second = value
      else milli = value
    }
    if (at !== end) return Number.NaN
    return dayNumber(year, month, day) * dayMillis + timeOfDay(hour, minute, second, milli)
  }
})

/** Formats with a name; anything else is a pattern. */
export const namedFormats = [
  "iso",
  "epoch-seconds",
  "epoch-millis",
  "epoch-micros",
  "epoch-nanos",
  "millis-of-day"
] as const

/**
 * The reader of a format. `midnight` is the local midnight of the date in the path (milliseconds as if in UTC), which
 * `millis-of-day` counts from on the wall clock: 14,400,000 is 04:00 on every day, also on one of 23 or 25 hours.
 */
export const make = (format: string, midnight: number | null): Result.Result<TimestampReader, string> => {
  switch (format) {
    case "iso":
      return Result.succeed(isoReader())
    case "epoch-seconds":
      return Result.succeed({ local: false, read: secondsReader })
    case "epoch-millis":
      return Result.succeed(fineEpochReader(0))
    case "epoch-micros":
      return Result.succeed(fineEpochReader(3))
    case "epoch-nanos":
      return Result.succeed(fineEpochReader(6))
    case "millis-of-day": {
      if (midnight === null)
        return Result.fail("millis-of-day needs a path with a day in it: {yyyyMMdd}, or {yyyy} {MM} {dd}")
      const count = fineEpochReader(0)
      return Result.succeed({ local: true, read: (bytes, start, end) => midnight + count.read(bytes, start, end) })
    }
    default:
      return Result.map(patternParts(format), patternReader)
  }
}

/** True when the format has a time of day, so that bars shorter than a day can be told apart. */
export const hasTimeOfDay = (format: string): boolean =>
  namedFormats.some((name) => name === format) || format.includes("H")
