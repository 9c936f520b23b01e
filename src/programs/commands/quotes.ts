import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { quoteBoard } from "../streams/QuoteBoard.ts"
import { documentsOf } from "../streams/streamDocuments.ts"
import { streamFlags, watching } from "../streams/watching.ts"
import { Output } from "../terminal/Output.ts"
import { redrawing } from "../terminal/Redraw.ts"
import { styleOf } from "../terminal/Style.ts"

/** As often as a person can read, in milliseconds. */
const redrawEvery = 100

const quotes = Effect.fn("tapestry quotes")(function* (input: Command.Command.Config.Infer<typeof streamFlags>) {
  const { lines, terminal } = yield* Output
  if ((yield* Json) || !terminal.isTerminal) {
    return yield* watching({ ...input, kind: "quotes" }, (keys) =>
      Effect.succeed((items) =>
        lines(items.flatMap((item) => documentsOf(item, keys).map((document) => JSON.stringify(document))))
      )
    )
  }
  const style = styleOf(terminal)
  yield* watching(
    { ...input, kind: "quotes" },
    Effect.fnUntraced(function* (keys) {
      const board = quoteBoard(keys)
      const redraw = yield* redrawing
      let drawnAt = Number.NEGATIVE_INFINITY
      return Effect.fnUntraced(function* (items) {
        for (const item of items) board.take(item)
        // What comes while this waits is read at once afterwards, the newest of each.
        const now = yield* Clock.currentTimeMillis
        if (now - drawnAt < redrawEvery) yield* Effect.sleep(redrawEvery - (now - drawnAt))
        drawnAt = yield* Clock.currentTimeMillis
        yield* redraw(board.lines(style, terminal.columns))
      })
    })
  )
}, asCommand("quotes"))

export const command = Command.make("quotes", streamFlags, quotes).pipe(
  Command.withDescription(
    "The best bid and ask of symbols as they change, until Ctrl-C. On a terminal a table that redraws in place; in a pipe, or with --json, one JSON object a line. Of what comes faster than it is read the newest is shown. A stream that breaks says so, and is had again."
  ),
  Command.withExamples([
    { command: "tapestry quotes ALPHA BETA", description: "A live table, of the one vendor that streams" },
    { command: "tapestry quotes SPY --vendor ibkr | jq .bid", description: "Line by line, for a program" },
    { command: "tapestry quotes SPY --count 1 --json", description: "One quote" }
  ])
)
