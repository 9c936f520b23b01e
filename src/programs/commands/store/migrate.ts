import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { nothingYet, withUpkeep } from "../../withUpkeep.ts"

const migrate = Effect.fn("tapestry store migrate")(
  function* () {
    const json = yield* Json
    const { line } = yield* Output
    const done = yield* withUpkeep({ readonly: false, throughOwner: true }, (upkeep) =>
      upkeep === null
        ? Effect.succeed(null)
        : Effect.gen(function* () {
            const applied = yield* upkeep.migrate
            return { where: upkeep.where, applied, version: (yield* upkeep.report).version }
          })
    )
    if (json) return yield* line(JSON.stringify(done ?? { where: null, applied: [], version: 0 }))
    if (done === null) return yield* line(yield* nothingYet)
    yield* line(
      done.applied.length === 0
        ? `${done.where} has schema version ${done.version} already; nothing to do`
        : `${done.where} has schema version ${done.version} now; ran ${done.applied.join(", ")}`
    )
  },
  asCommand("store", "migrate")
)

export const command = Command.make("migrate", {}, migrate).pipe(
  Command.withDescription(
    "Run the migrations that are pending, all in one transaction. Several processes may do so at once. A store of a newer release, or one that other migrations made, is refused and left alone."
  ),
  Command.withShortDescription("Run the migrations that are pending"),
  Command.withExamples([
    { command: "tapestry store migrate" },
    {
      command: "DATABASE_URL=postgres://tapestry@db.example/tapestry tapestry store migrate",
      description: "Before a release is rolled out"
    }
  ])
)
