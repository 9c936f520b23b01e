import { Effect, Option, Stream } from "effect"

/** How many records go into one chunk of a listing. */
export const chunkRows = 1_000

/** What is at hand as a whole, in chunks, so that no message carries all of it. */
export const chunked = <A, E, R>(all: Effect.Effect<ReadonlyArray<A>, E, R>): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.map(all, (records) =>
      Stream.paginate(0, (from) => {
        const next = from + chunkRows
        return Effect.succeed([records.slice(from, next), next < records.length ? Option.some(next) : Option.none()])
      })
    )
  )
