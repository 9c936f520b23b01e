import { statfs } from "node:fs/promises"
import { Effect, Exit, FileSystem, Path } from "effect"
import { bytes } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { failed, ok, warning } from "./Check.ts"

const scarce = 1024 ** 3
const full = 64 * 1024 ** 2

/** The nearest directory above `directory` that is there. */
const existing = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let candidate = path.resolve(directory)
  while (path.dirname(candidate) !== candidate) {
    if (yield* Effect.orElseSucceed(fs.exists(candidate), () => false)) return candidate
    candidate = path.dirname(candidate)
  }
  return candidate
})

/** How much room is left where the data directory is. */
export const checkDisk = Effect.gen(function* () {
  const found = yield* Effect.exit(settings)
  const directory = yield* existing(Exit.isSuccess(found) ? found.value.dataDir.value : ".")
  const stats = yield* Effect.option(Effect.tryPromise(() => statfs(directory)))
  if (stats._tag === "None") return [warning("disk", `the free space of ${directory} cannot be told`)]
  const free = stats.value.bavail * stats.value.bsize
  const detail = `${bytes(free)} free at ${directory}`
  if (free < full) return [failed("disk", `${detail}; fetches will fail soon`)]
  return [free < scarce ? warning("disk", `${detail}; that is little`) : ok("disk", detail)]
})
