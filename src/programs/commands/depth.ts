import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { ladder } from "../streams/Ladder.ts"
import { onBoard } from "../streams/showing.ts"
import { streamFlags } from "../streams/watching.ts"

const flags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The symbol, in the vendor's spelling")),
  rows: Flag.Int("rows").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How many prices of each side, 1 to 60; as many as the vendor usually gives unless given"),
    Flag.filter(
      (rows) => rows >= 1 && rows <= 60,
      () => "1 to 60"
    ),
    Flag.optional
  ),
  vendor: streamFlags.vendor,
  count: streamFlags.count
}

const depth = Effect.fn("tapestry depth")(function* ({
  rows,
  symbol,
  ...input
}: Command.Command.Config.Infer<typeof flags>) {
  const params = Option.isSome(rows) ? { params: { rows: String(rows.value) } } : {}
  yield* onBoard({ ...input, ...params, kind: "depth", symbols: [symbol] }, ladder)
}, asCommand("depth"))

export const command = Command.make("depth", flags, depth).pipe(
  Command.withDescription(
    "The book of a symbol as it changes, until Ctrl-C. On a terminal a ladder that redraws in place; in a pipe, or with --json, one JSON object a line with both sides, best first."
  ),
  Command.withExamples([
    { command: "tapestry depth SPY --rows 20", description: "A ladder, of the one vendor that streams" },
    {
      command: "tapestry depth SPY --vendor ibkr --json --count 5 | jq 'select(.event == \"Depth\").bids[0]'",
      description: "Line by line, for a program"
    }
  ])
)
