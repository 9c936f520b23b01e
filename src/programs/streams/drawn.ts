import { Clock, Effect } from "effect"
import type { StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { redrawing } from "../terminal/Redraw.ts"

/** As often as a person can read, in milliseconds. */
const redrawEvery = 100

/** What is shown of streams as they are now. */
export interface Board {
  readonly take: (item: StreamItem) => void
  readonly lines: () => ReadonlyArray<string>
}

/** Draws a board in place; see `watching`. What comes while this waits is taken at once afterwards, the newest of each. */
export const drawn = (boardOf: (keys: ReadonlyArray<StreamKey>) => Board) =>
  Effect.fnUntraced(function* (keys: ReadonlyArray<StreamKey>) {
    const board = boardOf(keys)
    const redraw = yield* redrawing
    let drawnAt = Number.NEGATIVE_INFINITY
    return Effect.fnUntraced(function* (items: ReadonlyArray<StreamItem>) {
      for (const item of items) board.take(item)
      const now = yield* Clock.currentTimeMillis
      if (now - drawnAt < redrawEvery) yield* Effect.sleep(redrawEvery - (now - drawnAt))
      drawnAt = yield* Clock.currentTimeMillis
      yield* redraw(board.lines())
    })
  })
