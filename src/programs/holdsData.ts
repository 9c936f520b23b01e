import { Data, Effect, FileSystem, Path } from "effect"

/** It cannot be seen what the data directory holds: it is no directory, or this user may not look into it. */
export class DataDirectoryUnreadable extends Data.TaggedError("DataDirectoryUnreadable")<{
  readonly message: string
}> {}

/**
 * Whether a data directory holds anything: one of its databases. A directory that is not there holds nothing; one that cannot
 * be looked into is an error, since an empty answer about it would be a wrong one.
 */
export const holdsData = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const entries = yield* fs.readDirectory(directory).pipe(
    Effect.catch((error) => {
      const tag = error.reason._tag
      if (tag === "NotFound") return Effect.succeed<ReadonlyArray<string>>([])
      const message =
        tag === "PermissionDenied"
          ? `the data directory ${directory} may not be read by this user; give it the right, or choose another with --data-dir`
          : `the data directory ${directory} cannot be listed: is it a directory? choose another with --data-dir`
      // A directory that may be entered but not listed is enough to open the databases.
      return Effect.flatMap(
        Effect.orElseSucceed(fs.exists(path.join(directory, "market.sqlite")), () => false),
        (there) =>
          there
            ? Effect.succeed<ReadonlyArray<string>>(["market.sqlite"])
            : Effect.fail(new DataDirectoryUnreadable({ message }))
      )
    })
  )
  return entries.includes("market.sqlite") || entries.includes("provenance.sqlite")
})
