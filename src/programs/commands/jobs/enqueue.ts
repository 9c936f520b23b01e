import { Clock, Effect, FileSystem, Result, Schema, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { wordsOf } from "../../../layers/platformWords.ts"
import { JobQueue } from "../../../services/JobQueue.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { specFlags, specOf } from "../../jobs/jobFlags.ts"
import { tellQueued } from "../../jobs/queued.ts"
import { withCache } from "../../withData.ts"

const flags = {
  type: Argument.String("type").pipe(Argument.withDescription("What is to be done: backfill")),
  payload: Flag.String("payload").pipe(
    Flag.withMetavar("JSON|@FILE|-"),
    Flag.withDescription("What the type needs to know, as JSON: on the line, in a file, or on standard input")
  ),
  ...specFlags
}

const textOf = Effect.fnUntraced(
  function* (payload: string) {
    if (payload === "-") {
      const stdio = yield* Stdio.Stdio
      return yield* stdio.stdin.pipe(Stream.decodeText(), Stream.mkString)
    }
    if (!payload.startsWith("@")) return payload
    const fs = yield* FileSystem.FileSystem
    return yield* fs.readFileString(payload.slice(1))
  },
  Effect.mapError((error) => new UsageError({ message: `the payload cannot be read: ${wordsOf(error)}` }))
)

const parse = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))

const enqueue = Effect.fn("tapestry jobs enqueue")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const payload = parse(yield* textOf(input.payload))
    if (Result.isFailure(payload)) return yield* new UsageError({ message: "--payload: expected JSON" })
    const spec = yield* specOf(input, { type: input.type, payload: payload.success }, yield* Clock.currentTimeMillis)
    const enqueued = yield* withCache(JobQueue.use((queue) => queue.enqueue(spec, { again: input.again }))).pipe(
      Effect.catchReason("JobQueueError", "InvalidJob", ({ message }) => Effect.fail(new UsageError({ message }))),
      Effect.catchReason("JobQueueError", "UnknownJobType", (_, error) =>
        Effect.fail(new UsageError({ message: error.message }))
      )
    )
    yield* tellQueued(enqueued)
  },
  asCommand("jobs", "enqueue")
)

export const command = Command.make("enqueue", flags, enqueue).pipe(
  Command.withDescription(
    "Queue a job. While one of its key is queued or running that one's id is printed; after it has ended, too, unless --again is said. With --cron it is begun whenever the schedule says so."
  ),
  Command.withShortDescription("Queue a job"),
  Command.withExamples([
    {
      command: `tapestry jobs enqueue backfill --payload '{"vendor":"sample","symbols":["SPX"],"timeframe":"1d","last":864000000}' --cron '30 6 * * 1-5' --tz America/New_York`,
      description: "The last ten days, every morning"
    },
    { command: "tapestry jobs enqueue backfill --payload @universe.json --priority low" }
  ])
)
