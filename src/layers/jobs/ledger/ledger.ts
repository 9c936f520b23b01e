/**
 * The ledger of jobs over a store.
 *
 * Responsibilities: each method is one transaction, or one statement that changes nothing. Queueing: that of the store. Hard cases: two who
 * enqueue one key at once are told of the same job, which the partial unique index decides; what has ended is refused by a
 * trigger of the database, too, so that no mistake of a program changes it.
 */
import { Clock, Effect } from "effect"
import { isTerminal, type Job, type JobSpec } from "../../../domain/Job.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { JobLedger } from "../../../services/JobLedger.ts"
import { type Enqueued, JobFinished, JobQueueError, JobUnfinished, UnknownJob } from "../../../services/JobQueue.ts"
import { fingerprint } from "../fingerprint.ts"
import { nextInstant } from "../schedule.ts"
import { beat, claim, suspend, upNext } from "./claim.ts"
import { draft, enqueueWithin } from "./enqueue.ts"
import { finish, selectJob } from "./finish.ts"
import { int, type JobSql, text } from "./JobSql.ts"
import { toJob } from "./jobRows.ts"
import { aliveOf, find, list, removeEnded, runsOf, silentSince } from "./look.ts"

const specOf = ({ key, maxAttempts, payload, priority, schedule, type }: Job): JobSpec => ({
  key,
  type,
  payload,
  priority,
  maxAttempts,
  ...(schedule === null ? {} : { schedule })
})

export const make = <F>(sql: JobSql<F>): JobLedger["Service"] => {
  const { tables } = sql
  const failed = Effect.mapError((error: F | JobQueueError) => sql.asError(error))
  const now = Clock.currentTimeMillis

  const drafted = Effect.fnUntraced(function* (spec: JobSpec, at: EpochMillis) {
    const first =
      spec.schedule === undefined ? null : yield* nextInstant(spec.schedule, Math.max(at, spec.notBefore ?? at) - 1)
    return yield* draft(spec, at, first ?? spec.notBefore ?? null)
  })

  const enqueue: JobLedger["Service"]["enqueue"] = Effect.fn("JobLedger.enqueue")(function* (
    spec,
    { again = false, at } = {}
  ) {
    const job = yield* drafted(spec, at ?? (yield* now))
    return yield* sql.write("enqueue", (run) => enqueueWithin(run, tables, job, again)).pipe(failed)
  })

  return JobLedger.of({
    exclusive: sql.exclusive,
    enqueue,
    get: Effect.fn("JobLedger.get")((job) => failed(find(sql.read("job"), tables, job))),
    runs: Effect.fn("JobLedger.runs")((job) => failed(runsOf(sql.read("runs of a job"), tables, job))),
    list: Effect.fn("JobLedger.list")((filter = {}) => failed(list(sql.read("jobs"), tables, filter))),

    cancel: Effect.fn("JobLedger.cancel")(function* (wanted) {
      const at = yield* now
      return yield* sql
        .write("cancel", (run) =>
          Effect.gen(function* () {
            const { job } = yield* find(run, tables, wanted)
            if (isTerminal(job.state)) {
              return yield* new JobQueueError({ reason: new JobFinished({ job: job.id, state: job.state }) })
            }
            if (job.state === "running") {
              yield* run(`update ${tables.jobs} set cancelling = 1 where id = $1`, [text(job.id)])
            } else {
              yield* run(
                `update ${tables.runs} set status = 'cancelled', completed_at = $2 where job = $1 and status = 'suspended'`,
                [text(job.id), int(at)]
              )
              yield* run(`update ${tables.jobs} set state = 'cancelled', finished_at = $2 where id = $1`, [
                text(job.id),
                int(at)
              ])
            }
            return (yield* run(selectJob(tables), [text(job.id)])).map(toJob)[0] ?? job
          })
        )
        .pipe(failed)
    }),

    retry: Effect.fn("JobLedger.retry")(function* (wanted) {
      const at = yield* now
      const { job } = yield* failed(find(sql.read("job"), tables, wanted))
      if (!isTerminal(job.state)) {
        return yield* new JobQueueError({ reason: new JobUnfinished({ job: job.id, state: job.state }) })
      }
      // At once, also where a schedule would have it wait.
      const next = yield* draft(specOf(job), at, null)
      return yield* sql
        .write("retry", (run): Effect.Effect<Enqueued, F> => enqueueWithin(run, tables, next, true))
        .pipe(failed)
    }),

    stuck: Effect.fn("JobLedger.stuck")(function* (silentMillis) {
      return yield* failed(silentSince(sql.read("stuck jobs"), tables, (yield* now) - silentMillis))
    }),
    cleanup: Effect.fn("JobLedger.cleanup")((before, { except = [] } = {}) =>
      failed(sql.write("clean up jobs", (run) => removeEnded(run, tables, before, except)))
    ),

    suspend: Effect.fn("JobLedger.suspend")(function* (runner) {
      const at = yield* now
      const whose = sql.exclusive ? null : runner
      return yield* failed(sql.write("suspend jobs", (run) => suspend(run, tables, whose, at)))
    }),
    claim: Effect.fn("JobLedger.claim")(function* (options, read) {
      const at = yield* now
      return yield* failed(sql.write("claim a job", (run) => claim(run, tables, options, read, fingerprint, at)))
    }),
    upNext: Effect.fn("JobLedger.upNext")(function* (options) {
      return yield* failed(upNext(sql.read("next job"), tables, options, yield* now))
    }),
    beat: Effect.fn("JobLedger.beat")(function* (job, attempt, progress) {
      const at = yield* now
      return yield* failed(sql.write("heartbeat", (run) => beat(run, tables, job, attempt, progress, at)))
    }),
    finish: Effect.fn("JobLedger.finish")(function* (id, attempt, ending) {
      const at = yield* now
      const { job } = yield* failed(find(sql.read("job"), tables, id))
      const { schedule } = job
      // A zone that is no longer known ends the schedule, and must not keep the attempt from ending.
      const again =
        schedule === null
          ? null
          : yield* Effect.catch(nextInstant(schedule, at), (error) =>
              Effect.as(Effect.logWarning(`job ${id} is not begun again: ${error.message}`), null)
            )
      const next = again === null ? null : yield* draft(specOf(job), at, again)
      const ended = yield* failed(sql.write("end a job", (run) => finish(run, tables, id, attempt, ending, next, at)))
      return ended ?? (yield* new JobQueueError({ reason: new UnknownJob({ job: id }) }))
    }),
    alive: Effect.fn("JobLedger.alive")((jobs) => failed(aliveOf(sql.read("jobs"), tables, jobs)))
  })
}
