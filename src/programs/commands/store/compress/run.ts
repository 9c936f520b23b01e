import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { ageFlag, millisOf } from "../../../flags/AgeFlag.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { tableArgument } from "../../../flags/TableArgument.ts"
import { bytes, counted } from "../../../format/Numbers.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { table: tableArgument, olderThan: ageFlag("older-than", "Chunks that end before this long ago") }

const run = Effect.fn("tapestry store compress run")(
  function* ({ olderThan, table }: Command.Command.Config.Infer<typeof flags>) {
    const before = (yield* Clock.currentTimeMillis) - (yield* millisOf("older-than", olderThan))
    const done = yield* withPolicies({ readonly: false }, (policies) =>
      Effect.gen(function* () {
        const chunks = yield* policies.compress(table, before)
        const now = (yield* policies.hypertables).find((one) => one.table === table)
        return { table, chunks, compressed: now?.compressedChunks ?? 0, was: now?.before ?? 0, is: now?.after ?? 0 }
      })
    )
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify(done)
        : `${counted(done.chunks, "chunk")} of ${table} of that age; ${done.compressed} are compressed in all, from ${bytes(done.was)} to ${bytes(done.is)}`
    )
  },
  asCommand("store", "compress", "run")
)

export const command = Command.make("run", flags, run).pipe(
  Command.withDescription(
    "Compress the chunks of a table that are old enough, now, a chunk at a time; also those that were and into which rows have come since."
  ),
  Command.withShortDescription("Compress the chunks that are old enough, now"),
  Command.withExamples([{ command: "tapestry store compress run bars --older-than 30d" }])
)
