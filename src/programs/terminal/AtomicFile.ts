import { Data, Effect, FileSystem, Path, Stream } from "effect"
import type { PlatformError } from "effect/PlatformError"

/** The file of `--out` cannot be written; what was there before is still there. */
export class FileNotWritten extends Data.TaggedError("FileNotWritten")<{ readonly message: string }> {}

const words: Readonly<Record<string, string>> = {
  NotFound: "no such directory",
  PermissionDenied: "permission denied",
  AlreadyExists: "something of that name is there already",
  BadResource: "it is not a file"
}

const notWritten = (target: string) => (error: PlatformError) =>
  new FileNotWritten({ message: `${target} cannot be written: ${words[error.reason._tag] ?? error.message}` })

/**
 * Writes a file that is there whole or not at all: the text goes to a temporary name beside it, is synced, and takes the name
 * at the end. A failure or an interruption removes the temporary file and leaves what was there before. A link stays a link;
 * what is no regular file (a device, a named pipe) is written as it is, since a rename would replace it.
 */
export const writeAtomically = Effect.fnUntraced(function* <E, R>(target: string, chunks: Stream.Stream<string, E, R>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = Effect.mapError(notWritten(target))
  const real = yield* Effect.orElseSucceed(fs.realPath(target), () => target)
  const type = yield* fs.stat(real).pipe(
    Effect.map((info) => info.type),
    Effect.orElseSucceed(() => "File" as const)
  )
  if (type === "Directory")
    return yield* new FileNotWritten({ message: `${target} cannot be written: it is a directory` })
  const encoder = new TextEncoder()
  const writeTo = Effect.fnUntraced(function* (name: string) {
    const file = yield* failed(fs.open(name, { flag: "w" }))
    yield* Stream.runForEach(chunks, (chunk) => failed(file.writeAll(encoder.encode(chunk))))
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
