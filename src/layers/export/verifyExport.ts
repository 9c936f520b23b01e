/**
 * Checks an export, without an archive or against one.
 *
 * Responsibilities: the manifest is as it was written (see Manifest.ts) and holds together; SHA256SUMS is what follows from it; no file
 * is missing, none is too many; each file has the bytes, the rows and the row hash that the manifest says, in order. With an archive:
 * each answer is there with the same bytes, and decodes to the very rows. Files are read a block at a time.
 *
 * Hard cases: with a manifest that cannot be trusted the files are still hashed, against SHA256SUMS, so that it can be said whether the
 * damage ends there.
 */
import { createHash } from "node:crypto"
import { Effect, FileSystem, Option, Path, type PlatformError, Result, Stream } from "effect"
import { isRecordSeries } from "../../domain/records/RecordKind.ts"
import { parse } from "../../domain/SeriesKey.ts"
import { sha256Hex } from "../provenance/digest.ts"
import type { ArchiveCheck } from "./ArchiveCheck.ts"
import { barRows } from "./barRows.ts"
import { checkFile, type FileCheckOptions } from "./checkFile.ts"
import { checkManifest } from "./checkManifest.ts"
import { ExportError, ExportUnreadable } from "./ExportError.ts"
import { type ExportReport, ProblemList } from "./ExportReport.ts"
import { type Manifest, manifestName, parseManifest, sumsName, sumsText } from "./Manifest.ts"
import { recordRows } from "./recordRows.ts"

export interface VerifyExportOptions {
  readonly directory: string
  /** Null: no archive is at hand. */
  readonly against: ArchiveCheck | null
  /** Told after each block: rows so far, and of how many; `of` is 0 while that is not known. */
  readonly progress?: (rows: number, of: number) => Effect.Effect<void>
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const unreadable = (directory: string, message: string) =>
  new ExportError({ reason: new ExportUnreadable({ directory, message: `${directory}: ${message}` }) })

const manifestOf = (bytes: Uint8Array): Result.Result<Manifest, string> =>
  Result.flatMap(
    Result.mapError(
      Result.try(() => utf8.decode(bytes)),
      () => "it is not UTF-8"
    ),
    parseManifest
  )

/** Checks the export in `directory`. What is wrong with it is in the report; it fails where there is none, or it cannot be read. */
export const verifyExport = Effect.fn("Export.verify")(
  function* ({ against, directory, progress = () => Effect.void }: VerifyExportOptions) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const problems = new ProblemList()
    const notes = new Set<string>()
    const entries = yield* fs.readDirectory(directory)
    if (!entries.includes(manifestName) && !entries.includes(sumsName)) {
      return yield* unreadable(directory, `there is no export: it has no ${manifestName}`)
    }
    const readOrNull = (name: string) =>
      entries.includes(name) ? fs.readFile(path.join(directory, name)) : Effect.succeed(null)
    const manifestBytes = yield* readOrNull(manifestName)
    const sumsBytes = yield* readOrNull(sumsName)
    if (manifestBytes === null) problems.add(manifestName, "it is missing")
    if (sumsBytes === null) problems.add(sumsName, "it is missing")
    const parsed = manifestBytes === null ? Result.fail("it is missing") : manifestOf(manifestBytes)
    const counts = { files: 0, bytes: 0, rows: 0, responses: 0, compared: 0 }

    const digestOf = (name: string) =>
      fs.stream(path.join(directory, name), { chunkSize: 262_144 }).pipe(
        Stream.runFold(
          () => createHash("sha256"),
          (state, chunk) => state.update(chunk)
        ),
        Effect.map((state) => state.digest("hex"))
      )

    /** Without a manifest to trust: the sums alone. */
    const checkBySums = Effect.gen(function* () {
      const lines = sumsBytes === null ? [] : Buffer.from(sumsBytes).toString("latin1").split("\n")
      for (const line of lines) {
        const [, sum, name] = /^([0-9a-f]{64}) {2}([A-Za-z0-9._-]+)$/.exec(line) ?? []
        if (sum === undefined || name === undefined || name === manifestName) continue
        if (!entries.includes(name)) problems.add(name, "it is missing")
        else if ((yield* digestOf(name)) !== sum) problems.add(name, `its sha256 is not the one in ${sumsName}`)
        else counts.files++
      }
    })

    const checkReceipts = Effect.fnUntraced(function* (manifest: Manifest, check: ArchiveCheck) {
      const seen = new Set<number>()
      for (const { file, receipts } of manifest.series) {
        for (const receipt of receipts) {
          if (seen.has(receipt.response)) continue
          seen.add(receipt.response)
          const found = yield* check.receipt(receipt)
          if (found._tag === "Problem") problems.add(file.name, found.message)
          else if (found._tag === "Unchecked") notes.add(found.message)
          else counts.responses++
        }
      }
    })

    const checkByManifest = Effect.fnUntraced(function* (manifest: Manifest, bytes: Uint8Array) {
      for (const message of checkManifest(manifest)) problems.add(manifestName, message)
      const sums = sumsText(manifest, sha256Hex(bytes))
      if (sumsBytes !== null && !Buffer.from(sums).equals(sumsBytes)) {
        problems.add(sumsName, "its lines are not the sha256 of the files")
      }
      const expected = new Set([manifestName, sumsName, ...manifest.series.map(({ file }) => file.name)])
      for (const name of entries) if (!expected.has(name)) problems.add(name, "it is no part of the export")
      if (against !== null) yield* checkReceipts(manifest, against)
      const of = manifest.series.reduce((sum, { file }) => sum + file.rows, 0)
      for (const entry of manifest.series) {
        if (!entries.includes(entry.file.name)) {
          problems.add(entry.file.name, "it is missing")
          continue
        }
        const before = counts.rows
        const options: FileCheckOptions = {
          directory,
          manifest,
          entry,
          against,
          problems,
          note: (message) => notes.add(message),
          progress: (rows) => progress(before + rows, of)
        }
        const key = Option.getOrNull(Result.getSuccess(parse(entry.series)))
        const checked = yield* key !== null && isRecordSeries(key)
          ? checkFile(recordRows(key), options)
          : checkFile(barRows(entry.series), options)
        counts.files++
        counts.bytes += checked.bytes
        counts.rows += checked.rows
        counts.compared += checked.compared
      }
    })

    if (Result.isSuccess(parsed) && manifestBytes !== null) yield* checkByManifest(parsed.success, manifestBytes)
    else {
      if (manifestBytes !== null) problems.add(manifestName, Result.isFailure(parsed) ? parsed.failure : "")
      notes.add(`the files are checked against ${sumsName} alone, without ${manifestName}`)
      yield* checkBySums
    }
    const report: ExportReport = {
      directory,
      files: counts.files,
      bytes: counts.bytes,
      rows: counts.rows,
      complete: Result.isSuccess(parsed) ? parsed.success.complete : null,
      archive: against === null ? null : { responses: counts.responses, rows: counts.compared },
      problems: problems.list(),
      notes: [...notes]
    }
    return report
  },
  (checking, { directory }) =>
    Effect.catchTag(checking, "PlatformError", (error: PlatformError.PlatformError) =>
      Effect.fail(
        unreadable(
          directory,
          error.reason._tag === "NotFound" ? "there is no such directory" : `it cannot be read: ${error.message}`
        )
      )
    )
)
