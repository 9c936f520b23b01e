import { Effect, FileSystem, Path, type PlatformError, type Scope } from "effect"
import { longestSocketPath } from "./longestSocketPath.ts"

/** Of a directory that a socket has for itself. */
const prefix = "tapestry-owner-"
const socketName = "owner.sock"

/**
 * Where the owner of a data directory listens: `<data-dir>/owner.sock`, or, where that is longer than the OS takes, a file in a
 * directory of its own under the temporary directory, which only this user may enter and which goes with the scope.
 */
export const ownerSocket = Effect.fnUntraced(function* (
  dataDir: string
): Effect.fn.Return<string, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const usual = path.resolve(dataDir, socketName)
  if (new TextEncoder().encode(usual).length <= longestSocketPath) return usual
  return path.join(yield* fs.makeTempDirectoryScoped({ prefix }), socketName)
})

/**
 * Removes the directory that a dead owner's socket had for itself, given the socket's path as its record has it. Only one that
 * `ownerSocket` could have made, with nothing else in it: a record is a file that anybody may have changed.
 */
export const removeLeft = Effect.fnUntraced(function* (socket: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.dirname(socket)
  if (path.basename(socket) !== socketName || !path.basename(directory).startsWith(prefix)) return
  const entries = yield* Effect.orElseSucceed(fs.readDirectory(directory), () => null)
  if (entries === null || entries.some((name) => name !== socketName)) return
  yield* Effect.ignore(fs.remove(directory, { recursive: true }))
})
