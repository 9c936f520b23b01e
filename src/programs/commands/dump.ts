import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { kindArgument, kindOf } from "../flags/KindArgument.ts"
import * as all from "./dump/all.ts"
import { symbolFlag } from "./dump/symbolFlag.ts"
import { selected, selectionFlags, spanOf } from "./export/selection.ts"
import { formatOf, writeStreamed } from "./export/streamed.ts"

const flags = {
  kind: kindArgument,
  out: Argument.String("out").pipe(Argument.withDescription("The file to write; - for standard output")),
  symbol: symbolFlag,
  ...selectionFlags,
  format: Flag.Literals("format", ["ndjson", "csv", "arrow"]).pipe(
    Flag.withDescription(
      "A JSON object a line, CSV, or an Arrow IPC file; unless given, what the file's name says, else NDJSON"
    ),
    Flag.optional
  )
}

const dump = Effect.fn("tapestry dump")(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const kind = yield* kindOf(input.kind)
  yield* writeStreamed({
    kind,
    series: selected({
      kind,
      vendor: Option.getOrUndefined(input.vendor),
      timeframe: Option.getOrUndefined(input.timeframe),
      symbols: Option.toArray(input.symbol)
    }),
    range: yield* spanOf(input),
    asOf: input.asOf,
    format: Option.getOrElse(input.format, () => formatOf(input.out)),
    out: input.out
  })
}, asCommand("dump"))

export const command = Command.make("dump", flags, dump).pipe(
  Command.withDescription(
    "Rows of the store as one file that 'tapestry ingest' takes back exactly: every kind, of all series or of some. It is 'tapestry export' to standard output, under the name that market-data-store has for it, or into a file, which appears when it is complete. Each row says which series it is of. A name that ends in .gz or .zst has it packed. Nothing is fetched, and there is no manifest: for files that prove themselves see 'tapestry export'."
  ),
  Command.withShortDescription("Rows of the store as one file that ingest takes back"),
  Command.withExamples([
    {
      command: "tapestry dump trades spy.ndjson --symbol SPY --from 2026-06-19 --to 2026-06-20",
      description: "A day's tape"
    },
    { command: "tapestry dump quotes quotes.arrow --vendor acme", description: "For pandas or Polars" },
    { command: "tapestry dump bars - --vendor acme --format csv | gzip > bars.csv.gz", description: "Through a pipe" }
  ]),
  Command.withSubcommands([all.command])
)
