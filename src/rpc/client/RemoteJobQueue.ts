/** The JobQueue of another process, over the RPC: of the owner of a data directory, most of all. */
import { Effect, Layer, Stream } from "effect"
import { JobQueue, JobQueueError, JobsUnavailable } from "../../services/JobQueue.ts"
import { type CallError, isPassing } from "./callError.ts"
import { TapestryClient } from "./TapestryClient.ts"

const asServiceError = (error: CallError<JobQueueError>): JobQueueError =>
  error._tag === "JobQueueError"
    ? error
    : new JobQueueError({ reason: new JobsUnavailable({ again: isPassing(error), message: error.message }) })

const told = Effect.mapError(asServiceError)

const elsewhere = new JobQueueError({
  reason: new JobsUnavailable({ again: false, message: "whoever owns the data directory decides whether it runs jobs" })
})

const make = Effect.gen(function* () {
  const client = yield* TapestryClient
  return JobQueue.of({
    // The types are those that the other process has.
    register: () => Effect.void,
    enqueue: (spec, options) => told(client["Jobs.enqueue"]({ spec, ...options })),
    get: (job) => told(client["Jobs.get"]({ job })),
    runs: (job) => told(client["Jobs.runs"]({ job })),
    list: (filter = {}) => told(Stream.runCollect(client["Jobs.list"](filter))),
    cancel: (job) => told(client["Jobs.cancel"]({ job })),
    retry: (job) => told(client["Jobs.retry"]({ job })),
    stuck: (silentMillis) => told(client["Jobs.stuck"]({ silentMillis })),
    cleanup: (before) => told(client["Jobs.cleanup"]({ before })),
    watch: (job) => Stream.mapError(client["Jobs.watch"]({ job }), asServiceError),
    work: ({ only } = {}) =>
      only === undefined
        ? Effect.fail(elsewhere)
        : Effect.andThen(told(Stream.runDrain(client["Jobs.work"]({ jobs: only }))), Effect.never)
  })
})

export const layer: Layer.Layer<JobQueue, never, TapestryClient> = Layer.effect(JobQueue, make)
