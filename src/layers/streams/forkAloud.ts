import { Cause, Effect, type Scope } from "effect"
import { Unavailable } from "../../services/Adapter.ts"
import type { StreamSink } from "../../services/StreamCapability.ts"

/**
 * Runs what feeds a sink for as long as the scope lives. A fiber that dies by a defect says nothing to anybody, and its stream would be one that is silent
 * for ever: here the log says what happened, and the stream is told to have ended. `again`: it may be opened anew.
 */
export const forkAloud = <R>(
  feeding: Effect.Effect<void, never, R>,
  sink: StreamSink,
  what: string,
  again = true
): Effect.Effect<void, never, R | Scope.Scope> =>
  feeding.pipe(
    Effect.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
      const message = `${what} failed here; the log says how`
      return Effect.andThen(
        Effect.logError(`${what} failed`, cause),
        Effect.sync(() => sink.event({ _tag: "Closed", retryable: again, cause: new Unavailable({ message }) }))
      )
    }),
    Effect.forkScoped({ startImmediately: true }),
    Effect.asVoid
  )
