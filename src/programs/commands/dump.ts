import { Effect, Option, Ref, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Bar } from "../../domain/Bar.ts"
import type { AnyRecord, RecordSeries } from "../../domain/records/RecordKind.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { allTime } from "../../domain/TimeRange.ts"
import type { RecordsWriter } from "../../layers/export/RecordsText.ts"
import type { ImportKind } from "../../services/Imports.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { kindArgument, kindOf } from "../flags/KindArgument.ts"
import { instantFlag } from "../flags/RangeFlags.ts"
import { seriesFlags } from "../flags/SeriesFlags.ts"
import { counted } from "../format/Numbers.ts"
import { writeAtomically } from "../terminal/AtomicFile.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { withData } from "../withData.ts"

const flags = {
  kind: kindArgument,
  out: Argument.String("out").pipe(Argument.withDescription("The file to write; - for standard output")),
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Only rows of this vendor"),
    Flag.optional
  ),
  symbol: Flag.String("symbol").pipe(
    Flag.withMetavar("SYMBOL"),
    Flag.withDescription("Only rows of this symbol, as 'tapestry series list' spells it"),
    Flag.optional
  ),
  timeframe: Flag.optional(seriesFlags.timeframe),
  from: instantFlag("from", "Only rows at or after this instant").pipe(Flag.optional),
  to: instantFlag("to", "Only rows before this instant").pipe(Flag.optional),
  asOf: instantFlag("as-of", "The rows as they were known then").pipe(Flag.optional),
  format: Flag.Literals("format", ["ndjson", "csv", "arrow"]).pipe(
    Flag.withDescription(
      "A JSON object a line, CSV, or an Arrow IPC file; unless given, what the file's name says, else NDJSON"
    ),
    Flag.optional
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const isRecords = (series: SeriesKey): series is RecordSeries =>
  series.kind !== "bar" && series.kind !== "corporate-action"

type Format = "ndjson" | "csv" | "arrow"

const formatOf = (file: string): Format => {
  if (/\.(arrow|feather|ipc)$/i.test(file)) return "arrow"
  return /\.csv$/i.test(file) ? "csv" : "ndjson"
}

const writerOf = (kind: ImportKind, format: Format): Effect.Effect<RecordsWriter> =>
  format === "arrow"
    ? Effect.map(
        Effect.promise(() => import("../../layers/export/RecordsArrow.ts")),
        ({ recordsArrow }) => recordsArrow(kind)
      )
    : Effect.map(
        Effect.promise(() => import("../../layers/export/RecordsText.ts")),
        ({ recordsText }) => recordsText(kind, format)
      )

const dump = Effect.fn("tapestry dump")(function* (input: Input) {
  const { note, write } = yield* Output
  const kind = yield* kindOf(input.kind)
  const range = {
    start: Option.getOrElse(input.from, () => allTime.start),
    end: Option.getOrElse(input.to, () => allTime.end)
  }
  if (range.start >= range.end) return yield* new UsageError({ message: "--from is not before --to" })
  const asOf = Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}
  const format = Option.getOrElse(input.format, () => formatOf(input.out))
  const { head, rows, tail } = yield* writerOf(kind, format)
  const wanted = ({ kind: of, symbol, timeframe, vendor }: SeriesKey): boolean =>
    of === kind &&
    (Option.isNone(input.vendor) || input.vendor.value === vendor) &&
    (Option.isNone(input.symbol) || input.symbol.value === symbol) &&
    (Option.isNone(input.timeframe) || input.timeframe.value === timeframe)
  const written = yield* Ref.make(0)
  const { small: youngGeneration } = yield* Effect.promise(() => import("../youngGeneration.ts"))
  yield* withProgress({ label: `dumping ${input.kind}`, units: "rows", things: "rows" }, ({ report }) =>
    withData(
      Effect.gen(function* () {
        const market = yield* MarketStore
        const records = yield* RecordStore
        const all = (yield* market.series).filter(({ series }) => wanted(series))
        const of = all.reduce((sum, { rows: count }) => sum + count, 0)
        const rowsOf = (series: SeriesKey): Stream.Stream<Bar | AnyRecord, MarketStoreError> =>
          isRecords(series) ? records.rows(series, range, asOf) : market.bars(series, range, asOf)
        const text = (series: SeriesKey) =>
          Stream.chunks(rowsOf(series)).pipe(
            Stream.mapEffect((chunk) =>
              Effect.gen(function* () {
                const done = yield* Ref.updateAndGet(written, (before) => before + chunk.length)
                yield* report({ done, of, count: done })
                return rows(series, chunk)
              })
            )
          )
        const whole = Stream.concat(
          Stream.concat(
            Stream.succeed(head),
            Stream.flatMap(Stream.fromArray(all), ({ series }) => text(series))
          ),
          Stream.sync(tail)
        ).pipe(Stream.filter(({ length }) => length > 0))
        yield* input.out === "-" ? Stream.runForEach(whole, write) : writeAtomically(input.out, whole)
      })
    )
  ).pipe(Effect.provide(youngGeneration))
  if (input.out !== "-") yield* note(`${counted(yield* Ref.get(written), "row")} in ${input.out}`)
}, asCommand("dump"))

export const command = Command.make("dump", flags, dump).pipe(
  Command.withDescription(
    "Rows of the store as a file that 'tapestry ingest' takes back exactly: every kind, of all series or of some. Each row says which series it is of. The file appears when it is complete. Nothing is fetched; for a file that proves itself see 'tapestry export'."
  ),
  Command.withShortDescription("Rows of the store as a file that ingest takes back"),
  Command.withExamples([
    {
      command: "tapestry dump trades spy.ndjson --symbol SPY --from 2026-06-19 --to 2026-06-20",
      description: "A day's tape"
    },
    { command: "tapestry dump quotes quotes.arrow --vendor acme", description: "For pandas or Polars" },
    { command: "tapestry dump bars - --vendor acme --format csv | gzip > bars.csv.gz", description: "Through a pipe" }
  ])
)
