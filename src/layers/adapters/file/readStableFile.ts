import { Data, Effect, type FileSystem, Option, type PlatformError } from "effect"

/** Times that a file is read again when it changed while it was read. */
const attempts = 3

export type ReadFailure = AbsentFile | ChangingFile | OversizedFile | UnreadableFile

export class AbsentFile extends Data.TaggedError("AbsentFile")<{ readonly file: string }> {}
/** The file was written to each time that it was read. */
export class ChangingFile extends Data.TaggedError("ChangingFile")<{ readonly file: string }> {}
export class OversizedFile extends Data.TaggedError("OversizedFile")<{
  readonly file: string
  readonly size: number
  readonly limit: number
}> {}
/** `lasting`: another try will not help (permissions, a directory); otherwise the disk or the mount may come back. */
export class UnreadableFile extends Data.TaggedError("UnreadableFile")<{
  readonly file: string
  readonly lasting: boolean
  readonly message: string
}> {}

const unreadable =
  (file: string) =>
  (error: PlatformError.PlatformError): AbsentFile | UnreadableFile => {
    switch (error.reason._tag) {
      case "NotFound":
        return new AbsentFile({ file })
      case "PermissionDenied":
        return new UnreadableFile({
          file,
          lasting: true,
          message: `${file} may not be read; give this user the right to`
        })
      case "BadArgument":
      case "BadResource":
        return new UnreadableFile({ file, lasting: true, message: `${file} cannot be read: ${error.message}` })
      default:
        return new UnreadableFile({
          file,
          lasting: false,
          message: `${file} cannot be read: ${error.message}; check the disk or the mount`
        })
    }
  }

export interface StableFile {
  readonly bytes: Uint8Array
  /** UTC epoch milliseconds; null where the file system keeps none. */
  readonly modifiedAt: number | null
}

const modified = (info: FileSystem.File.Info): number | null =>
  Option.match(info.mtime, { onNone: () => null, onSome: (date) => date.getTime() })

/**
 * The whole of a file as it was at one time: its size and its time of change are compared before and after, and it is read
 * again when they differ. A writer that keeps both is not noticed.
 */
export const readStableFile = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, file: string, limit: number) {
  const stat = fs.stat(file).pipe(Effect.mapError(unreadable(file)))
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = yield* stat
    if (before.type !== "File") {
      return yield* new UnreadableFile({ file, lasting: true, message: `${file} is not a file` })
    }
    const size = Number(before.size)
    if (size > limit) return yield* new OversizedFile({ file, size, limit })
    const bytes = yield* fs.readFile(file).pipe(Effect.mapError(unreadable(file)))
    const after = yield* stat
    const modifiedAt = modified(after)
    if (bytes.length === size && Number(after.size) === size && modified(before) === modifiedAt) {
      return { bytes, modifiedAt } satisfies StableFile
    }
  }
  return yield* new ChangingFile({ file })
})
