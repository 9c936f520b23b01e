import { Effect } from "effect"
import { Command } from "effect/cli"
import { shortestRetention } from "../../../../layers/market/postgres/timescale/policies.ts"
import { asCommand, UsageError } from "../../../failure/UsageError.ts"
import { ageFlag, millisOf } from "../../../flags/AgeFlag.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { described, retentionFlags, retentionOf } from "../../../flags/RetentionFlags.ts"
import { duration } from "../../../format/Numbers.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const flags = { ...retentionFlags, after: ageFlag("after", "The age at which rows go") }

const set = Effect.fn("tapestry store retention set")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const of = yield* retentionOf(input)
    const millis = yield* millisOf("after", input.after)
    if (millis < shortestRetention) return yield* new UsageError({ message: "--after: rows are kept a day at least" })
    yield* withPolicies({ readonly: false }, (policies) => policies.setRetention(of, millis))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ ...of, afterMillis: millis })
        : `${described(input)} go when they are ${duration(millis)} old, looked at once a day`
    )
  },
  asCommand("store", "retention", "set")
)

export const command = Command.make("set", flags, set).pipe(
  Command.withDescription(
    "Have TimescaleDB drop rows of a kind when they reach an age, once a day, in place of what was set before. Whole chunks go; of one timeframe, rows."
  ),
  Command.withShortDescription("Drop rows of a kind when they reach an age"),
  Command.withExamples([
    { command: "tapestry store retention set quotes --after 365d" },
    { command: "tapestry store retention set bars --timeframe 1m --after 1825d" }
  ])
)
