import { Schema } from "effect"
import { CoverageInterval } from "./Coverage.ts"
import { EpochMillis, TimeRange } from "./TimeRange.ts"

/** A UUID in lower case. People may write the first letters of it, as long as no other job begins with them. */
export const JobId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  Schema.brand("JobId")
)
export type JobId = typeof JobId.Type

/**
 * - `queued`: waits for its instant, for its turn, or, where it was begun before, for somebody who goes on with it.
 * - `running`: an attempt is under way.
 * - `completed`, `failed` (no other attempt would help), `deadletter` (every attempt that it may have has failed), `cancelled`: the
 *   end, which nothing changes any more; what follows is another job.
 */
export const JobState = Schema.Literals(["queued", "running", "completed", "failed", "deadletter", "cancelled"])
export type JobState = typeof JobState.Type

export const isTerminal = (state: JobState): boolean => state !== "queued" && state !== "running"

/** In the order of their urgency. */
export const JobPriority = Schema.Literals(["low", "medium", "high", "urgent"])
export type JobPriority = typeof JobPriority.Type

/** When a job is repeated: five fields (minute, hour, day of month, month, day of week), or six with seconds before, in a time zone. */
export const JobSchedule = Schema.Struct({
  cron: Schema.NonEmptyString,
  /** `UTC` unless given. */
  zone: Schema.optionalKey(Schema.NonEmptyString)
})
export interface JobSchedule extends Schema.Schema.Type<typeof JobSchedule> {}

/** What somebody wants to have done. */
export const JobSpec = Schema.Struct({
  /** What it is known by; a tenant has one job of a key that is queued or running. */
  key: Schema.NonEmptyString.pipe(Schema.check(Schema.isMaxLength(255))),
  type: Schema.NonEmptyString.pipe(Schema.check(Schema.isMaxLength(63))),
  /** What the type needs to know; it must read it. */
  payload: Schema.Json,
  /** `medium` unless given. */
  priority: Schema.optionalKey(JobPriority),
  /** Not begun before this instant. */
  notBefore: Schema.optionalKey(EpochMillis),
  /** Begun whenever the schedule says so, each time as a job of its own; what was missed meanwhile is made up for once. */
  schedule: Schema.optionalKey(JobSchedule),
  /** How often it is tried in all; 5 unless given. */
  maxAttempts: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
})
export interface JobSpec extends Schema.Schema.Type<typeof JobSpec> {}

export const Job = Schema.Struct({
  id: JobId,
  key: Schema.String,
  type: Schema.String,
  payload: Schema.Json,
  priority: JobPriority,
  notBefore: Schema.NullOr(EpochMillis),
  schedule: Schema.NullOr(JobSchedule),
  state: JobState,
  /** Attempts that were begun. */
  attempts: Schema.Int,
  maxAttempts: Schema.Int,
  /** Somebody wants it to end; it has not ended yet. */
  cancelling: Schema.Boolean,
  createdAt: EpochMillis,
  /** When it reached its last state; null before. */
  finishedAt: Schema.NullOr(EpochMillis),
  /** Why the last attempt failed; null where none did, or where it was done after all. */
  error: Schema.NullOr(Schema.String)
})
export interface Job extends Schema.Schema.Type<typeof Job> {}

/** A part of a series that could not be had, and why. */
export const JobHole = Schema.Struct({ symbol: Schema.String, interval: CoverageInterval })
export interface JobHole extends Schema.Schema.Type<typeof JobHole> {}

/** What a job has done, so far or in all. Rows that it wrote (a retention: dropped), that were there when it was done, and that could not be accepted. */
export const JobOutcome = Schema.Struct({
  rows: Schema.Int,
  rowsStored: Schema.Int,
  rowsFailed: Schema.Int,
  requests: Schema.Int,
  /** The first of the parts that could not be had; `holeCount` counts them all. */
  holes: Schema.Array(JobHole),
  holeCount: Schema.Int
})
export interface JobOutcome extends Schema.Schema.Type<typeof JobOutcome> {}

export const nothingDone: JobOutcome = { rows: 0, rowsStored: 0, rowsFailed: 0, requests: 0, holes: [], holeCount: 0 }

/** How far an attempt is: units of work done, of how many (0 while that is not known), and what came of them. */
export const JobProgress = Schema.Struct({
  done: Schema.Int,
  of: Schema.Int,
  rows: Schema.Int,
  requests: Schema.Int
})
export interface JobProgress extends Schema.Schema.Type<typeof JobProgress> {}

/** What an attempt is about, as it is counted and compared; see Metrics for `provider` and `mode`. */
export const JobConfiguration = Schema.Struct({
  provider: Schema.String,
  mode: Schema.Literals(["live", "backfill"]),
  symbols: Schema.Array(Schema.String),
  range: Schema.NullOr(TimeRange)
})
export interface JobConfiguration extends Schema.Schema.Type<typeof JobConfiguration> {}

/** `suspended`: whoever ran it has ended; the next who runs jobs goes on with it. */
export const RunStatus = Schema.Literals(["running", "suspended", "success", "failure", "cancelled"])
export type RunStatus = typeof RunStatus.Type

/** One attempt at a job. */
export const JobRun = Schema.Struct({
  job: JobId,
  attempt: Schema.Int,
  status: RunStatus,
  ...JobConfiguration.fields,
  /** The first 16 hex digits of the sha256 of the canonical JSON of type and payload: equal for equal work. */
  fingerprint: Schema.String,
  progress: JobProgress,
  /** Null until it has ended. */
  outcome: Schema.NullOr(JobOutcome),
  error: Schema.NullOr(Schema.String),
  startedAt: EpochMillis,
  /** When its runner last said that it is alive. */
  heartbeatAt: EpochMillis,
  completedAt: Schema.NullOr(EpochMillis)
})
export interface JobRun extends Schema.Schema.Type<typeof JobRun> {}

/** Milliseconds that an attempt took, or has taken until its last heartbeat. */
export const elapsedOf = ({ completedAt, heartbeatAt, startedAt }: JobRun): number =>
  Math.max(0, (completedAt ?? heartbeatAt) - startedAt)
