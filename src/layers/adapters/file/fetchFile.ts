/** One file read for one request, and what is to be made of it when it is not there or not what it should be. */
import { Clock, Effect, type FileSystem, type Path, type Schema } from "effect"
import {
  type Malformed,
  NotFound,
  Rejected,
  Unavailable,
  type VendorAnswer,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import type { FileEntry } from "./FileCatalogue.ts"
import { listSymbols } from "./FileListing.ts"
import type { FileParams } from "./FileRequest.ts"
import { type ReadFailure, readStableFile } from "./readStableFile.ts"
import { packingOf } from "./unpack.ts"

const contentTypes = { csv: "text/csv", ndjson: "application/x-ndjson", json: "application/json" } as const

interface Found {
  readonly body: Uint8Array
  readonly exists: boolean
  readonly modifiedAt: number | null
  readonly refusal: VendorErrorReason | null
}

const absent = (refusal: VendorErrorReason | null): Found => ({
  body: new Uint8Array(0),
  exists: false,
  modifiedAt: null,
  refusal
})

const reasonOf = (failure: Exclude<ReadFailure, { readonly _tag: "AbsentFile" }>): VendorErrorReason => {
  switch (failure._tag) {
    case "ChangingFile":
      return new Unavailable({ message: `${failure.file} changed each time it was read; wait until it is written` })
    case "OversizedFile":
      return new Rejected({
        message: `${failure.file} has ${failure.size} bytes, more than ${failure.limit}; raise maxFileSize (and limits.payloadLimit), or split the file`
      })
    case "UnreadableFile":
      return failure.lasting
        ? new Rejected({ message: failure.message })
        : new Unavailable({ message: failure.message })
  }
}

/**
 * A dated file that is not there is an answer: no rows that day. But no root is no answer, and a symbol without any file is
 * not known here.
 */
const withoutFile = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  entry: FileEntry,
  params: FileParams,
  file: string
) {
  const listing = yield* listSymbols(fs, path, entry, { only: params.symbol, limit: 1 }).pipe(
    Effect.mapError(
      (error) => new Unavailable({ message: `the root ${error.root} cannot be listed: ${error.message}` })
    )
  )
  const known = params.date !== null && (listing.symbols.length > 0 || !listing.complete)
  return absent(known ? null : new NotFound({ message: `there is no file for ${params.symbol}; looked for ${file}` }))
})

/** An empty file has no rows where a file may begin with a row; elsewhere it is one that is not written yet. */
const mayBeEmpty = ({ format, header }: FileParams["decoding"]): boolean =>
  format === "ndjson" || (format === "csv" && header !== "line")

/**
 * The bytes of the file as they are on disk. `check` reads them as the request says; what it finds wrong makes the answer a
 * refusal, so that the bytes are archived but never served again, and a corrected file is read at the next request.
 */
export const fetchFile = Effect.fnUntraced(function* (options: {
  readonly fs: FileSystem.FileSystem
  readonly path: Path.Path
  readonly entry: FileEntry
  readonly params: FileParams
  readonly maxFileSize: number
  readonly check: (body: Uint8Array) => Effect.Effect<unknown, Malformed>
}) {
  const { check, entry, fs, maxFileSize, params, path } = options
  const file = path.join(entry.root, params.path)
  if (path.isAbsolute(params.path) || params.path.split(/[\\/]/).includes("..")) {
    return yield* new Rejected({ message: `${params.path} leaves the root of entry ${entry.name}` })
  }
  const started = yield* Clock.currentTimeMillis
  const found: Found = yield* readStableFile(fs, file, maxFileSize).pipe(
    Effect.map(({ bytes, modifiedAt }): Found => ({ body: bytes, exists: true, modifiedAt, refusal: null })),
    Effect.catch((failure) =>
      failure._tag === "AbsentFile" ? withoutFile(fs, path, entry, params, file) : Effect.fail(reasonOf(failure))
    )
  )
  if (found.exists && found.body.length === 0 && !mayBeEmpty(params.decoding)) {
    return yield* new Unavailable({ message: `${file} is empty; is it still being written?` })
  }
  const refusal = found.exists
    ? yield* check(found.body).pipe(
        Effect.as(found.refusal),
        Effect.catch((malformed) => Effect.succeed(malformed))
      )
    : found.refusal
  const elapsedMillis = (yield* Clock.currentTimeMillis) - started
  const adapter: Record<string, Schema.Json> = { exists: found.exists, entry: entry.name, path: params.path }
  if (found.modifiedAt !== null) adapter.modifiedAt = new Date(found.modifiedAt).toISOString()
  return {
    body: found.body,
    metadata: {
      contentType: contentTypes[params.decoding.format],
      encoding: packingOf(found.body),
      transportStatus: null,
      url: `file:${file}`,
      elapsedMillis,
      headers: {},
      adapter
    },
    refusal
  } satisfies VendorAnswer
})
