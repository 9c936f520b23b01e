import { Effect, Random } from "effect"

/** What a client may call its own call. Anything else could break a line of the log, or fill it. */
const plainToken = /^[A-Za-z0-9._:~-]{1,64}$/

/** Eight characters; unlikely enough to meet again among the calls whose log lines are at hand. */
export const shortId = Effect.map(Random.next, (draw) =>
  Math.floor(draw * 36 ** 8)
    .toString(36)
    .padStart(8, "0")
)

/** The id under which everything that a call causes is logged: the caller's own where it gave a plain one. */
export const correlationId = (given: string | undefined): Effect.Effect<string> =>
  given !== undefined && plainToken.test(given) ? Effect.succeed(given) : shortId
