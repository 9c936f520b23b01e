/**
 * Writes answered ranges as an export: a directory with a file of rows for each, the manifest and SHA256SUMS.
 *
 * Responsibilities: rows with their lineage come from the store, a chunk at a time; each chunk is encoded, summed, written and let go
 * of, so that memory does not grow with the rows. The manifest says what was had, what was not and why, and which answers it all rests
 * on. The directory appears whole (see wholeDirectory.ts).
 *
 * Queueing: none; one series after the other.
 *
 * Hard cases: rows and coverage are read in many steps, and a commit may come in between. A commit that changes a row also changes
 * who proves its interval: when the coverage after the rows is not what it was before them, the file is written anew, a few times,
 * and then it is SeriesUnsettled. With `asOf` that does not happen.
 */
import { Clock, Effect, Equal, FileSystem, Path, type PlatformError, Stream } from "effect"
import { canonical } from "../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { ProvenanceStore, type ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { RangeAnswer } from "../../services/StitchingCache.ts"
import { wordsOf } from "../platformWords.ts"
import { sha256Hex } from "../provenance/digest.ts"
import { codecOf } from "./codecOf.ts"
import { ExportError, ExportNotWritten, SeriesUnsettled } from "./ExportError.ts"
import { exportCoverage, isWhole, reportNow } from "./exportCoverage.ts"
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
import { wholeDirectory } from "./wholeDirectory.ts"

export interface WriteExportOptions {
  /** What `StitchingCache.read` gave; only its series, range, policy and coverage are used. */
  readonly answers: ReadonlyArray<Pick<RangeAnswer, "series" | "range" | "plan" | "coverage">>
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

  /** One pass over the rows of a series; null when something was committed meanwhile. */
  const writeRows = Effect.fnUntraced(function* (
    answer: WriteExportOptions["answers"][number],
    file: string,
    name: string
  ) {
    const { range, series } = answer
    const text = canonical(series)
    const codec = yield* codecOf(format, lineage, text)
    const tally = FileTally.make()
    const receipts = ReceiptTally.make()
    const before = yield* market.coverage(series, range, known)
    const handle = yield* failed(fs.open(file, { flag: "w" }))
    const write = (block: Uint8Array) => failed(handle.writeAll(block))
    tally.add(codec.head, [])
    yield* write(codec.head)
    let rows = 0
    yield* Stream.runForEachArray(market.storedBars(series, range, known), (chunk) => {
      const block = codec.encode(chunk)
      tally.add(
        block,
        chunk.map(({ bar }) => bar)
      )
      receipts.add(chunk)
      rows += chunk.length
      return Effect.andThen(write(block), progress(done + rows))
    })
    const tail = codec.tail()
    tally.add(tail, [])
    yield* write(tail)
    yield* failed(handle.sync)
    const after = yield* market.coverage(series, range, known)
    if (!Equal.equals(before, after)) return null
    const report = reportNow(answer.coverage, after)
    const proofs = report.flatMap(({ state }) => ("response" in state ? [state.response] : []))
    const entry: ExportedSeries = {
      series: text,
      range: { start: new Date(range.start).toISOString(), end: new Date(range.end).toISOString() },
      policy: answer.plan.policy,
      complete: isWhole(report),
      file: tally.file(name),
      coverage: report.map(exportCoverage),
      receipts: yield* receipts.receipts(archive, proofs)
    }
    done += rows
    return entry
  }, Effect.scoped)

  const writeSeries = Effect.fnUntraced(function* (
    answer: WriteExportOptions["answers"][number],
    file: string,
    name: string
  ) {
    for (let attempt = 0; attempt < tries; attempt++) {
      const entry = yield* writeRows(answer, file, name)
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
