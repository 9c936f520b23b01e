/** When a session tries again after it lost its gateway. Durations are milliseconds. */
import { Effect, Random } from "effect"

export interface ReconnectOptions {
  readonly first: number
  readonly most: number
  /** Between attempts after another client had the id. */
  readonly clientId: number
}

/** The pause before attempt number `attempt` (from 1), doubled each time, and up to a fifth shorter or longer, so that many clients of one gateway do not come at once. */
export const backoff = Effect.fnUntraced(function* (attempt: number, { first, most }: ReconnectOptions) {
  const pause = Math.min(most, first * 2 ** Math.min(attempt - 1, 20))
  return Math.round(pause * (0.8 + 0.4 * (yield* Random.next)))
})

/** The id to try after `current` was taken: the next of the `count` from `base` on, around and around. */
export const nextClientId = (current: number, base: number, count: number): number =>
  base + ((current - base + 1) % count)
