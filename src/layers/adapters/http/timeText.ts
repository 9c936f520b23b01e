/** Instants as a vendor wants to read them in a request. */
import { Result } from "effect"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"

export interface TimeSpelling {
  /** `epoch-seconds`, `epoch-millis`, `epoch-micros`, `epoch-nanos`, `iso`, `date`, or a pattern of `yyyy MM dd HH mm ss SSS`. */
  readonly format: string
  /** The zone of `date` and of patterns. */
  readonly zone: string
  /** Whether the vendor counts the end itself in. */
  readonly end: "exclusive" | "inclusive"
}

interface Format {
  /** The least step that the text can tell, in milliseconds; in days for `date`. */
  readonly step: number
  readonly local: boolean
  readonly text: (millis: number) => string
}

const dayMillis = 86_400_000
const tokens = /yyyy|MM|dd|HH|mm|ss|SSS|'[^']*'/g

const two = (value: number) => String(value).padStart(2, "0")

const patternFormat = (pattern: string): Result.Result<Format, string> => {
  const rest = pattern.replace(tokens, "")
  if (/[A-Za-z]/.test(rest)) return Result.fail(`${JSON.stringify(rest)} of it is no part of a date`)
  if (!/yyyy.*MM.*dd/.test(pattern)) return Result.fail("it has no yyyy, MM and dd in this order")
  const step = pattern.includes("SSS")
    ? 1
    : pattern.includes("ss")
      ? 1000
      : pattern.includes("mm")
        ? 60_000
        : pattern.includes("HH")
          ? 3_600_000
          : dayMillis
  const text = (millis: number) => {
    const date = new Date(millis)
    return pattern.replace(tokens, (token) => {
      switch (token) {
        case "yyyy":
          return String(date.getUTCFullYear()).padStart(4, "0")
        case "MM":
          return two(date.getUTCMonth() + 1)
        case "dd":
          return two(date.getUTCDate())
        case "HH":
          return two(date.getUTCHours())
        case "mm":
          return two(date.getUTCMinutes())
        case "ss":
          return two(date.getUTCSeconds())
        case "SSS":
          return String(date.getUTCMilliseconds()).padStart(3, "0")
        default:
          return token.slice(1, -1)
      }
    })
  }
  return Result.succeed({ step, local: true, text })
}

const epoch = (step: number, text: (millis: number) => string): Result.Result<Format, string> =>
  Result.succeed({ step, local: false, text })

/** Digits behind the milliseconds, without arithmetic that would round. */
const followed = (millis: number, zeros: string) => (millis === 0 ? "0" : `${millis}${zeros}`)

const formatOf = (format: string): Result.Result<Format, string> => {
  switch (format) {
    case "epoch-seconds":
      return epoch(1000, (millis) => String(millis / 1000))
    case "epoch-millis":
      return epoch(1, String)
    case "epoch-micros":
      return epoch(1, (millis) => followed(millis, "000"))
    case "epoch-nanos":
      return epoch(1, (millis) => followed(millis, "000000"))
    case "iso":
      return epoch(1, (millis) => new Date(millis).toISOString().replace(".000Z", "Z"))
    case "date":
      return patternFormat("yyyy-MM-dd")
    default:
      return patternFormat(format)
  }
}

/** True for formats that are numbers, also where a body is JSON. */
export const isNumeric = (format: string): boolean => format === "epoch-seconds" || format === "epoch-millis"

export interface RangeText {
  readonly start: string
  readonly end: string
}

/** `intraday` false: the bounds are dates at 00:00Z, and mean those dates in the zone. */
export type RangeSpeller = (range: TimeRange, intraday: boolean) => RangeText

/**
 * The bounds of a range as text, never less than the range: where the format is coarser than a millisecond the start is rounded
 * down and the end so that the last one is in.
 */
export const rangeText = ({ end, format, zone }: TimeSpelling): Result.Result<RangeSpeller, string> =>
  Result.flatMap(formatOf(format), ({ local, step, text }) => {
    const clock = ZoneClock.make(zone)
    if (clock === null) return Result.fail(`there is no zone ${zone}`)
    const shown = (instant: number, intraday: boolean) =>
      local === intraday ? (intraday ? instant + clock.offsetAt(instant) : clock.first(instant)) : instant
    const down = (value: number) => text(Math.floor(value / step) * step)
    const up = (value: number) => text(Math.ceil(value / step) * step)
    return Result.succeed((range, intraday) => ({
      start: down(shown(range.start, intraday)),
      end: end === "inclusive" ? down(shown(range.end, intraday) - 1) : up(shown(range.end, intraday))
    }))
  })
