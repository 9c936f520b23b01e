import { Data, Effect, FileSystem, Option, Path, Stream } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { wordsOf } from "../../layers/platformWords.ts"

/** The file of `--out` cannot be written; what was there before is still there. */
export class FileNotWritten extends Data.TaggedError("FileNotWritten")<{ readonly message: string }> {}

const notWritten = (target: string) => (error: PlatformError) =>
  new FileNotWritten({ message: `${target} cannot be written: ${wordsOf(error)}` })

/**
 * Writes a file that is there whole or not at all: what is written goes to a temporary name beside it, which is synced and takes the
 * name at the end, with the mode that the file had. A failure or an interruption removes the temporary file and leaves what was
 * there before. A link stays a link; what is no regular file (a device, a named pipe) is written as it is, since a rename would
 * replace it.
 */
export const writeAtomically = Effect.fnUntraced(function* <E, R>(
  target: string,
  chunks: Stream.Stream<string | Uint8Array, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = Effect.mapError(notWritten(target))
  const real = yield* Effect.orElseSucceed(fs.realPath(target), () => target)
  const before = yield* Effect.option(fs.stat(real))
  const type = Option.match(before, { onNone: () => "File" as const, onSome: (info) => info.type })
  // A file that only its owner may read stays one.
  const mode = Option.match(before, { onNone: () => 0o666, onSome: (info) => info.mode & 0o777 })
  if (type === "Directory")
    return yield* new FileNotWritten({ message: `${target} cannot be written: it is a directory` })
  const encoder = new TextEncoder()
  const writeTo = Effect.fnUntraced(function* (name: string) {
    const file = yield* failed(fs.open(name, { flag: "w", mode }))
    yield* Stream.runForEach(chunks, (chunk) =>
      failed(file.writeAll(typeof chunk === "string" ? encoder.encode(chunk) : chunk))
    )
    return file
  })
  if (type !== "File") return yield* Effect.scoped(Effect.asVoid(writeTo(real)))
  const temporary = path.join(path.dirname(real), `.${path.basename(real)}.${process.pid}.tmp`)
  yield* Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(temporary, { force: true })))
      const file = yield* writeTo(temporary)
      yield* failed(file.sync)
      yield* failed(fs.rename(temporary, real))
    })
  )
})
