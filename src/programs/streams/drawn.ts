import { Clock, Effect, Logger, Queue } from "effect"
import type { StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { Output } from "../terminal/Output.ts"
import { redrawing } from "../terminal/Redraw.ts"
import { type Watched, watching } from "./watching.ts"

/** As often as a person can read, in milliseconds. */
const redrawEvery = 100
/** Lines of the log that wait to be shown; beyond them the oldest are left out. */
const mostLogged = 100

/** What is shown of streams as they are now. */
export interface Board {
  readonly take: (item: StreamItem) => void
  readonly lines: () => ReadonlyArray<string>
}

/**
 * Watches streams on a board that is drawn in place; what comes while it is drawn is taken at once afterwards, the newest of each. Where the log goes to a
 * terminal, too, its lines stand above the board: written between two drawings they would be in its way.
 */
export const drawn = Effect.fnUntraced(function* (
  watched: Watched,
  boardOf: (keys: ReadonlyArray<StreamKey>) => Board
) {
  const { errorTerminal, resized } = yield* Output
  const { above, end, redraw } = yield* redrawing
  const logged = yield* Queue.sliding<string>(mostLogged)
  const show = Effect.fnUntraced(function* (keys: ReadonlyArray<StreamKey>) {
    const board = boardOf(keys)
    let drawnAt = Number.NEGATIVE_INFINITY
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(
          resized,
          Effect.suspend(() => redraw(board.lines()))
        )
      )
    )
    yield* Effect.addFinalizer(() => Effect.ignore(end))
    return Effect.fnUntraced(function* (items: ReadonlyArray<StreamItem>) {
      for (const item of items) board.take(item)
      const now = yield* Clock.currentTimeMillis
      if (now - drawnAt < redrawEvery) yield* Effect.sleep(redrawEvery - (now - drawnAt))
      drawnAt = yield* Clock.currentTimeMillis
      yield* redraw(board.lines())
    })
  })
  if (!errorTerminal.isTerminal) return yield* watching(watched, show)
  const logger = Logger.map(Logger.formatLogFmt, (line) => {
    Queue.offerUnsafe(logged, line)
  })
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(logged), above)))
  yield* Effect.addFinalizer(() =>
    Effect.ignore(Effect.flatMap(Queue.clear(logged), (lines) => Effect.forEach(lines, above, { discard: true })))
  )
  return yield* Effect.provide(watching(watched, show), Logger.layer([logger]))
}, Effect.scoped)
