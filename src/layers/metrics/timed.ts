import { Clock, Context, Effect, type Metric } from "effect"

/** Tells a histogram the seconds that an effect takes, however it ends. */
export const timed =
  (histogram: Metric.Metric<number, Metric.HistogramState>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.contextWith((context) => {
      const clock = Context.get(context, Clock.Clock)
      const began = clock.monotonicTimeNanosUnsafe()
      return Effect.onExit(effect, () =>
        Effect.sync(() => histogram.updateUnsafe(Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9, context))
      )
    })
