import { Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { canonical, parse } from "../../../domain/SeriesKey.ts"
import { Timeframe } from "../../../domain/Timeframe.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { seriesFlags, seriesOf } from "../../flags/SeriesFlags.ts"
import { counted } from "../../format/Numbers.ts"
import { Output } from "../../terminal/Output.ts"
import { withCache } from "../../withData.ts"
import { forgetting } from "./forgetting.ts"

const flags = {
  ...seriesFlags,
  symbol: Argument.String("series").pipe(
    Argument.withDescription("A symbol, with --vendor and --timeframe; or a key as 'series list' prints it")
  ),
  vendor: Flag.optional(seriesFlags.vendor),
  timeframe: Flag.Literals("timeframe", Timeframe.literals).pipe(
    Flag.withMetavar("TIMEFRAME"),
    Flag.withDescription("Length of a bar"),
    Flag.optional
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

/** A key says all by itself, also of a vendor that is no longer configured. */
const keyOf = Effect.fnUntraced(function* (input: Input) {
  if (input.symbol.startsWith("v1/")) {
    return yield* Effect.fromResult(
      Result.mapError(parse(input.symbol), (message) => new UsageError({ message: message.split(":", 2).join(":") }))
    )
  }
  if (Option.isNone(input.vendor) || Option.isNone(input.timeframe)) {
    return yield* new UsageError({ message: "a symbol alone is not a series; add --vendor and --timeframe" })
  }
  return yield* seriesOf({ ...input, vendor: input.vendor.value, timeframe: input.timeframe.value })
})

const forget = Effect.fn("tapestry series forget")(
  function* (input: Input) {
    const json = yield* Json
    const { line } = yield* Output
    const forgot = forgetting()
    const { series, rows } = yield* withCache(
      Effect.gen(function* () {
        const key = yield* keyOf(input)
        return { series: canonical(key), rows: yield* forgot(key) }
      })
    )
    if (json) return yield* line(JSON.stringify({ series, rows }))
    yield* line(
      rows === null
        ? `${series} is forgotten; how many rows it had is not known, as the connection was lost before the answer`
        : `forgot ${counted(rows, "row")} of ${series}`
    )
  },
  asCommand("series", "forget")
)

export const command = Command.make("forget", flags, forget).pipe(
  Command.withDescription(
    "Remove a series from the store: its rows, coverage and revisions. The archive keeps the answers, so asking for it again costs the vendor nothing."
  ),
  Command.withShortDescription("Remove a series from the store; the archive keeps the answers"),
  Command.withExamples([
    { command: "tapestry series forget SPX --vendor sample --timeframe 1d" },
    { command: "tapestry series forget v1/sample/-/SPX/bar/1d/trade/regular/USD/raw", description: "By its key" }
  ])
)
