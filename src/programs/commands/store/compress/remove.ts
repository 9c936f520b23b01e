import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { tableArgument } from "../../../flags/TableArgument.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { table: tableArgument }

const remove = Effect.fn("tapestry store compress remove")(
  function* ({ table }: Command.Command.Config.Infer<typeof flags>) {
    const removed = yield* withPolicies({ readonly: false }, (policies) => policies.removeCompression(table))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ table, removed })
        : removed
          ? `chunks of ${table} are not compressed any more; those that are stay so`
          : `there was no such policy of ${table}; nothing to do`
    )
  },
  asCommand("store", "compress", "remove")
)

export const command = Command.make("remove", flags, remove).pipe(
  Command.withDescription("Take away the policy that compresses chunks of a table. What is compressed stays so."),
  Command.withShortDescription("Take away the policy of a table"),
  Command.withExamples([{ command: "tapestry store compress remove bars" }])
)
