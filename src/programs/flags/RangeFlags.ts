/** The flags that say which range is meant, and the half-open range they stand for. */
import { Clock, Effect, Option, Result } from "effect"
import { Flag } from "effect/cli"
import { ValidationError } from "effect/cli/CliError"
import { parseInstant, parseSpan, parseZone, utc } from "../../domain/Instant.ts"
import { instantReader } from "../../domain/records/instantText.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { UsageError } from "../failure/UsageError.ts"

/** A flag whose text is parsed by `parse`; what it refuses is wrong usage, said in its own words. */
const parsed = <A>(name: string, metavar: string, parse: (text: string) => Result.Result<A, string>) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.mapEffect((text) =>
      Result.match(parse(text), {
        onSuccess: (value) => Effect.succeed(value),
        onFailure: (problem) => Effect.fail(new ValidationError({ message: `--${name} ${problem}` }))
      })
    )
  )

export const instantFlag = (name: string, description: string) =>
  parsed(name, "DATE", parseInstant).pipe(Flag.withDescription(description))

/** To the nanosecond. */
export const preciseInstantFlag = (name: string, description: string) =>
  parsed(name, "DATE", instantReader()).pipe(Flag.withDescription(description))

export const zoneOf = (description: string) => parsed("tz", "ZONE", parseZone).pipe(Flag.withDescription(description))

export const zoneFlag = zoneOf(
  "Time zone of the times in tables, as America/New_York; csv, ndjson and JSON are in UTC"
).pipe(Flag.withDefault(utc))

export const rangeFlags = {
  from: instantFlag("from", "First instant: 2019-01-02, or a date-time with Z or an offset").pipe(Flag.optional),
  to: instantFlag("to", "End of the range, itself not part of it; now unless given").pipe(Flag.optional),
  last: parsed("last", "SPAN", parseSpan).pipe(
    Flag.withDescription("Instead of --from and --to: 30d, 6h, 2w back from the start of today (UTC)"),
    Flag.optional
  )
}

export interface RangeInput {
  readonly from: Option.Option<EpochMillis>
  readonly to: Option.Option<EpochMillis>
  readonly last: Option.Option<number>
}

const day = 86_400_000

/**
 * The end of a `--last` range: the start of the UTC day of the bar that is open now. All requests of one day end alike, so
 * that the second is answered by what the first one fetched.
 */
export const lastEnd = (timeframe: Timeframe.Timeframe, now: EpochMillis): EpochMillis =>
  Math.floor(Timeframe.floor(timeframe, now) / day) * day

const iso = (instant: EpochMillis) => new Date(instant).toISOString()

/** The range of `--from` and `--to`, or of `--last`; anything else is wrong usage. */
export const rangeOf = Effect.fnUntraced(function* (
  input: RangeInput,
  timeframe: Timeframe.Timeframe
): Effect.fn.Return<TimeRange, UsageError> {
  const now = yield* Clock.currentTimeMillis
  if (Option.isSome(input.last)) {
    if (Option.isSome(input.from) || Option.isSome(input.to)) {
      return yield* new UsageError({ message: "--last stands for the whole range; leave out --from and --to" })
    }
    const end = lastEnd(timeframe, now)
    return { start: end - input.last.value, end }
  }
  if (Option.isNone(input.from)) {
    return yield* new UsageError({ message: "the range is missing; give --from (and --to), or --last" })
  }
  const start = input.from.value
  const end = Option.getOrElse(input.to, () => now)
  if (start >= end) {
    const problem = Option.isNone(input.to)
      ? `--from ${iso(start)} is in the future, and without --to the range ends now`
      : start === end
        ? `--from and --to are both ${iso(start)}, and a range without length holds nothing; --to is exclusive`
        : `the range is reversed: --from ${iso(start)} is after --to ${iso(end)}`
    return yield* new UsageError({ message: problem })
  }
  return { start, end }
})
