import { Effect } from "effect"
import { Command } from "effect/cli"
import { JobQueue } from "../../../services/JobQueue.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { jobDocument, shortId } from "../../format/jobRows.ts"
import { jobArgument } from "../../jobs/jobFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { withCache } from "../../withData.ts"

const flags = { job: jobArgument }

const cancel = Effect.fn("tapestry jobs cancel")(
  function* ({ job: wanted }: Command.Command.Config.Infer<typeof flags>) {
    const { line } = yield* Output
    const job = yield* withCache(JobQueue.use((queue) => queue.cancel(wanted, { asAdmin: true })))
    if (yield* Json) return yield* line(JSON.stringify({ job: jobDocument(job) }))
    yield* line(
      job.state === "cancelled"
        ? `job ${shortId(job.id)} is cancelled; what it had by then is kept`
        : `job ${shortId(job.id)} is ${job.state} elsewhere, and ends when its runner hears of it`
    )
  },
  asCommand("jobs", "cancel")
)

export const command = Command.make("cancel", flags, cancel).pipe(
  Command.withDescription(
    "End a job that waits or runs, and its schedule with it. What it has fetched is kept. A job that has ended is left alone."
  ),
  Command.withShortDescription("End a job that waits or runs"),
  Command.withExamples([{ command: "tapestry jobs cancel 0b5f3a0e" }])
)
