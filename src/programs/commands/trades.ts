import { Effect } from "effect"
import { Command } from "effect/cli"
import { isRows } from "../../domain/streams/StreamEvent.ts"
import { asCommand } from "../failure/UsageError.ts"
import { isForPerson, lineByLine } from "../streams/showing.ts"
import { wordsOf } from "../streams/streamWords.ts"
import { tradeLine } from "../streams/tradeLine.ts"
import { streamFlags, watching } from "../streams/watching.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"

const trades = Effect.fn("tapestry trades")(function* (input: Command.Command.Config.Infer<typeof streamFlags>) {
  if (!(yield* isForPerson)) return yield* lineByLine({ ...input, kind: "trades" })
  const { lines, note, terminal } = yield* Output
  const style = styleOf(terminal)
  yield* watching({ ...input, kind: "trades" }, (keys) =>
    Effect.succeed(
      Effect.fnUntraced(function* (items) {
        for (const { event, stream } of items) {
          const symbol = keys[stream]?.symbol ?? ""
          if (event._tag === "Trades") yield* lines(event.rows.map((row) => tradeLine(symbol, row)))
          if (isRows(event)) continue
          const words = wordsOf(symbol, event)
          if (words !== null) yield* note(style.yellow(words))
        }
      })
    )
  )
}, asCommand("trades"))

export const command = Command.make("trades", streamFlags, trades).pipe(
  Command.withDescription(
    "Every trade of symbols as it happens, until Ctrl-C. When the stream breaks, what was missed is fetched from the vendor's history and shown in its place, and what could not be had is told. In a pipe, or with --json, one JSON object a line, of these words too."
  ),
  Command.withExamples([
    { command: "tapestry trades SPY", description: "Of the one vendor that streams" },
    { command: "tapestry trades SPY QQQ --vendor ibkr --json", description: "Line by line, for a program" }
  ])
)
