import { Effect, FileSystem, Path, type PlatformError } from "effect"
import { ArchiveReadOnly, ArchiveUnavailable, ProvenanceStoreError } from "../services/ProvenanceStore.ts"

const noDirectory = (directory: string, error: PlatformError.PlatformError) => {
  const denied = error.reason._tag === "PermissionDenied"
  const why = denied
    ? "this user may not write there"
    : error.reason._tag === "AlreadyExists" || error.reason._tag === "BadResource"
      ? "something that is no directory stands in its place"
      : error.message
  const message = `the data directory ${directory} cannot be made: ${why}; choose another with --data-dir`
  return new ProvenanceStoreError({
    reason: denied ? new ArchiveReadOnly({ message }) : new ArchiveUnavailable({ message })
  })
}

/** Makes a directory and those above it, one by one: where a parent is there and takes no child (/proc), Node's own way never ends. */
export const ensureDirectory = (
  directory: string
): Effect.Effect<void, ProvenanceStoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const known = yield* Effect.result(fs.stat(directory))
    if (known._tag === "Success" && known.success.type === "Directory") return
    const parent = path.dirname(path.resolve(directory))
    if (known._tag === "Failure" && parent !== path.resolve(directory)) yield* ensureDirectory(parent)
    yield* fs.makeDirectory(directory).pipe(
      // Two processes may begin at once.
      Effect.catchIf(
        (error) => error.reason._tag === "AlreadyExists" && known._tag === "Failure",
        () => Effect.void
      ),
      Effect.mapError((error) => noDirectory(directory, error))
    )
  })
