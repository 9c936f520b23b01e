import { Clock, Effect } from "effect"

/** Runs an effect by the machine's clock so many milliseconds ahead; what is measured and slept is as long as it is. */
export const withClockAhead =
  (ahead: () => number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Clock.clockWith((machine) => {
      const millis = () => machine.currentTimeMillisUnsafe() + ahead()
      const nanos = () => machine.currentTimeNanosUnsafe() + BigInt(ahead()) * 1_000_000n
      return Effect.provideService(effect, Clock.Clock, {
        currentTimeMillisUnsafe: millis,
        currentTimeMillis: Effect.sync(millis),
        currentTimeNanosUnsafe: nanos,
        currentTimeNanos: Effect.sync(nanos),
        monotonicTimeNanosUnsafe: () => machine.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: machine.monotonicTimeNanos,
        sleep: (duration) => machine.sleep(duration)
      })
    })
