import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { drawn } from "../streams/drawn.ts"
import { quoteBoard } from "../streams/QuoteBoard.ts"
import { documentsOf } from "../streams/streamDocuments.ts"
import { streamFlags, watching } from "../streams/watching.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"

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
  yield* drawn({ ...input, kind: "quotes" }, (keys) => {
    const board = quoteBoard(keys)
    return { take: board.take, lines: () => board.lines(style, terminal.columns) }
  })
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
