import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { drawn } from "../streams/drawn.ts"
import { ladder } from "../streams/Ladder.ts"
import { documentsOf } from "../streams/streamDocuments.ts"
import { streamFlags, watching } from "../streams/watching.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"

const flags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The symbol, in the vendor's spelling")),
  vendor: streamFlags.vendor,
  count: streamFlags.count
}

const depth = Effect.fn("tapestry depth")(function* ({ symbol, ...input }: Command.Command.Config.Infer<typeof flags>) {
  const { lines, terminal } = yield* Output
  const watched = { ...input, kind: "depth" as const, symbols: [symbol] }
  if ((yield* Json) || !terminal.isTerminal) {
    return yield* watching(watched, (keys) =>
      Effect.succeed((items) =>
        lines(items.flatMap((item) => documentsOf(item, keys).map((document) => JSON.stringify(document))))
      )
    )
  }
  const style = styleOf(terminal)
  yield* drawn(watched, (keys) => {
    const shown = ladder(keys)
    return { take: shown.take, lines: () => shown.lines(style, terminal.columns) }
  })
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
