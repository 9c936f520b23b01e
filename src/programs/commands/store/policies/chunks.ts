import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand, UsageError } from "../../../failure/UsageError.ts"
import { ageFlag, millisOf } from "../../../flags/AgeFlag.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { tableArgument } from "../../../flags/TableArgument.ts"
import { duration } from "../../../format/Numbers.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { table: tableArgument, every: ageFlag("every", "What one chunk spans") }

const chunks = Effect.fn("tapestry store policies chunks")(
  function* ({ every, table }: Command.Command.Config.Infer<typeof flags>) {
    const millis = yield* millisOf("every", every)
    if (millis < 3_600_000) return yield* new UsageError({ message: "--every: a chunk spans an hour at least" })
    yield* withPolicies({ readonly: false }, (policies) => policies.setChunks(table, millis))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ table, chunkMillis: millis })
        : `new chunks of ${table} span ${duration(millis)}; those that are there stay as they are`
    )
  },
  asCommand("store", "policies", "chunks")
)

export const command = Command.make("chunks", flags, chunks).pipe(
  Command.withDescription("How long a time a chunk of a hypertable spans, of those that are made from now on."),
  Command.withShortDescription("How long a time a new chunk spans"),
  Command.withExamples([{ command: "tapestry store policies chunks bars --every 7d" }])
)
