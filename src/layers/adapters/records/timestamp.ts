import { Result } from "effect"
import { dayMillis, dayNumber, digits, fraction, isDigit, timeOfDay } from "./textTime.ts"
import { patternReaderFor } from "./timestampPattern.ts"

/**
 * Reads the stamp of a row. `read` gives milliseconds, or NaN when the text is no such stamp; `local` says of the last stamp
 * read whether those are local (as if the zone were UTC) or already an instant. One reader serves one file at a time.
 */
export interface TimestampReader {
  local: boolean
  readonly read: (bytes: Uint8Array, start: number, end: number) => number
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
      return patternReaderFor(format)
  }
}

/** True when the format has a time of day, so that bars shorter than a day can be told apart. */
export const hasTimeOfDay = (format: string): boolean =>
  namedFormats.some((name) => name === format) || format.includes("H")
