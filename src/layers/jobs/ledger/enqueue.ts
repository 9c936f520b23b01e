/** How a job comes to be, in a transaction of whoever wants it. */
import { Effect, Result } from "effect"
import { canonicalJson } from "../../../domain/CanonicalJson.ts"
import { isTerminal, type Job, type JobSpec } from "../../../domain/Job.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { InvalidJob, JobQueueError } from "../../../services/JobQueue.ts"
import { int, type JobTables, type Run, text } from "./JobSql.ts"
import { jobColumns, priorityCode, toJob } from "./jobRows.ts"

/** A job that can be written: its first instant is known, also where a schedule says it. */
export interface Drafted {
  readonly spec: JobSpec
  readonly payload: string
  readonly notBefore: EpochMillis | null
  readonly at: EpochMillis
}

const defaultAttempts = 5

export const draft = Effect.fnUntraced(function* (
  spec: JobSpec,
  at: EpochMillis,
  notBefore: EpochMillis | null
): Effect.fn.Return<Drafted, JobQueueError> {
  const payload = canonicalJson(spec.payload)
  if (Result.isFailure(payload)) {
    return yield* new JobQueueError({ reason: new InvalidJob({ message: `the payload: ${payload.failure}` }) })
  }
  return { spec, payload: payload.success, notBefore, at }
})

const selectNewest = ({ jobs }: JobTables) =>
  `select ${jobColumns} from ${jobs} j where j.tenant = $1 and j.key = $2 order by j.seq desc limit 1`

const insertJob = ({ jobs }: JobTables) => `insert into ${jobs} as j
  (id, tenant, key, type, payload, priority, not_before, cron, zone, state, attempts, max_attempts, cancelling, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 0, $10, 0, $11)
  on conflict do nothing returning ${jobColumns.replaceAll("j.", "")}`

/** Queues the job unless one of its key is there; without `again`, one that has ended counts, too. */
export const enqueueWithin = <F>(
  run: Run<F>,
  tables: JobTables,
  { at, notBefore, payload, spec }: Drafted,
  again: boolean
): Effect.Effect<{ readonly job: Job; readonly created: boolean }, F> =>
  Effect.gen(function* () {
    const newest = (yield* run(selectNewest(tables), [tables.tenant, text(spec.key)])).map(toJob)[0]
    if (newest !== undefined && (!again || !isTerminal(newest.state))) return { job: newest, created: false }
    const inserted = yield* run(insertJob(tables), [
      text(globalThis.crypto.randomUUID()),
      tables.tenant,
      text(spec.key),
      text(spec.type),
      text(payload),
      int(priorityCode(spec.priority)),
      int(notBefore),
      text(spec.schedule?.cron ?? null),
      text(spec.schedule?.zone ?? null),
      int(spec.maxAttempts ?? defaultAttempts),
      int(at)
    ])
    const job = inserted.map(toJob)[0]
    if (job !== undefined) return { job, created: true }
    // Somebody else was faster; theirs is seen now that they have committed.
    return yield* Effect.suspend(() => enqueueWithin(run, tables, { at, notBefore, payload, spec }, again))
  })

export type FollowingJob = Omit<JobSpec, "schedule">

/** What follows from a transaction, queued in it. */
export const queueWithin = <F>(
  run: Run<F>,
  tables: JobTables,
  jobs: ReadonlyArray<FollowingJob>,
  at: EpochMillis
): Effect.Effect<void, F> =>
  Effect.forEach(
    jobs,
    (spec) => {
      const payload = Result.getOrElse(canonicalJson(spec.payload), () => JSON.stringify(spec.payload))
      return enqueueWithin(run, tables, { spec, payload, notBefore: spec.notBefore ?? null, at }, true)
    },
    { discard: true }
  )
