import { Effect } from "effect"
import { Command } from "effect/cli"
import { JobQueue } from "../../../services/JobQueue.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { jobArgument } from "../../jobs/jobFlags.ts"
import { tellQueued } from "../../jobs/queued.ts"
import { withCache } from "../../withData.ts"

const flags = { job: jobArgument }

const retry = Effect.fn("tapestry jobs retry")(
  function* ({ job }: Command.Command.Config.Infer<typeof flags>) {
    yield* tellQueued(yield* withCache(JobQueue.use((queue) => queue.retry(job, { asAdmin: true }))))
  },
  asCommand("jobs", "retry")
)

export const command = Command.make("retry", flags, retry).pipe(
  Command.withDescription(
    "Queue another job like one that has ended: the same key, payload, priority and schedule, and all its attempts. The one that has ended stays as it is."
  ),
  Command.withShortDescription("Another job like one that has ended"),
  Command.withExamples([{ command: "tapestry jobs retry 0b5f3a0e", description: "After the vendor is back" }])
)
