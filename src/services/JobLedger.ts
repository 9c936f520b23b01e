import { Context, type Effect } from "effect"
import type { Job, JobConfiguration, JobId, JobOutcome, JobProgress, JobRun, JobSpec } from "../domain/Job.ts"
import type { EpochMillis } from "../domain/TimeRange.ts"
import type { Enqueued, JobFilter, JobQueueError, JobView } from "./JobQueue.ts"

/** An attempt that somebody has begun, or goes on with (`resumed`). */
export interface Claimed {
  readonly job: Job
  readonly attempt: number
  readonly resumed: boolean
}

/** How an attempt ended. `failed` with `retryAt` is tried again then. */
export type Ending =
  | { readonly _tag: "done"; readonly outcome: JobOutcome }
  | { readonly _tag: "cancelled"; readonly outcome: JobOutcome }
  | {
      readonly _tag: "failed"
      readonly outcome: JobOutcome
      readonly error: string
      /** Another attempt may help; null where it would not. */
      readonly retryAt: EpochMillis | null
    }

/** Which job comes next: of all, or of those named. */
export interface ClaimOptions {
  /** Who goes on with what it has begun: the name of the place where workflows are kept. */
  readonly runner: string
  /** Null: all. */
  readonly only: ReadonlyArray<JobId> | null
  /** Those that this process knows how to do; others wait for somebody who does. */
  readonly types: ReadonlyArray<string>
}

/** A job that waits, by what decides between it and others: the higher priority, then the lower number, which is the older job. */
export interface UpNext {
  /** UTC epoch milliseconds; 0 for one that may begin at any time. */
  readonly due: EpochMillis
  readonly priority: number
  readonly seq: number
}

/**
 * What is written of jobs, in the market store. It knows nothing of how they are run: that is JobQueue's, which everybody but the
 * runner uses in its place.
 */
export class JobLedger extends Context.Service<
  JobLedger,
  {
    /** Only this process can have begun what is running in it: no other one writes to the store. */
    readonly exclusive: boolean
    readonly enqueue: (
      spec: JobSpec,
      options?: { readonly again?: boolean; readonly at?: EpochMillis }
    ) => Effect.Effect<Enqueued, JobQueueError>
    readonly get: (job: string) => Effect.Effect<JobView, JobQueueError>
    readonly runs: (job: JobId) => Effect.Effect<ReadonlyArray<JobRun>, JobQueueError>
    readonly list: (filter?: JobFilter) => Effect.Effect<ReadonlyArray<JobView>, JobQueueError>
    /** Cancels one that is queued; of one that runs it is written down that it should end. */
    readonly cancel: (job: string) => Effect.Effect<Job, JobQueueError>
    readonly retry: (job: string) => Effect.Effect<Enqueued, JobQueueError>
    readonly stuck: (silentMillis: number) => Effect.Effect<ReadonlyArray<JobView>, JobQueueError>
    /** But those of the types of `except`. */
    readonly cleanup: (
      before: EpochMillis,
      options?: { readonly except?: ReadonlyArray<string> }
    ) => Effect.Effect<number, JobQueueError>

    /** What the runner had under way waits again, each to go on in the attempt that it was in; says how many. */
    readonly suspend: (runner: string) => Effect.Effect<number, JobQueueError>
    /** Begins the next job that is due; null where there is none. `read` says what its payload is about. */
    readonly claim: (
      options: ClaimOptions,
      read: (job: Job) => Effect.Effect<JobConfiguration>
    ) => Effect.Effect<Claimed | null, JobQueueError>
    /** The job that this runner would begin now, or where none is due the one that is first; null where none waits. */
    readonly upNext: (options: ClaimOptions) => Effect.Effect<UpNext | null, JobQueueError>
    /** Says that the attempt is alive, and how far it is; answers whether it should end. */
    readonly beat: (job: JobId, attempt: number, progress: JobProgress) => Effect.Effect<boolean, JobQueueError>
    /** Ends an attempt, and the job with it unless it is tried again; a schedule's next job is queued in the same transaction. */
    readonly finish: (job: JobId, attempt: number, ending: Ending) => Effect.Effect<Job, JobQueueError>
    /** Of those jobs, the ones that are queued or running. */
    readonly alive: (jobs: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<JobId>, JobQueueError>
  }
>()("tapestry/JobLedger") {}
