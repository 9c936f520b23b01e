import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Job, JobId, JobRun, JobSpec, JobState } from "../../domain/Job.ts"
import { AskedMillis } from "../../domain/TimeRange.ts"
import { JobQueueError } from "../../services/JobQueue.ts"
import { OnShutdown } from "./Border.ts"

/** A job with its newest attempt; `run` is null before the first. */
export const JobView = Schema.Struct({
  job: Job,
  run: Schema.NullOr(JobRun),
  /** It is queued, and the server has nobody who could do it. */
  unknownType: Schema.optionalKey(Schema.Literal(true))
})
export const Enqueued = Schema.Struct({ job: Job, created: Schema.Boolean })

/** A job, by its id or the first letters of it: four or more. */
const named = { job: Schema.String }
/** Most jobs of one listing, and of one call to run. */
const most = 10_000

/** Work that is done once, in the order of its priority, by the process that owns the data directory. */
export class JobRpcs extends RpcGroup.make(
  /**
   * Queues a job, unless one of its key is queued or running, or has ended and `again` is not said; `created` says which. `type` and
   * `payload` are checked first.
   */
  Rpc.make("Jobs.enqueue", {
    payload: { spec: JobSpec, again: Schema.optionalKey(Schema.Boolean) },
    success: Enqueued,
    error: JobQueueError
  }),
  Rpc.make("Jobs.get", { payload: named, success: JobView, error: JobQueueError }),
  /** The attempts at a job, first to last. */
  Rpc.make("Jobs.runs", { payload: { job: JobId }, success: Schema.Array(JobRun), error: JobQueueError }),
  /** The newest first; 100 unless `limit` says otherwise. */
  Rpc.make("Jobs.list", {
    payload: {
      states: Schema.optionalKey(Schema.Array(JobState)),
      type: Schema.optionalKey(Schema.String),
      key: Schema.optionalKey(Schema.String),
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: most })))
    },
    success: JobView,
    error: JobQueueError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /**
   * Ends a job: one that waits at once, one that runs here when this returns. Its schedule ends with it. One that changes the deployment
   * takes the admin token, or the Unix socket, as with the two that follow.
   */
  Rpc.make("Jobs.cancel", { payload: named, success: Job, error: JobQueueError }),
  /** Queues another job like one that has ended. */
  Rpc.make("Jobs.retry", { payload: named, success: Enqueued, error: JobQueueError }),
  /** Those that are running and have said nothing for so many milliseconds. */
  Rpc.make("Jobs.stuck", {
    payload: { silentMillis: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)) },
    success: Schema.Array(JobView),
    error: JobQueueError
  }),
  /** Removes jobs that have ended before the instant, and answers how many. Without the admin token those that changed the deployment stay. */
  Rpc.make("Jobs.cleanup", { payload: { before: AskedMillis }, success: Schema.Int, error: JobQueueError }),
  /** The job whenever something about it has changed, until it has ended. */
  Rpc.make("Jobs.watch", {
    payload: { job: JobId },
    success: JobView,
    error: JobQueueError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /**
   * Has these jobs run for as long as the stream is open, also in a process that runs no jobs of itself. It never has an element.
   */
  Rpc.make("Jobs.work", {
    payload: { jobs: Schema.Array(JobId).check(Schema.isMaxLength(most)) },
    success: Schema.Void,
    error: JobQueueError,
    stream: true
  }).annotate(OnShutdown, "cut")
) {}
