import { Effect, FileSystem, Path } from "effect"

/** Data directories that a restore to this place has set aside and could not put back or remove any more, with their whole paths. */
export const setAside = Effect.fnUntraced(function* (dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const target = path.resolve(dataDir)
  const parent = path.dirname(target)
  const names = yield* Effect.orElseSucceed(fs.readDirectory(parent), () => [])
  return names
    .filter((name) => name.startsWith(`${path.basename(target)}.replaced-`))
    .sort()
    .map((name) => path.join(parent, name))
})
