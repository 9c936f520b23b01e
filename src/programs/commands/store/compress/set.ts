import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { ageFlag, millisOf } from "../../../flags/AgeFlag.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { tableArgument } from "../../../flags/TableArgument.ts"
import { duration } from "../../../format/Numbers.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { table: tableArgument, after: ageFlag("after", "The age at which a chunk is compressed") }

const set = Effect.fn("tapestry store compress set")(
  function* ({ after, table }: Command.Command.Config.Infer<typeof flags>) {
    const millis = yield* millisOf("after", after)
    yield* withPolicies({ readonly: false }, (policies) => policies.setCompression(table, millis))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ table, afterMillis: millis })
        : `chunks of ${table} are compressed when they are ${duration(millis)} old`
    )
  },
  asCommand("store", "compress", "set")
)

export const command = Command.make("set", flags, set).pipe(
  Command.withDescription(
    "Have TimescaleDB compress the chunks of a table when they reach an age, in place of what was set before."
  ),
  Command.withShortDescription("Compress chunks of a table when they reach an age"),
  Command.withExamples([{ command: "tapestry store compress set bars --after 30d" }])
)
