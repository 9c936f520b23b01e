import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { asCommand, UsageError } from "../../../failure/UsageError.ts"
import { ageFlag, millisOf } from "../../../flags/AgeFlag.ts"
import { derivedArgument } from "../../../flags/DerivedArgument.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { duration } from "../../../format/Numbers.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = {
  timeframe: derivedArgument,
  every: ageFlag("every", "How often it is made anew where bars have changed").pipe(Flag.withDefault("1h"))
}

const add = Effect.fn("tapestry store aggregates add")(
  function* ({ every, timeframe }: Command.Command.Config.Infer<typeof flags>) {
    const millis = yield* millisOf("every", every)
    if (millis < 1_000) return yield* new UsageError({ message: "--every: once a second at most" })
    const made = yield* withPolicies({ readonly: false }, (policies) => policies.addAggregate(timeframe, millis))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ timeframe, made, everyMillis: millis })
        : `bars of ${timeframe} are made of those of 1m, anew every ${duration(millis)}${made ? "" : "; they were before"}`
    )
  },
  asCommand("store", "aggregates", "add")
)

export const command = Command.make("add", flags, add).pipe(
  Command.withDescription(
    "Make bars of a timeframe of all stored bars of a minute, and a policy that keeps them so. What is not made yet, or has changed since, is made when it is asked for: an answer is never old."
  ),
  Command.withShortDescription("Make bars of a timeframe of those of a minute"),
  Command.withExamples([
    { command: "tapestry store aggregates add 5m" },
    { command: "tapestry store aggregates add 1h --every 1d", description: "Or another policy for one that is there" }
  ])
)
