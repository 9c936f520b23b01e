import { Clock, Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { JobQueue } from "../../../services/JobQueue.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { instant } from "../../format/Documents.ts"
import { counted } from "../../format/Numbers.ts"
import { moment } from "../../format/ZonedTime.ts"
import { Output } from "../../terminal/Output.ts"
import { withCache } from "../../withData.ts"

const day = 86_400_000

const flags = {
  days: Argument.Int("days").pipe(Argument.withDescription("Ended more than so many days ago"))
}

const cleanup = Effect.fn("tapestry jobs cleanup")(
  function* ({ days }: Command.Command.Config.Infer<typeof flags>) {
    if (days < 1 || days > 36_500) return yield* new UsageError({ message: `${days} days: expected 1 to 36500` })
    const { line } = yield* Output
    const before = (yield* Clock.currentTimeMillis) - days * day
    const removed = yield* withCache(JobQueue.use((queue) => queue.cleanup(before, { asAdmin: true })))
    if (yield* Json) return yield* line(JSON.stringify({ removed, before: instant(before) }))
    yield* line(`removed ${counted(removed, "job")} that ended before ${moment(before)}`)
  },
  asCommand("jobs", "cleanup")
)

export const command = Command.make("cleanup", flags, cleanup).pipe(
  Command.withDescription(
    "Forget jobs that have ended more than so many days ago, with their attempts. Rows and archive are not touched; jobs that wait or run stay."
  ),
  Command.withShortDescription("Forget jobs that ended long ago"),
  Command.withExamples([{ command: "tapestry jobs cleanup 90" }])
)
