import { Effect, FileSystem, Path, type PlatformError, type Scope } from "effect"

/** Bytes of the longest path that a Unix socket may have, without the zero that ends it: 107 on Linux, 103 on macOS. */
const longestPath = 103

/**
 * Where the owner of a data directory listens: `<data-dir>/owner.sock`, or, where that is longer than the OS takes, a file in a
 * directory of its own under the temporary directory, which only this user may enter and which goes with the scope.
 */
export const ownerSocket = Effect.fnUntraced(function* (
  dataDir: string
): Effect.fn.Return<string, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const usual = path.resolve(dataDir, "owner.sock")
  if (new TextEncoder().encode(usual).length <= longestPath) return usual
  return path.join(yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-owner-" }), "owner.sock")
})
