import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { derivedArgument } from "../../../flags/DerivedArgument.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { timeframe: derivedArgument }

const remove = Effect.fn("tapestry store aggregates remove")(
  function* ({ timeframe }: Command.Command.Config.Infer<typeof flags>) {
    const removed = yield* withPolicies({ readonly: false }, (policies) => policies.removeAggregate(timeframe))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ timeframe, removed })
        : removed
          ? `no bars of ${timeframe} are made any more`
          : `no bars of ${timeframe} were made; nothing to do`
    )
  },
  asCommand("store", "aggregates", "remove")
)

export const command = Command.make("remove", flags, remove).pipe(
  Command.withDescription("Remove the bars of a timeframe that were made, with their policy. Vendors' own stay."),
  Command.withShortDescription("Remove bars that were made, with their policy"),
  Command.withExamples([{ command: "tapestry store aggregates remove 5m" }])
)
