/** How attempts and jobs end. */
import { Effect } from "effect"
import { isTerminal, type Job, type JobId } from "../../../domain/Job.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { Ending } from "../../../services/JobLedger.ts"
import { type Drafted, enqueueWithin } from "./enqueue.ts"
import { int, type JobTables, type Run, text } from "./JobSql.ts"
import { jobColumns, toJob } from "./jobRows.ts"

export const selectJob = ({ jobs }: JobTables) => `select ${jobColumns} from ${jobs} j where j.id = $1`

const updateRun = ({
  runs
}: JobTables) => `update ${runs} set status = $3, completed_at = $4, heartbeat_at = $4, outcome = $5,
  rows_written = $6, rows_failed = $7, requests = $8, error_message = $9
  where job = $1 and attempt = $2 and status in ('running', 'suspended')`

const updateJob = ({ jobs }: JobTables) =>
  `update ${jobs} set state = $2, not_before = $3, finished_at = $4, error = $5, runner = null, cancelling = 0 where id = $1`

const stateOf = (ending: Ending): Job["state"] =>
  ending._tag === "done"
    ? "completed"
    : ending._tag === "cancelled"
      ? "cancelled"
      : ending.retryAt === null
        ? "failed"
        : "queued"

/**
 * Ends an attempt. A job that could be tried again and has had all its attempts is a dead letter. Of a job with a schedule the next is
 * queued here, unless it was cancelled.
 */
export const finish = <F>(
  run: Run<F>,
  tables: JobTables,
  job: JobId,
  attempt: number,
  ending: Ending,
  next: Drafted | null,
  now: EpochMillis
): Effect.Effect<Job | null, F> =>
  Effect.gen(function* () {
    const [before] = (yield* run(selectJob(tables), [text(job)])).map(toJob)
    if (before === undefined || isTerminal(before.state) || before.attempts !== attempt) return before ?? null
    const error = ending._tag === "failed" ? ending.error : null
    const { outcome } = ending
    yield* run(updateRun(tables), [
      text(job),
      int(attempt),
      text(ending._tag === "done" ? "success" : ending._tag === "cancelled" ? "cancelled" : "failure"),
      int(now),
      text(JSON.stringify(outcome)),
      int(outcome.rows),
      int(outcome.rowsFailed),
      int(outcome.requests),
      text(error)
    ])
    const wanted = stateOf(ending)
    const state =
      wanted !== "queued"
        ? wanted
        : before.cancelling
          ? "cancelled"
          : attempt >= before.maxAttempts
            ? "deadletter"
            : wanted
    yield* run(updateJob(tables), [
      text(job),
      text(state),
      int(state === "queued" && ending._tag === "failed" ? ending.retryAt : null),
      int(isTerminal(state) ? now : null),
      text(error)
    ])
    if (next !== null && isTerminal(state) && state !== "cancelled") yield* enqueueWithin(run, tables, next, true)
    return (yield* run(selectJob(tables), [text(job)])).map(toJob)[0] ?? null
  })
