import { Effect, Metric, type Scope } from "effect"

/** A metric that is read when somebody asks for the metrics and not before, while the scope lives. */
export const pulled: <Input, State>(
  metric: Metric.Metric<Input, State>,
  read: () => State
) => Effect.Effect<void, never, Scope.Scope> = Effect.fnUntraced(function* (metric, read) {
  const context = yield* Effect.context<never>()
  yield* Effect.acquireRelease(
    Effect.sync(() => Metric.registerUnsafe(metric, context, { get: read, update: () => {}, modify: () => {} })),
    (registration) => Effect.sync(registration.remove)
  )
})
