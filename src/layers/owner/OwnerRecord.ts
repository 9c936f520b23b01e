/**
 * `<data-dir>/owner.json`: who the holder of the lock says it is. Only the holder writes it, a whole file at a time. It may be
 * stale (its writer was killed), so it says nothing about whether the directory is owned: the lock does.
 */
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import { LockUnavailable, OwnerDetails } from "../../services/Owner.ts"

const Text = Schema.fromJsonString(OwnerDetails)
const encode = Schema.encodeEffect(Text)
const decode = Schema.decodeUnknownOption(Text)

const fileOf = (dataDir: string) => Effect.map(Path.Path, (path) => path.join(dataDir, "owner.json"))

/** Null when there is none, or none that can be read. */
export const read = Effect.fnUntraced(function* (dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.option(fs.readFileString(yield* fileOf(dataDir)))
  return Option.getOrNull(Option.flatMap(text, decode))
})

export const write = Effect.fnUntraced(function* (dataDir: string, details: OwnerDetails) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fileOf(dataDir)
  const text = yield* Effect.orDie(encode(details))
  // One name for the unfinished file: only the holder writes, and what a killed one left is overwritten.
  yield* fs.writeFileString(`${file}.new`, `${text}\n`).pipe(
    Effect.andThen(fs.rename(`${file}.new`, file)),
    Effect.mapError(({ message }) => new LockUnavailable({ message: `${file} cannot be written: ${message}` }))
  )
})

export const remove = Effect.fnUntraced(function* (dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.ignore(fs.remove(yield* fileOf(dataDir)))
})
