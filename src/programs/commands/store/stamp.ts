import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { nothingYet, withUpkeep } from "../../withUpkeep.ts"

const flags = {
  version: Argument.Int("version").pipe(Argument.withDescription("The schema version that the tables have")),
  confirm: Flag.Boolean("confirm").pipe(
    Flag.withDescription("Record it; without this it is only said whether the tables prove it"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const stamp = Effect.fn("tapestry store stamp")(
  function* ({ confirm, version }: Input) {
    const json = yield* Json
    const { line } = yield* Output
    const stamped = yield* withUpkeep({ readonly: false, throughOwner: true }, (upkeep) =>
      upkeep === null
        ? Effect.succeed(null)
        : Effect.map(upkeep.stamp(version, { confirm }), (done) => ({ where: upkeep.where, version, ...done }))
    )
    if (json) return yield* line(JSON.stringify(stamped ?? { where: null, version, recorded: [], done: false }))
    if (stamped === null) return yield* line(yield* nothingYet)
    const { done, recorded, where } = stamped
    const proven = `the tables of ${where} are those of schema version ${version}`
    yield* line(
      recorded.length === 0
        ? `${proven}, and it is recorded; nothing to do`
        : done
          ? `${proven}; recorded ${recorded.join(", ")}`
          : `${proven}; --confirm would record ${recorded.join(", ")}`
    )
  },
  asCommand("store", "stamp")
)

export const command = Command.make("stamp", flags, stamp).pipe(
  Command.withDescription(
    "Record a schema version without running its migrations, where the record was lost or names other checksums: only where the tables are exactly those that the migrations make, and only with --confirm. A record is never taken away."
  ),
  Command.withShortDescription("Record a schema version that the tables prove; a dry run first"),
  Command.withExamples([
    { command: "tapestry store stamp 6", description: "Whether the tables prove it" },
    { command: "tapestry store stamp 6 --confirm", description: "Record it" }
  ])
)
