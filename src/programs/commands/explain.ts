import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { floor, isIntraday } from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf } from "../flags/SeriesFlags.ts"
import { because } from "../format/RangeLines.ts"
import { receiptDocument } from "../format/ReceiptDocument.ts"
import { receiptLines } from "../format/ReceiptLines.ts"
import { labelOf } from "../format/Strip.ts"
import { brief } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withData } from "../withData.ts"

const flags = {
  ...seriesFlags,
  at: instantFlag("at", "The bar's stamp: its opening instant; for a day and longer any date in it"),
  asOf: instantFlag("as-of", "The row as it was known then").pipe(Flag.optional)
}

type Input = Command.Command.Config.Infer<typeof flags>

/** What is known of the instant at which there is no row. */
const whyNot = Effect.fnUntraced(function* (series: SeriesKey, ts: EpochMillis, asOf: { readonly asOf?: EpochMillis }) {
  const cache = yield* StitchingCache
  const { note } = yield* Output
  const known = yield* cache.coverage(series, { start: ts, end: ts + 1 }, asOf).pipe(Effect.orElseSucceed(() => []))
  for (const { state } of known) {
    const reason = "response" in state ? `response ${state.response} covers it and has no row there` : because(state)
    yield* note(`${brief(ts)} is ${labelOf(state._tag)}: ${reason}`)
  }
})

const explain = Effect.fn("tapestry explain")(function* (input: Input) {
  const json = yield* Json
  const { line, lines, terminal } = yield* Output
  const ts = isIntraday(input.timeframe) ? input.at : floor(input.timeframe, input.at)
  yield* withData(
    Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series = yield* seriesOf(input)
      const asOf = Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}
      const receipt = yield* cache
        .explain(series, ts, asOf)
        .pipe(Effect.tapError((error) => (error.reason._tag === "NoSuchRow" ? whyNot(series, ts, asOf) : Effect.void)))
      yield* json
        ? line(JSON.stringify(receiptDocument(receipt)))
        : lines(receiptLines(receipt, styleOf(terminal), terminal.isTerminal ? terminal.columns : 100))
    })
  )
}, asCommand("explain"))

export const command = Command.make("explain", flags, explain).pipe(
  Command.withDescription(
    "The chain behind one row: the request that asked for it, the answer it came in, the sha256 of that answer's exact bytes, and the line in them."
  ),
  Command.withExamples([
    {
      command: "tapestry explain SPX --vendor sample --timeframe 1d --at 2009-03-09",
      description: "The close of 9 March 2009"
    }
  ])
)
