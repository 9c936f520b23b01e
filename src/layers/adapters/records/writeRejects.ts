import { createHash } from "node:crypto"
import { Effect, type FileSystem, type Path } from "effect"
import type { RejectedRow } from "./decodeRows.ts"

const compact = (iso: string): string => iso.replace(/[-:]|\.000/g, "")

/** The text whose rows were passed over. */
export interface RejectedText {
  /** What it is called: a path, or the symbol and timeframe that were asked for. */
  readonly file: string
  /** The range that was asked for, as ISO instants. */
  readonly start: string
  readonly end: string
  /** All that its rows follow from: the request and the bytes. */
  readonly from: ReadonlyArray<string | Uint8Array>
}

/**
 * Writes down the rows that were passed over, one JSON object a line (`file`, `row`, `reason`, `text`), and returns the file's
 * path. Its name follows from the payload and the request, so that decoding again writes the same file again and no other.
 */
export const writeRejects = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  directory: string,
  { end, file, from, start }: RejectedText,
  rejected: ReadonlyArray<RejectedRow>
) {
  const hash = createHash("sha256")
  for (const part of from) hash.update(part)
  const digest = hash.digest("hex").slice(0, 12)
  const name = `${file.replaceAll("/", "~")}.${compact(start)}-${compact(end)}.${digest}.ndjson`
  const target = path.join(directory, name)
  const lines = rejected.map(({ position, reason, text }) => JSON.stringify({ file, row: position, reason, text }))
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
