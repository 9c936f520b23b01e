import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { quoteBoard } from "../streams/QuoteBoard.ts"
import { onBoard } from "../streams/showing.ts"
import { streamFlags } from "../streams/watching.ts"

const quotes = Effect.fn("tapestry quotes")(function* (input: Command.Command.Config.Infer<typeof streamFlags>) {
  yield* onBoard({ ...input, kind: "quotes" }, quoteBoard)
}, asCommand("quotes"))

export const command = Command.make("quotes", streamFlags, quotes).pipe(
  Command.withDescription(
    "The best bid and ask of symbols as they change, until Ctrl-C. On a terminal a table that redraws in place; in a pipe, or with --json, one JSON object a line. Of what comes faster than it is read the newest is shown. A stream that breaks says so, and is had again."
  ),
  Command.withExamples([
    { command: "tapestry quotes SPY AAPL EUR.USD", description: "A live table, of the one vendor that streams" },
    {
      command: "tapestry quotes SPY --vendor ibkr | jq 'select(.event == \"Quotes\").bid'",
      description: "Line by line, for a program"
    },
    { command: "tapestry quotes SPY --count 1 --json", description: "One quote" }
  ])
)
