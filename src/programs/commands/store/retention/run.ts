import { Clock, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { ageFlag, millisOf } from "../../../flags/AgeFlag.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { described, retentionFlags, retentionOf } from "../../../flags/RetentionFlags.ts"
import { counted } from "../../../format/Numbers.ts"
import { Output } from "../../../terminal/Output.ts"
import { withStore } from "../../../withPolicies.ts"
import { nothingYet } from "../../../withUpkeep.ts"

const flags = {
  ...retentionFlags,
  olderThan: ageFlag("older-than", "Rows that are older go"),
  apply: Flag.Boolean("apply").pipe(
    Flag.withDescription("Drop them; without this it is only said what would go"),
    Flag.withDefault(false)
  )
}

const run = Effect.fn("tapestry store retention run")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const { apply, olderThan } = input
    const of = yield* retentionOf(input)
    const before = (yield* Clock.currentTimeMillis) - (yield* millisOf("older-than", olderThan))
    const dropped = yield* withStore({ readonly: false, throughOwner: true }, ({ retain }) =>
      retain(of, before, { apply })
    )
    const { line } = yield* Output
    const json = yield* Json
    if (dropped === null && !json) return yield* line(yield* nothingYet)
    const { before: until, chunks, rows } = dropped ?? { rows: 0, chunks: 0, before: null }
    if (json)
      return yield* line(JSON.stringify({ ...of, rows, chunks, before: until, done: apply && dropped !== null }))
    const what = `${counted(rows, "row")}${chunks === 0 ? "" : ` in ${counted(chunks, "chunk")}`}`
    yield* line(
      until === null
        ? `no chunk of ${described(input)} is that old; nothing to do`
        : `${described(input)} before ${new Date(until).toISOString()}: ${what} ${apply ? "dropped" : "would go (--apply)"}`
    )
  },
  asCommand("store", "retention", "run")
)

export const command = Command.make("run", flags, run).pipe(
  Command.withDescription(
    "Drop rows of a kind that are older, now: whole chunks where TimescaleDB has them and no timeframe is named, rows else. In the embedded store and on plain PostgreSQL, too."
  ),
  Command.withShortDescription("Drop what is old enough, now; a dry run first"),
  Command.withExamples([
    { command: "tapestry store retention run quotes --older-than 365d", description: "What would go" },
    { command: "tapestry store retention run bars --timeframe 1m --older-than 1825d --apply" }
  ])
)
