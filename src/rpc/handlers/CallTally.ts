/** What a call has sent so far: Border puts a tally around each call and logs it when the call ends. */
import { Context, Effect, Stream } from "effect"
import { rowsSent } from "../../services/Metrics.ts"

export interface Tally {
  rows: number
}

/** Null outside of a call. */
export const CallTally = Context.Reference<Tally | null>("tapestry/CallTally", { defaultValue: () => null })

/** Counts the rows (or records) of a stream as its chunks are taken; once a chunk, never once a row. */
export const counted = <A, E, R>(rows: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.transformPull(rows, (pull) =>
    Effect.contextWith((context) => {
      const tally = Context.get(context, CallTally)
      return Effect.succeed(
        Effect.map(pull, (chunk) => {
          if (tally !== null) tally.rows += chunk.length
          rowsSent.updateUnsafe(chunk.length, context)
          return chunk
        })
      )
    })
  )
