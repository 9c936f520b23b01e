import { Deferred, Effect, Option } from "effect"
import { iso } from "../../domain/TimeRange.ts"
import type * as SeriesDesk from "./SeriesDesk.ts"

/** How often a moment without flights is waited for while others plan, before nobody plans until there is one. */
const patience = 16

/** Then it is given up for a moment: what is in flight may need it, to show a series that was rebased (rebase.ts). */
const held = "1 second"

const allLanded = Effect.fnUntraced(function* (desk: SeriesDesk.SeriesDesk) {
  for (const flight of [...desk.aloft]) yield* Effect.exit(Deferred.await(flight.landed))
})

/** After so long it is told what is waited for: a vendor that hangs would else hold up a rebuild without a word. */
const told = "30 seconds"

const tell = Effect.fnUntraced(function* (desk: SeriesDesk.SeriesDesk, what: string) {
  const [oldest] = desk.aloft
  if (oldest === undefined) return
  const { end, start } = oldest.range
  yield* Effect.logWarning(
    `${what} waits for what is on its way: ${desk.aloft.size} request(s), the oldest for ${iso(start)} to ${iso(end)}`
  )
})

/**
 * Runs `use` while nobody plans and nothing is in flight. Flights are waited for outside the permit, so that no reader waits
 * for another's vendor; only a series that is never without flights is held up in the end. `what` is done, for the log.
 */
export const whenQuiet = Effect.fnUntraced(function* <A, E>(
  desk: SeriesDesk.SeriesDesk,
  what: string,
  use: Effect.Effect<A, E>
) {
  yield* Effect.forkScoped(Effect.delay(tell(desk, what), told))
  for (let attempt = 0; ; attempt++) {
    const last = attempt >= patience
    if (!last) yield* allLanded(desk)
    const done = yield* desk.planning.withPermit(
      Effect.suspend(() =>
        last
          ? Effect.flatMap(Effect.timeoutOption(allLanded(desk), held), (landed) =>
              Option.isSome(landed) ? Effect.asSome(use) : Effect.succeedNone
            )
          : desk.aloft.size === 0
            ? Effect.asSome(use)
            : Effect.succeedNone
      )
    )
    if (Option.isSome(done)) return done.value
  }
}, Effect.scoped)
