import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { ladder } from "../streams/Ladder.ts"
import { onBoard } from "../streams/showing.ts"
import { streamFlags } from "../streams/watching.ts"

const flags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The symbol, in the vendor's spelling")),
  vendor: streamFlags.vendor,
  count: streamFlags.count
}

const depth = Effect.fn("tapestry depth")(function* ({ symbol, ...input }: Command.Command.Config.Infer<typeof flags>) {
  yield* onBoard({ ...input, kind: "depth", symbols: [symbol] }, ladder)
}, asCommand("depth"))

export const command = Command.make("depth", flags, depth).pipe(
  Command.withDescription(
    "The book of a symbol as it changes, until Ctrl-C. On a terminal a ladder that redraws in place; in a pipe, or with --json, one JSON object a line with both sides, best first."
  ),
  Command.withExamples([
    { command: "tapestry depth ALPHA", description: "A ladder, of the one vendor that streams" },
    { command: "tapestry depth SPY --vendor ibkr --json | jq .bids[0]", description: "Line by line, for a program" }
  ])
)
