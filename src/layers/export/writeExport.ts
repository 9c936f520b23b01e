/**
 * Writes answered ranges as an export: a directory with a file of rows for each, the manifest and SHA256SUMS.
 *
 * Responsibilities: rows with their lineage come from the store, a chunk at a time; each chunk is encoded, summed, written and let go
 * of, so that memory does not grow with the rows. The manifest says what was had, what was not and why, and which answers it all rests
 * on. The directory appears whole (see wholeDirectory.ts).
 *
 * Queueing: none; one series after the other.
 *
 * Hard cases: rows and coverage are read in many steps, and a commit may come in between. A commit that changes a bar also changes
 * who proves its interval; records may be proven by nothing, and of them the answers that are applied are counted. When either is not after the rows
 * what it was before them, the file is written anew, a few times, and then it is SeriesUnsettled. With `asOf` that does not happen.
 */
import { Clock, Effect, Equal, FileSystem, Path, type PlatformError, Stream } from "effect"
import { isRecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { ProvenanceStore, type ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import type { RangeAnswer } from "../../services/StitchingCache.ts"
import { wordsOf } from "../platformWords.ts"
import { sha256Hex } from "../provenance/digest.ts"
import { barRows } from "./barRows.ts"
import { ExportError, ExportNotWritten, SeriesUnsettled } from "./ExportError.ts"
import { exportCoverage, isWhole, reportNow, reportStored } from "./exportCoverage.ts"
import * as FileTally from "./FileTally.ts"
import { fileNames } from "./fileNames.ts"
import {
  type ExportedSeries,
  type ExportFormat,
  formatVersion,
  type Manifest,
  manifestName,
  sealed,
  sumsName,
  sumsText
} from "./Manifest.ts"
import * as ReceiptTally from "./ReceiptTally.ts"
import type { ExportedRow } from "./RowCodec.ts"
import type { RowKind } from "./RowKind.ts"
import { recordRows } from "./recordRows.ts"
import { wholeDirectory } from "./wholeDirectory.ts"

/** A range of a series: what `StitchingCache.read` gave of it, or (without plan and coverage) what is stored, which nobody was asked for. */
export type ExportedRange = Pick<RangeAnswer, "series" | "range"> & Partial<Pick<RangeAnswer, "plan" | "coverage">>

export interface WriteExportOptions {
  /** Bars, or records of any kind; of each its own file. */
  readonly answers: ReadonlyArray<ExportedRange>
  /** The rows as they were known then; the answers were read with the same. */
  readonly asOf?: EpochMillis
  readonly format: ExportFormat
  /** Each row names its response and its position in it. */
  readonly lineage?: boolean
  /** Must not exist, or be empty, unless `overwrite`; its parent must. */
  readonly directory: string
  /** Replaces an export that is there; never anything else. */
  readonly overwrite?: boolean
  /** The release that writes. */
  readonly product: string
  /** Told after each chunk: rows written so far, of all series. */
  readonly progress?: (rows: number) => Effect.Effect<void>
}

const tries = 5

const asExportError = (error: ExportError | MarketStoreError | ProvenanceStoreError): ExportError =>
  error._tag === "ExportError" ? error : new ExportError({ reason: error })

/** Writes the export and answers with its manifest. Fails with ExportError; nothing of it is left in its place then. */
export const writeExport = Effect.fn("Export.write")(function* (options: WriteExportOptions) {
  const market = yield* MarketStore
  const records = yield* RecordStore
  const archive = yield* ProvenanceStore
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { directory, format, lineage = false, progress = () => Effect.void } = options
  const known = options.asOf === undefined ? {} : { asOf: options.asOf }
  const failed = Effect.mapError(
    (error: PlatformError.PlatformError) =>
      new ExportError({
        reason: new ExportNotWritten({ directory, message: `${directory} cannot be written: ${wordsOf(error)}` })
      })
  )
  const names = fileNames(
    options.answers.map(({ series }) => series),
    format
  )
  let done = 0

  const writeFile = (file: string, bytes: Uint8Array) =>
    failed(
      Effect.scoped(
        Effect.gen(function* () {
          const handle = yield* fs.open(file, { flag: "wx" })
          yield* handle.writeAll(bytes)
          yield* handle.sync
        })
      )
    )

  /** What a commit to a series moves. */
  const stateOf = Effect.fnUntraced(function* (series: SeriesKey, range: ExportedRange["range"]) {
    const coverage = yield* market.coverage(series, range, known)
    const applied = isRecordSeries(series) && options.asOf === undefined ? yield* market.applied(series, 0) : null
    return { coverage, applied: applied?.size ?? 0 }
  })

  /** One pass over the rows of a series; null when something was committed meanwhile. */
  const writeRows = Effect.fnUntraced(function* <Row>(
    kind: RowKind<Row>,
    stored: Stream.Stream<ReadonlyArray<ExportedRow<Row>>, MarketStoreError>,
    answer: ExportedRange,
    file: string,
    name: string
  ) {
    const { range, series } = answer
    const codec = yield* kind.codec(format, lineage)
    const tally = FileTally.make(kind)
    const receipts = ReceiptTally.make(kind)
    const before = yield* stateOf(series, range)
    const handle = yield* failed(fs.open(file, { flag: "w" }))
    const write = (block: Uint8Array) => failed(handle.writeAll(block))
    tally.add(codec.head, [])
    yield* write(codec.head)
    let rows = 0
    yield* Stream.runForEach(stored, (chunk) => {
      const block = codec.encode(chunk)
      tally.add(
        block,
        chunk.map(({ row }) => row)
      )
      receipts.add(chunk)
      rows += chunk.length
      return Effect.andThen(write(block), progress(done + rows))
    })
    const tail = codec.tail()
    tally.add(tail, [])
    yield* write(tail)
    yield* failed(handle.sync)
    const after = yield* stateOf(series, range)
    if (!Equal.equals(before, after)) return null
    const report =
      answer.coverage === undefined ? reportStored(range, after.coverage) : reportNow(answer.coverage, after.coverage)
    const proofs = report.flatMap(({ state }) => ("response" in state ? [state.response] : []))
    const entry: ExportedSeries = {
      series: canonical(series),
      range: { start: new Date(range.start).toISOString(), end: new Date(range.end).toISOString() },
      policy: answer.plan?.policy ?? "cacheOnly",
      complete: isWhole(report),
      file: tally.file(name),
      coverage: report.map(exportCoverage),
      receipts: yield* receipts.receipts(archive, proofs)
    }
    done += rows
    return entry
  }, Effect.scoped)

  const writeOnce = (answer: ExportedRange, file: string, name: string) => {
    const { range, series } = answer
    if (isRecordSeries(series)) {
      return writeRows(recordRows(series), Stream.chunks(records.storedRows(series, range, known)), answer, file, name)
    }
    const bars = Stream.map(Stream.chunks(market.storedBars(series, range, known)), (chunk) =>
      chunk.map(({ bar, lineage: from }) => ({ row: bar, lineage: from }))
    )
    return writeRows(barRows(canonical(series)), bars, answer, file, name)
  }

  const writeSeries = Effect.fnUntraced(function* (answer: ExportedRange, file: string, name: string) {
    for (let attempt = 0; attempt < tries; attempt++) {
      const entry = yield* writeOnce(answer, file, name)
      if (entry !== null) return entry
    }
    const series = canonical(answer.series)
    return yield* new ExportError({
      reason: new SeriesUnsettled({
        series,
        message: `${series} changed each time it was read; export it when nothing is fetched for it, or as of an instant (--as-of)`
      })
    })
  })

  return yield* wholeDirectory(
    directory,
    options.overwrite === true,
    Effect.fnUntraced(function* (draft: string) {
      const series: Array<ExportedSeries> = []
      for (const [index, answer] of options.answers.entries()) {
        const name = names[index] ?? ""
        series.push(yield* writeSeries(answer, path.join(draft, name), name))
      }
      const { manifest, text } = sealed({
        format: formatVersion,
        product: options.product,
        createdAt: new Date(yield* Clock.currentTimeMillis).toISOString(),
        rows: format,
        lineage,
        asOf: options.asOf === undefined ? null : new Date(options.asOf).toISOString(),
        complete: series.every(({ complete }) => complete),
        series
      })
      const bytes = new TextEncoder().encode(text)
      yield* writeFile(path.join(draft, manifestName), bytes)
      yield* writeFile(path.join(draft, sumsName), new TextEncoder().encode(sumsText(manifest, sha256Hex(bytes))))
      return manifest satisfies Manifest
    })
  )
}, Effect.mapError(asExportError))
