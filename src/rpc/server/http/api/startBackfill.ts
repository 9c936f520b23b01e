import { Effect } from "effect"
import { type Backfill, backfillType } from "../../../../domain/Backfill.ts"
import type { JobSpec } from "../../../../domain/Job.ts"
import { type JobQueue, JobQueueError, UnknownJob } from "../../../../services/JobQueue.ts"

/**
 * Queues the backfill of a name, which is the key of its jobs: as it is described, or as it was queued last. One that is queued or running
 * is the same job.
 */
export const startBackfill = Effect.fnUntraced(function* (
  queue: JobQueue["Service"],
  name: string,
  described: Backfill | null
) {
  if (described !== null) {
    const spec: JobSpec = { key: name, type: backfillType, payload: { ...described } }
    return yield* queue.enqueue(spec, { again: true })
  }
  const [last] = yield* queue.list({ key: name, type: backfillType, limit: 1 })
  if (last === undefined) return yield* new JobQueueError({ reason: new UnknownJob({ job: name }) })
  const { key, maxAttempts, payload, priority, schedule, state, type } = last.job
  // One that waits for its schedule is queued, and goes on waiting.
  const own = schedule !== null && state === "queued" ? `${key} now` : key
  return yield* queue.enqueue({ key: own, type, payload, priority, maxAttempts }, { again: true })
})
