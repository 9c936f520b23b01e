/** Instants in texts, to the nanosecond. */
import { Result } from "effect"
import { parseInstant } from "../Instant.ts"
import { iso } from "../TimeRange.ts"
import { type EpochNanos, type SplitInstant, split } from "./EpochNanos.ts"

const fraction = /[.,](\d{1,9})/

const day = 86_400_000
const dateLength = "2026-06-19".length
const wholeLength = "2026-06-19T13:30:00Z".length

/** The number that two digits are; NaN where they are none. */
const two = (text: string, at: number): number => {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** Milliseconds since midnight of a text that has the form `2026-06-19T13:30:00Z` behind its date; NaN of any other. */
const timeOfDay = (text: string): number => {
  if (text.length !== wholeLength || text[10] !== "T" || text[13] !== ":" || text[16] !== ":" || text[19] !== "Z") {
    return Number.NaN
  }
  const hours = two(text, 11)
  const minutes = two(text, 14)
  const seconds = two(text, 17)
  return hours <= 23 && minutes <= 59 && seconds <= 59 ? ((hours * 60 + minutes) * 60 + seconds) * 1_000 : Number.NaN
}

/**
 * Reads ISO 8601 with up to nine digits of a second: `2026-06-19T13:30:00.123456789Z`. A bare date is 00:00Z, a date-time without
 * `Z` or an offset is refused. A reader remembers the day and the second that it read last, since rows come in order.
 */
export const instantReader = (): ((text: string) => Result.Result<SplitInstant, string>) => {
  let knownText = ""
  let knownMillis = 0
  let knownDate: string | null = null
  let midnight = 0
  return (text) => {
    const found = fraction.exec(text)
    const digits = found?.[1] ?? ""
    const whole = found === null ? text : text.slice(0, found.index) + text.slice(found.index + found[0].length)
    if (whole !== knownText) {
      const time = timeOfDay(whole)
      if (knownDate !== null && !Number.isNaN(time) && whole.startsWith(knownDate)) knownMillis = midnight + time
      else {
        const parsed = parseInstant(whole)
        if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
        knownMillis = parsed.success
        if (!Number.isNaN(time)) {
          knownDate = whole.slice(0, dateLength)
          midnight = Math.floor(knownMillis / day) * day
        }
      }
      knownText = whole
    }
    if (digits === "") return Result.succeed({ millis: knownMillis, nanos: 0 })
    const nanos = Number(digits.padEnd(9, "0"))
    return Result.succeed({ millis: knownMillis + Math.floor(nanos / 1_000_000), nanos: nanos % 1_000_000 })
  }
}

/** The second that was written last, in milliseconds, and its text up to the point: rows come in order. */
let lastSecond = Number.NaN
let lastPrefix = ""

/** `2026-06-19T13:30:00.123456789Z`; always nine digits. */
export const isoNanos = (instant: EpochNanos): string => {
  const { millis, nanos } = split(instant)
  const second = Math.floor(millis / 1_000) * 1_000
  if (second !== lastSecond) {
    lastPrefix = iso(second).slice(0, -"000Z".length)
    lastSecond = second
  }
  return `${lastPrefix}${String((millis - second) * 1_000_000 + nanos).padStart(9, "0")}Z`
}
