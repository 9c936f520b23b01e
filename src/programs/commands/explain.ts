import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { join } from "../../domain/records/EpochNanos.ts"
import { isoNanos } from "../../domain/records/instantText.ts"
import { isRecordSeries, type RecordKind } from "../../domain/records/RecordKind.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { floor, isIntraday } from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { Imports } from "../../services/Imports.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { kindFlag, kindOf } from "../flags/KindArgument.ts"
import { instantFlag, preciseInstantFlag } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf } from "../flags/SeriesFlags.ts"
import { because } from "../format/RangeLines.ts"
import { receiptDocument, recordReceiptDocument } from "../format/ReceiptDocument.ts"
import { receiptLines, recordReceiptLines } from "../format/ReceiptLines.ts"
import { labelOf } from "../format/Strip.ts"
import { brief } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withData } from "../withData.ts"
import { NothingStored, selected } from "./export/selection.ts"

const flags = {
  ...seriesFlags,
  timeframe: seriesFlags.timeframe.pipe(
    Flag.withDescription("Length of a bar; of bars alone, and needed there"),
    Flag.optional
  ),
  kind: kindFlag,
  at: preciseInstantFlag(
    "at",
    "The row's stamp, to the nanosecond where it has such. Of a bar its opening instant; for a day and longer any date in it"
  ),
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

/** Records of one instant that are explained; more of them only differ in what they say. */
const mostRecords = 20

const explainRecords = Effect.fnUntraced(function* (input: Input, kind: RecordKind) {
  const json = yield* Json
  const { line, lines, note, terminal } = yield* Output
  const { asOf, at, symbol, vendor } = input
  const title = `${symbol} ${kind}`
  yield* withData(
    Effect.gen(function* () {
      const imports = yield* Imports
      const part = Option.getOrUndefined<string>
      const found = yield* selected({
        kind,
        vendor,
        symbols: [symbol],
        dataset: part(input.dataset),
        currency: part(input.currency)
      })
      if (found.length === 0) {
        return yield* new NothingStored({
          message: `no ${kind} rows of ${symbol} from ${vendor} are stored; series list names what is`
        })
      }
      const receipts = yield* Effect.forEach(found, ({ series }) =>
        isRecordSeries(series)
          ? imports.explain(series, at, {
              limit: mostRecords,
              ...(Option.isSome(asOf) ? { asOf: asOf.value } : {})
            })
          : Effect.succeed([])
      )
      const rows = receipts.flat()
      if (rows.length === 0) {
        return yield* new NothingStored({ message: `no row of ${title} at ${isoNanos(join(at))}` })
      }
      if (json) return yield* line(JSON.stringify({ rows: rows.map(recordReceiptDocument) }))
      const width = terminal.isTerminal ? terminal.columns : 100
      for (const [index, receipt] of rows.entries()) {
        yield* lines([...(index === 0 ? [] : [""]), ...recordReceiptLines(receipt, styleOf(terminal), width)])
      }
      if (receipts.some(({ length }) => length === mostRecords)) {
        yield* note(`the first ${mostRecords} of that instant; a time to the nanosecond tells them apart`)
      }
    })
  )
})

const explain = Effect.fn("tapestry explain")(function* (input: Input) {
  const kind = yield* kindOf(input.kind)
  if (kind !== "bar") return yield* explainRecords(input, kind)
  if (Option.isNone(input.timeframe)) {
    return yield* new UsageError({ message: "--timeframe: a bar has one; say which, or another --kind" })
  }
  const timeframe = input.timeframe.value
  const json = yield* Json
  const { line, lines, terminal } = yield* Output
  const ts = isIntraday(timeframe) ? input.at.millis : floor(timeframe, input.at.millis)
  yield* withData(
    Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series = yield* seriesOf({ ...input, timeframe })
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
    },
    {
      command: "tapestry explain SPY --vendor ibkr --kind trades --at 2026-06-18T14:30:01Z",
      description: "The trades of a millisecond, and when each was received"
    }
  ])
)
