import { Cause, Duration, Effect } from "effect"

/**
 * Does something again and again until it is interrupted, also after a defect of it, which is logged: a fiber that dies says nothing to anybody, and what it
 * did for all would be done for nobody any more. `pause`: milliseconds after a defect, so that one that comes at once does not keep the process busy.
 */
export const enduring = <A, R>(
  what: string,
  round: Effect.Effect<A, never, R>,
  pause: number
): Effect.Effect<never, never, R> =>
  Effect.forever(
    Effect.catchCause(Effect.asVoid(round), (cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.andThen(Effect.logError(`${what} failed; it goes on`, cause), Effect.sleep(Duration.millis(pause)))
    )
  )
