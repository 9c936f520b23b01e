import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand, UsageError } from "../../../failure/UsageError.ts"
import { derivedArgument } from "../../../flags/DerivedArgument.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { timeframe: derivedArgument }

const refresh = Effect.fn("tapestry store aggregates refresh")(
  function* ({ timeframe }: Command.Command.Config.Infer<typeof flags>) {
    const upTo = yield* withPolicies({ readonly: false }, (policies) =>
      Effect.gen(function* () {
        if (!(yield* policies.aggregates).some((one) => one.timeframe === timeframe)) {
          return yield* new UsageError({
            message: `no bars of ${timeframe} are made: tapestry store aggregates add ${timeframe}`
          })
        }
        yield* policies.refreshAggregate(timeframe, null)
        return (yield* policies.aggregates).find((one) => one.timeframe === timeframe)?.upTo ?? null
      })
    )
    const { line } = yield* Output
    const until = upTo === null ? null : new Date(upTo).toISOString()
    yield* line(
      (yield* Json)
        ? JSON.stringify({ timeframe, upTo: until })
        : `bars of ${timeframe} are made${until === null ? "; there is nothing to make them of" : ` up to ${until}`}`
    )
  },
  asCommand("store", "aggregates", "refresh")
)

export const command = Command.make("refresh", flags, refresh).pipe(
  Command.withDescription("Make the bars of a timeframe anew where bars of a minute have changed since, now."),
  Command.withShortDescription("Make bars anew where others have changed, now"),
  Command.withExamples([{ command: "tapestry store aggregates refresh 5m" }])
)
