/** When a session tries again after it lost its gateway. Durations are milliseconds. */
import { Clock, Effect, Random } from "effect"
import type { EpochMillis } from "../../../domain/TimeRange.ts"

export interface ReconnectOptions {
  readonly first: number
  readonly most: number
  /** Between attempts after another client had the id. */
  readonly clientId: number
  /** Between attempts while IB resets its servers. */
  readonly inReset: number
}

/**
 * The pause before attempt number `attempt` (from 1), doubled each time, and up to a fifth shorter or longer, so that many clients of one gateway do not
 * come at once. `resetLeft`: how long IB's reset still takes, null where there is none. In it the pause is that of a reset, but for the first, since
 * what was lost may have nothing to do with it; and it does not last much longer than the reset.
 */
export const backoff = Effect.fnUntraced(function* (
  attempt: number,
  { first, inReset, most }: ReconnectOptions,
  resetLeft: number | null
) {
  const pause = resetLeft === null || attempt === 1 ? Math.min(most, first * 2 ** Math.min(attempt - 1, 20)) : inReset
  const spread = pause * (0.8 + 0.4 * (yield* Random.next))
  return Math.round(resetLeft === null || attempt === 1 ? spread : Math.min(spread, resetLeft + first))
})

/** The id to try after `current` was taken: the next of the `count` from `base` on, around and around. */
export const nextClientId = (current: number, base: number, count: number): number =>
  base + ((current - base + 1) % count)

/** Done when a gateway has been without IB for `patience` since now, or since the end of a reset in which that fell. */
export const upstreamGone = Effect.fnUntraced(function* (
  patience: number,
  resetOver: (now: EpochMillis) => EpochMillis | null
) {
  while (true) {
    yield* Effect.sleep(patience)
    const now = yield* Clock.currentTimeMillis
    const over = resetOver(now)
    if (over === null) return
    yield* Effect.sleep(over - now)
  }
})
