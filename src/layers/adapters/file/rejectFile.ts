import { createHash } from "node:crypto"
import { Effect, type FileSystem, type Path } from "effect"
import type { RejectedRow } from "../records/decodeRows.ts"
import type { FileParams } from "./FileRequest.ts"

const compact = (iso: string): string => iso.replace(/[-:]|\.000/g, "")

/**
 * Writes down the rows that were passed over, one JSON object a line (`file`, `row`, `reason`, `text`), and returns the file's
 * path. Its name follows from the payload and the request, so that decoding again writes the same file again and no other.
 */
export const writeRejects = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  directory: string,
  payload: Uint8Array,
  params: FileParams,
  rejected: ReadonlyArray<RejectedRow>
) {
  const digest = createHash("sha256").update(JSON.stringify(params)).update(payload).digest("hex").slice(0, 12)
  const name = `${params.path.replaceAll("/", "~")}.${compact(params.start)}-${compact(params.end)}.${digest}.ndjson`
  const target = path.join(directory, name)
  const lines = rejected.map(({ position, reason, text }) =>
    JSON.stringify({ file: params.path, row: position, reason, text })
  )
  yield* fs.makeDirectory(directory, { recursive: true })
  yield* Effect.scoped(
    Effect.gen(function* () {
      const temporary = yield* fs.makeTempFileScoped({ directory, prefix: ".rejects-" })
      yield* fs.writeFileString(temporary, `${lines.join("\n")}\n`)
      yield* fs.rename(temporary, target)
    })
  )
  return target
})
