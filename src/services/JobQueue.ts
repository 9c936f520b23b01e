import { Context, type Effect, Schema, type Scope, type Stream } from "effect"
import {
  type Job,
  type JobConfiguration,
  JobId,
  type JobOutcome,
  type JobProgress,
  type JobRun,
  type JobSpec,
  JobState
} from "../domain/Job.ts"
import type { EpochMillis } from "../domain/TimeRange.ts"
import { MarketStoreError } from "./MarketStore.ts"

/** No job has that id, or begins with those letters. */
export class UnknownJob extends Schema.TaggedError<UnknownJob>()("UnknownJob", { job: Schema.String }) {}
/** Several jobs begin with those letters. */
export class AmbiguousJob extends Schema.TaggedError<AmbiguousJob>()("AmbiguousJob", {
  job: Schema.String,
  matches: Schema.Array(JobId)
}) {}
/** Nobody here knows how to do it. */
export class UnknownJobType extends Schema.TaggedError<UnknownJobType>()("UnknownJobType", {
  type: Schema.String,
  known: Schema.Array(Schema.String)
}) {}
/** What is asked for cannot be meant: a payload that the type does not read, a schedule that is none. */
export class InvalidJob extends Schema.TaggedError<InvalidJob>()("InvalidJob", { message: Schema.String }) {}
/** It has reached its last state, which nothing changes. */
export class JobFinished extends Schema.TaggedError<JobFinished>()("JobFinished", { job: JobId, state: JobState }) {}
/** It is queued or running, so that there is nothing to repeat. */
export class JobUnfinished extends Schema.TaggedError<JobUnfinished>()("JobUnfinished", {
  job: JobId,
  state: JobState
}) {}
/** Only of jobs in another process: it could not be reached, went away, or refused the call. */
export class JobsUnavailable extends Schema.TaggedError<JobsUnavailable>()("JobsUnavailable", {
  again: Schema.Boolean,
  message: Schema.String
}) {}

/** Why a job could not be queued, found or changed. */
export class JobQueueError extends Schema.TaggedError<JobQueueError>()("JobQueueError", {
  reason: Schema.Union([
    UnknownJob,
    AmbiguousJob,
    UnknownJobType,
    InvalidJob,
    JobFinished,
    JobUnfinished,
    JobsUnavailable,
    MarketStoreError
  ])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "UnknownJob":
        return `no job ${reason.job}; tapestry jobs list names them`
      case "AmbiguousJob":
        return `${reason.matches.length} jobs begin with ${reason.job}: ${reason.matches.slice(0, 3).join(", ")}${reason.matches.length > 3 ? ", ..." : ""}; write more of the id`
      case "UnknownJobType":
        return `nobody here can do jobs of the type ${reason.type}; there are: ${reason.known.length === 0 ? "none" : reason.known.join(", ")}`
      case "JobFinished":
        return `job ${reason.job} is ${reason.state}, and stays so; tapestry jobs retry begins another like it`
      case "JobUnfinished":
        return `job ${reason.job} is ${reason.state}; cancel it first, or let it end`
      case "InvalidJob":
      case "JobsUnavailable":
      case "MarketStoreError":
        return reason.message
    }
  }
}

/** Why an attempt failed. `passing`: another attempt may succeed. What was done before it failed is kept, and told by `outcome`. */
export class JobFailure extends Schema.TaggedError<JobFailure>()("JobFailure", {
  message: Schema.String,
  passing: Schema.Boolean
}) {}

/** What a job can do while it runs. */
export interface JobSteps {
  readonly job: Job
  readonly attempt: number
  /**
   * Does a part of the work once, whatever becomes of this process: an attempt that goes on in another one gets the result that was
   * kept. `name` is the step's own in this attempt. The result is kept as JSON, so it should be counts and never rows.
   */
  readonly step: <A>(
    name: string,
    result: Schema.ConstraintCodec<A, unknown>,
    effect: Effect.Effect<A, JobFailure>
  ) => Effect.Effect<A, JobFailure>
  /** Tells how far the attempt is. */
  readonly progress: (progress: JobProgress) => Effect.Effect<void>
}

/** What a job ends with; one with `failure` has failed, and says what came of it all the same. */
export interface JobEnding {
  readonly outcome: JobOutcome
  readonly failure?: {
    readonly message: string
    readonly passing: boolean
    /** Milliseconds before which another attempt would be in vain. */
    readonly retryAfter?: number
  }
}

/** How jobs of one type are done. */
export interface JobType {
  readonly name: string
  /** It changes the deployment as a whole: it is queued only by who may (`asAdmin`), and anew as well. */
  readonly adminOnly?: true
  /** What the payload says, or why it cannot be read. */
  readonly read: (payload: Schema.Json) => Effect.Effect<JobConfiguration, InvalidJob>
  /** Begun anew after a crash: what is not in a step is done again, so it has to be nothing that costs. */
  readonly run: (steps: JobSteps) => Effect.Effect<JobEnding, JobFailure>
}

/** `created` is false where a job of the key was there already: it is queued or running, or has ended and nobody asked for another. */
export interface Enqueued {
  readonly job: Job
  readonly created: boolean
}

export interface JobFilter {
  readonly states?: ReadonlyArray<JobState>
  readonly type?: string
  readonly key?: string
  /** The newest so many; 100 unless given. */
  readonly limit?: number
}

/** A job with its newest attempt; null before the first. */
export interface JobView {
  readonly job: Job
  readonly run: JobRun | null
  /** It is queued, and this process has nobody who could do it: it waits for one who does. */
  readonly unknownType?: true
}

/** `asAdmin`: of who may change the deployment, for jobs of a type that is `adminOnly`. */
export interface JobRights {
  readonly asAdmin?: true
}

/** Work that is to be done once, in the order of its priority, by whoever owns the data directory. */
export class JobQueue extends Context.Service<
  JobQueue,
  {
    /** Jobs of this type can be queued and run until the scope closes. */
    readonly register: (type: JobType) => Effect.Effect<void, never, Scope.Scope>
    /** With `again`, a job whose key has one that has ended begins anew, as another job. */
    readonly enqueue: (
      spec: JobSpec,
      options?: { readonly again?: boolean } & JobRights
    ) => Effect.Effect<Enqueued, JobQueueError>
    /** By its id, or the first letters of it. */
    readonly get: (job: string) => Effect.Effect<JobView, JobQueueError>
    /** Its attempts, first to last. */
    readonly runs: (job: JobId) => Effect.Effect<ReadonlyArray<JobRun>, JobQueueError>
    /** The newest first. */
    readonly list: (filter?: JobFilter) => Effect.Effect<ReadonlyArray<JobView>, JobQueueError>
    /** One that waits is cancelled at once, one that runs as soon as whoever runs it hears of it. Its schedule ends with it. */
    readonly cancel: (job: string, options?: JobRights) => Effect.Effect<Job, JobQueueError>
    /** Another job like one that has ended. */
    readonly retry: (job: string, options?: JobRights) => Effect.Effect<Enqueued, JobQueueError>
    /** Those that are running and whose runner has said nothing for so many milliseconds. */
    readonly stuck: (silentMillis: number) => Effect.Effect<ReadonlyArray<JobView>, JobQueueError>
    /** Removes what has ended before the instant, and says how many jobs that were. Those that are for admins stay, unless `asAdmin`. */
    readonly cleanup: (before: EpochMillis, options?: JobRights) => Effect.Effect<number, JobQueueError>
    /** The job whenever something about it has changed, from now until it has ended. */
    readonly watch: (job: JobId) => Stream.Stream<JobView, JobQueueError>
    /**
     * Runs jobs for as long as this runs: all of them in the order of their priority and age, so many at a time, or only those
     * named. Fails at once in a process that may only read.
     */
    readonly work: (options?: {
      readonly only?: ReadonlyArray<JobId>
      readonly concurrency?: number
    }) => Effect.Effect<never, JobQueueError>
  }
>()("tapestry/JobQueue") {}
