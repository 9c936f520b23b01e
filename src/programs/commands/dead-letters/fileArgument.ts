import { Effect, FileSystem } from "effect"
import { Argument } from "effect/cli"
import { wordsOf } from "../../../layers/platformWords.ts"
import { UsageError } from "../../failure/UsageError.ts"

export const fileArgument = Argument.String("file").pipe(
  Argument.withDescription("The file of dead letters, as the batch processor was given it")
)

/** What a replay that broke off left of a file. */
export const brokenOff = (file: string): string => `${file}.replaying`

/** The parts of the file that are there: what a replay left first. */
export const partsOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const parts: Array<string> = []
  for (const part of [brokenOff(file), file])
    if (yield* Effect.orElseSucceed(fs.exists(part), () => false)) parts.push(part)
  if (parts.length === 0) return yield* new UsageError({ message: `there is no file ${file}` })
  for (const part of parts) {
    const { type } = yield* Effect.mapError(
      fs.stat(part),
      (error) => new UsageError({ message: `${part} cannot be read: ${wordsOf(error)}` })
    )
    if (type === "Directory") return yield* new UsageError({ message: `${part} is a directory; name a file` })
  }
  return parts
})
