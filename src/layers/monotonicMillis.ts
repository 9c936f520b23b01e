import { Clock, Effect } from "effect"

/** Milliseconds since an instant of no meaning, for measuring how long something takes: unlike the clock on the wall it is never set. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1_000_000
)
