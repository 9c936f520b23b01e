import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { JobQueue } from "../../../services/JobQueue.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { jobColumns, jobRow, viewDocument } from "../../format/jobRows.ts"
import { printList } from "../../terminal/printList.ts"
import { withData } from "../../withData.ts"

const flags = {
  minutes: Argument.Int("minutes").pipe(
    Argument.withDescription("Silent for more than so many minutes (default 15)"),
    Argument.withDefault(15)
  )
}

const stuck = Effect.fn("tapestry jobs stuck")(
  function* ({ minutes }: Command.Command.Config.Infer<typeof flags>) {
    if (minutes < 1) return yield* new UsageError({ message: `${minutes} minutes: expected 1 or more` })
    const items = yield* withData(JobQueue.use((queue) => queue.stuck(minutes * 60_000)))
    yield* printList({
      name: "jobs",
      items,
      columns: jobColumns,
      row: jobRow,
      document: viewDocument,
      none: `no job is running and silent for more than ${minutes} min`
    })
    if (items.length > 0) return yield* new Ended({ code: 1 })
  },
  asCommand("jobs", "stuck")
)

export const command = Command.make("stuck", flags, stuck).pipe(
  Command.withDescription(
    "Jobs that are running and whose runner has said nothing for so many minutes: it was killed, or hangs. Ends with 1 when there are any. Whoever runs jobs next goes on with those of this data directory; of another, cancel them."
  ),
  Command.withShortDescription("Jobs whose runner is silent"),
  Command.withExamples([{ command: "tapestry jobs stuck 15", description: "For a monitor" }])
)
