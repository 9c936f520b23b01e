import { Effect } from "effect"

/** Milliseconds that one reader may have the event loop for, line after line. */
const turnTime = 4

/**
 * For a loop over lines: lets others have their turn when this one has taken its time, however many lines that were. What a line
 * costs is not known before: one is a Ping, the next a payload of a megabyte.
 */
export const make = (now: () => number = () => performance.now()): Effect.Effect<void> => {
  let began = now()
  return Effect.suspend(() => {
    if (now() - began < turnTime) return Effect.void
    return Effect.andThen(
      Effect.yieldNow,
      Effect.sync(() => {
        began = now()
      })
    )
  })
}
