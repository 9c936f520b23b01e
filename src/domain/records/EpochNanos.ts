import { Schema } from "effect"
import type { EpochMillis } from "../TimeRange.ts"

const nanosPerMilli = 1_000_000n

/** An instant in nanoseconds since 1970-01-01T00:00:00Z, a signed 64-bit whole number: from 1677-09-21 to 2262-04-11. */
export const EpochNanos = Schema.BigInt.pipe(
  Schema.check(
    Schema.makeFilter((nanos) => isNanos(nanos) || "nanoseconds since 1970 fit into 64 bits: 1677-09-21 to 2262-04-11")
  )
)
export type EpochNanos = bigint

export const isNanos = (nanos: bigint): boolean => BigInt.asIntN(64, nanos) === nanos

/** The millisecond that an instant lies in, and the nanoseconds since its beginning. */
export interface SplitInstant {
  readonly millis: EpochMillis
  /** 0 to 999,999. */
  readonly nanos: number
}

/** Rounds towards the past, before 1970 too, so that `nanos` is never negative. */
export const split = (instant: EpochNanos): SplitInstant => {
  const rest = Number(instant % nanosPerMilli)
  const millis = Number(instant / nanosPerMilli)
  return rest < 0 ? { millis: millis - 1, nanos: rest + 1_000_000 } : { millis, nanos: rest }
}

export const join = ({ millis, nanos }: SplitInstant): EpochNanos => BigInt(millis) * nanosPerMilli + BigInt(nanos)
