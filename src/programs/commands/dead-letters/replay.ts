import { Effect, PlatformError } from "effect"
import { Command } from "effect/cli"
import { wordsOf } from "../../../layers/platformWords.ts"
import { type Importer, Imports } from "../../../services/Imports.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { counted, grouped } from "../../format/Numbers.ts"
import { ownerImporter } from "../../ownerImporter.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { styleOf } from "../../terminal/Style.ts"
import { withOwner } from "../../withData.ts"
import { fileArgument, partsOf } from "./fileArgument.ts"

const flags = { file: fileArgument }

const loadReplay = Effect.promise(() => import("../../../layers/batch/replayDeadLetters.ts"))

const replay = Effect.fn("tapestry dead-letters replay")(
  function* ({ file }: Command.Command.Config.Infer<typeof flags>) {
    const json = yield* Json
    const { errorTerminal, line, note } = yield* Output
    yield* partsOf(file)
    const { replayDeadLetters } = yield* loadReplay
    const label = { label: `replaying ${file}`, units: "bytes", things: "letters" }
    const tally = yield* withProgress(label, ({ report }) => {
      const run = <E>(imports: Importer<E>) =>
        replayDeadLetters({
          imports,
          file,
          progress: ({ bytes, letters }, of) => report({ done: bytes, of, count: letters })
        })
      return withOwner(Effect.flatMap(Imports, run), (client) => run(ownerImporter(client)))
    }).pipe(
      Effect.mapError((error) =>
        error instanceof PlatformError.PlatformError
          ? new UsageError({ message: `${file} cannot be replayed: ${wordsOf(error)}` })
          : error
      )
    )
    if (json) yield* line(JSON.stringify({ file, ...tally }))
    else {
      const { inserted, left, letters, unchanged, updated } = tally
      const told = [
        [inserted, "new"],
        [updated, "changed"],
        [unchanged, "unchanged"],
        [left, "refused again"]
      ] as const
      const parts = told.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`)
      yield* line(`${counted(letters, "letter")}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`)
    }
    if (tally.left === 0) return
    yield* note(
      styleOf(errorTerminal).yellow(`${counted(tally.left, "letter")} left in ${file}, with the reason of now`)
    )
    return yield* new Ended({ code: 3 })
  },
  asCommand("dead-letters", "replay")
)

export const command = Command.make("replay", flags, replay).pipe(
  Command.withDescription(
    "Takes the rows of dead letters into the store. A letter leaves the file when its row is committed; one that is refused again stays, with the reason of now, and the command ends with 3. The batch processor may go on writing to the file meanwhile. A replay that broke off is continued by running it again."
  ),
  Command.withShortDescription("Take the rows of dead letters into the store"),
  Command.withExamples([{ command: "tapestry dead-letters replay dead-letters.ndjson" }])
)
