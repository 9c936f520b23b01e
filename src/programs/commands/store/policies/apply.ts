import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const apply = Effect.fn("tapestry store policies apply")(
  function* () {
    const json = yield* Json
    const { line } = yield* Output
    const done = yield* withPolicies({ readonly: false }, (policies, where) =>
      Effect.map(policies.apply, (made) => ({ where, made }))
    )
    if (json) return yield* line(JSON.stringify(done))
    yield* line(
      done.made.length === 0
        ? `the tables of ${done.where} are hypertables already; nothing to do`
        : `hypertables of ${done.where} now: ${done.made.join(", ")}`
    )
  },
  asCommand("store", "policies", "apply")
)

export const command = Command.make("apply", {}, apply).pipe(
  Command.withDescription(
    "Make the tables of rows and revisions hypertables of TimescaleDB, with the columnstore prepared. Rows that are there are moved into chunks, a table at a time, while nobody reads or writes it. Several processes may do so at once. What is a hypertable already stays as it is."
  ),
  Command.withShortDescription("Make the tables of rows and revisions hypertables"),
  Command.withExamples([{ command: "tapestry store policies apply" }])
)
