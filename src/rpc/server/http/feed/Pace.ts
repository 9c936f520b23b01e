/**
 * Wakes clients whose rows wait for the rate. One fiber for all of them: it sleeps until the earliest, or until one comes that is earlier.
 */
import { Clock, Effect, Latch, type Scope } from "effect"
import { enduring } from "../../../../layers/enduring.ts"

export interface Paced {
  readonly flush: (now: number) => void
}

export interface Pace {
  /** Milliseconds of a clock that is never set back. */
  readonly now: () => number
  /** Has it flushed at that time; one that waits already keeps the earlier time. */
  readonly wake: (whom: Paced, at: number) => void
  readonly forget: (whom: Paced) => void
}

export const make: Effect.Effect<Pace, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const waiting = new Map<Paced, number>()
  const sooner = Latch.makeUnsafe(false)
  let until = Number.POSITIVE_INFINITY

  const earliest = () => {
    let found = Number.POSITIVE_INFINITY
    for (const at of waiting.values()) if (at < found) found = at
    return found
  }

  const flush = () => {
    const time = now()
    for (const [whom, at] of waiting) {
      if (at > time) continue
      waiting.delete(whom)
      whom.flush(time)
    }
  }

  const round = Effect.suspend(() => {
    sooner.closeUnsafe()
    until = earliest()
    if (until === Number.POSITIVE_INFINITY) return sooner.await
    const left = until - now()
    if (left <= 0) return Effect.andThen(Effect.sync(flush), Effect.yieldNow)
    return Effect.andThen(Effect.raceFirst(Effect.sleep(Math.ceil(left)), sooner.await), Effect.sync(flush))
  })
  yield* Effect.forkScoped(enduring("the pace of JSON feeds", round, 100))

  return {
    now,
    wake: (whom, at) => {
      const known = waiting.get(whom)
      if (known !== undefined && known <= at) return
      waiting.set(whom, at)
      if (at < until) {
        until = at
        sooner.openUnsafe()
      }
    },
    forget: (whom) => {
      waiting.delete(whom)
    }
  }
})
