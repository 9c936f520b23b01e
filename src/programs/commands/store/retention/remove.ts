import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { described, retentionFlags, retentionOf } from "../../../flags/RetentionFlags.ts"
import { Output } from "../../../terminal/Output.ts"
import { withPolicies } from "../../../withPolicies.ts"

const remove = Effect.fn("tapestry store retention remove")(
  function* (input: Command.Command.Config.Infer<typeof retentionFlags>) {
    const of = yield* retentionOf(input)
    const removed = yield* withPolicies({ readonly: false }, (policies) => policies.removeRetention(of))
    const { line } = yield* Output
    yield* line(
      (yield* Json)
        ? JSON.stringify({ ...of, removed })
        : removed
          ? `${described(input)} are kept from now on, whatever their age`
          : `there was no such policy of ${described(input)}; nothing to do`
    )
  },
  asCommand("store", "retention", "remove")
)

export const command = Command.make("remove", retentionFlags, remove).pipe(
  Command.withDescription("Take away the policy that drops rows of a kind."),
  Command.withShortDescription("Take away the policy of a kind"),
  Command.withExamples([{ command: "tapestry store retention remove quotes" }])
)
