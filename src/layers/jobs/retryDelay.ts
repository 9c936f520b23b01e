import { Context, Duration, Effect, Random } from "effect"

/** How long a first failure waits for its second attempt; each further one four times as long, an hour at most. */
export const FirstRetryDelay = Context.Reference<Duration.Duration>("tapestry/FirstRetryDelay", {
  defaultValue: () => Duration.seconds(5)
})

const longest = 3_600_000

/** Milliseconds between an attempt that failed and the next, a fifth more or less; never before the vendor wants to be asked. */
export const retryDelay = Effect.fnUntraced(function* (attempt: number, retryAfter = 0) {
  const first = Duration.toMillis(yield* FirstRetryDelay)
  const spread = 0.8 + 0.4 * (yield* Random.next)
  return Math.ceil(Math.max(retryAfter, Math.min(longest, first * 4 ** (attempt - 1) * spread)))
})
