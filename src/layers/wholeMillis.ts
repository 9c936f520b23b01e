import { Clock, Effect } from "effect"

/** The clock's time as the archive keeps it: whole milliseconds. A test's clock may stand between two. */
export const wholeMillis: Effect.Effect<number> = Effect.map(Clock.currentTimeMillis, Math.floor)
