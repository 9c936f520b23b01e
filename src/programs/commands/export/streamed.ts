/** Rows of a kind as one text or Arrow file, one series after the other; each row says which it is of, so that `ingest` takes it back. */
import { Effect, Option, Ref, Stream } from "effect"
import type { Bar } from "../../../domain/Bar.ts"
import { type AnyRecord, isRecordSeries } from "../../../domain/records/RecordKind.ts"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import { packed, unpackedName } from "../../../layers/export/packed.ts"
import type { RecordsWriter } from "../../../layers/export/RecordsText.ts"
import type { ImportKind } from "../../../services/Imports.ts"
import { MarketStore, type MarketStoreError } from "../../../services/MarketStore.ts"
import { RecordStore } from "../../../services/RecordStore.ts"
import { counted } from "../../format/Numbers.ts"
import { writeAtomically } from "../../terminal/AtomicFile.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { withData } from "../../withData.ts"

export type RowFormat = "ndjson" | "csv" | "arrow"

/** What a file's name says; NDJSON where it says nothing. */
export const formatOf = (file: string): RowFormat => {
  const name = unpackedName(file)
  if (/\.(arrow|feather|ipc)$/i.test(name)) return "arrow"
  return /\.csv$/i.test(name) ? "csv" : "ndjson"
}

/** So few that neither their text nor a list of them is an object for V8's space of large ones, which only full collections empty. */
const sliceRows = 512

const writerOf = (kind: ImportKind, format: RowFormat): Effect.Effect<RecordsWriter> =>
  format === "arrow"
    ? Effect.map(
        Effect.promise(() => import("../../../layers/export/RecordsArrow.ts")),
        ({ recordsArrow }) => recordsArrow(kind)
      )
    : Effect.map(
        Effect.promise(() => import("../../../layers/export/RecordsText.ts")),
        ({ recordsText }) => recordsText(kind, format)
      )

export interface StreamedOptions {
  readonly kind: ImportKind
  /** The series, with about how many rows each has. */
  readonly series: Effect.Effect<
    ReadonlyArray<{ readonly series: SeriesKey; readonly rows: number }>,
    MarketStoreError,
    MarketStore
  >
  readonly range: TimeRange
  readonly asOf: Option.Option<EpochMillis>
  readonly format: RowFormat
  /** `-` for standard output; a file appears when it is complete, packed as its name says. */
  readonly out: string
}

/** Gives the rows that were written. */
export const writeStreamed = Effect.fnUntraced(function* ({ asOf, format, kind, out, range, series }: StreamedOptions) {
  const { note, write } = yield* Output
  const known = Option.isSome(asOf) ? { asOf: asOf.value } : {}
  const writer = yield* writerOf(kind, format)
  const written = yield* Ref.make(0)
  const { layer: flatHeap } = yield* Effect.promise(() => import("../../flatHeap.ts"))
  yield* withProgress({ label: "exporting", units: "rows", things: "rows" }, ({ report }) =>
    withData(
      Effect.gen(function* () {
        const market = yield* MarketStore
        const records = yield* RecordStore
        const all = yield* series
        const total = all.reduce((sum, { rows: count }) => sum + count, 0)
        const rowsOf = (of: SeriesKey): Stream.Stream<Bar | AnyRecord, MarketStoreError> =>
          isRecordSeries(of) ? records.rows(of, range, known) : market.bars(of, range, known)
        const text = (of: SeriesKey) =>
          Stream.chunks(Stream.rechunk(rowsOf(of), sliceRows)).pipe(
            Stream.mapEffect((chunk) =>
              Effect.gen(function* () {
                const done = yield* Ref.updateAndGet(written, (before) => before + chunk.length)
                yield* report({ done, of: total, count: done })
                return writer.rows(of, chunk)
              })
            )
          )
        const whole = Stream.concat(
          Stream.concat(
            Stream.succeed(writer.head),
            Stream.flatMap(Stream.fromArray(all), (one) => text(one.series))
          ),
          Stream.sync(writer.tail)
        ).pipe(Stream.filter(({ length }) => length > 0))
        yield* out === "-" ? Stream.runForEach(whole, write) : writeAtomically(out, packed(out, whole))
      })
    )
  ).pipe(Effect.provide(flatHeap))
  const rows = yield* Ref.get(written)
  if (out !== "-") yield* note(`${counted(rows, "row")} in ${out}`)
  return rows
})
