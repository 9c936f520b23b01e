/** Instants in texts, to the nanosecond. */
import { Result } from "effect"
import { parseInstant } from "../Instant.ts"
import { iso } from "../TimeRange.ts"
import { type EpochNanos, type SplitInstant, split } from "./EpochNanos.ts"

const fraction = /[.,](\d{1,9})/

/**
 * Reads ISO 8601 with up to nine digits of a second: `2026-06-19T13:30:00.123456789Z`. A bare date is 00:00Z, a date-time without
 * `Z` or an offset is refused. A reader remembers the second that it read last, since ticks come in order.
 */
export const instantReader = (): ((text: string) => Result.Result<SplitInstant, string>) => {
  let knownText = ""
  let knownMillis = 0
  return (text) => {
    const found = fraction.exec(text)
    const digits = found?.[1] ?? ""
    const whole = found === null ? text : text.slice(0, found.index) + text.slice(found.index + found[0].length)
    if (whole !== knownText) {
      const parsed = parseInstant(whole)
      if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
      knownText = whole
      knownMillis = parsed.success
    }
    if (digits === "") return Result.succeed({ millis: knownMillis, nanos: 0 })
    const nanos = Number(digits.padEnd(9, "0"))
    return Result.succeed({ millis: knownMillis + Math.floor(nanos / 1_000_000), nanos: nanos % 1_000_000 })
  }
}

/** `2026-06-19T13:30:00.123456789Z`; always nine digits. */
export const isoNanos = (instant: EpochNanos): string => {
  const { millis, nanos } = split(instant)
  return `${iso(millis).slice(0, -1)}${String(nanos).padStart(6, "0")}Z`
}
