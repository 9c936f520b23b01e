import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { JobState } from "../../../domain/Job.ts"
import { JobQueue } from "../../../services/JobQueue.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { jobColumns, jobRow, viewDocument } from "../../format/jobRows.ts"
import { printList } from "../../terminal/printList.ts"
import { withData } from "../../withData.ts"

const flags = {
  state: Flag.Literals("state", [...JobState.literals, "live"]).pipe(
    Flag.withDescription("Only those; live are those that are queued or running"),
    Flag.optional
  ),
  type: Flag.String("type").pipe(Flag.withMetavar("TYPE"), Flag.withDescription("Only of this type"), Flag.optional),
  key: Flag.String("key").pipe(Flag.withMetavar("KEY"), Flag.withDescription("Only of this key"), Flag.optional),
  limit: Flag.Int("limit").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How many, newest first (default 20)"),
    Flag.withDefault(20)
  )
}

const list = Effect.fn("tapestry jobs list")(
  function* ({ key, limit, state, type }: Command.Command.Config.Infer<typeof flags>) {
    if (limit < 1) return yield* new UsageError({ message: `--limit ${limit}: expected 1 or more` })
    const states = Option.map(state, (one): ReadonlyArray<JobState> => (one === "live" ? ["queued", "running"] : [one]))
    const items = yield* withData(
      JobQueue.use((queue) =>
        queue.list({
          limit,
          ...(Option.isNone(states) ? {} : { states: states.value }),
          ...(Option.isNone(type) ? {} : { type: type.value }),
          ...(Option.isNone(key) ? {} : { key: key.value })
        })
      )
    )
    yield* printList({ name: "jobs", items, columns: jobColumns, row: jobRow, document: viewDocument, none: "no jobs" })
  },
  asCommand("jobs", "list")
)

export const command = Command.make("list", flags, list).pipe(
  Command.withDescription("Jobs, newest first, with how far each is and what came of it."),
  Command.withShortDescription("Jobs, newest first"),
  Command.withExamples([
    { command: "tapestry jobs list --state live", description: "What waits and what is under way" },
    { command: "tapestry jobs list --state deadletter", description: "What has failed in every attempt" }
  ])
)
