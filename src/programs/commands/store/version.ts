import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { withUpkeep } from "../../withUpkeep.ts"

const version = Effect.fn("tapestry store version")(
  function* () {
    const json = yield* Json
    const { line } = yield* Output
    const found = yield* withUpkeep({ readonly: true }, (upkeep) =>
      upkeep === null ? Effect.succeed(null) : upkeep.report
    )
    yield* line(
      json
        ? JSON.stringify({ version: found?.version ?? 0, expected: found?.expected ?? null })
        : String(found?.version ?? 0)
    )
  },
  asCommand("store", "version")
)

export const command = Command.make("version", {}, version).pipe(
  Command.withDescription("The schema version that the store has, as a number; 0 where it has no tables yet."),
  Command.withShortDescription("The schema version that the store has"),
  Command.withExamples([{ command: "tapestry store version" }])
)
