import { Effect, Result } from "effect"
import type { JobSchedule } from "../../domain/Job.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { InvalidJob, JobQueueError } from "../../services/JobQueue.ts"

const invalid = (message: string) => new JobQueueError({ reason: new InvalidJob({ message }) })

/** Loaded for those who have schedules. */
const loadCron = Effect.promise(() => import("effect/Cron"))

/**
 * The first instant after another at which a schedule says so. Where clocks are put forward, what falls into the hour that is not there
 * is done after it; where they are put back, the first of the two hours counts.
 */
export const nextInstant = Effect.fnUntraced(function* (
  { cron, zone = "UTC" }: JobSchedule,
  after: EpochMillis
): Effect.fn.Return<EpochMillis, JobQueueError> {
  const Cron = yield* loadCron
  const parsed = Cron.parse(cron, zone)
  if (Result.isFailure(parsed)) {
    return yield* invalid(
      `the schedule ${JSON.stringify(cron)} (${zone}): ${parsed.failure.message}; expected minute, hour, day of month, month, day of week, such as "30 6 * * 1-5", and a zone such as America/New_York`
    )
  }
  return yield* Effect.try({
    try: () => Cron.next(parsed.success, new Date(after)).getTime(),
    catch: () => invalid(`the schedule ${JSON.stringify(cron)} never comes`)
  })
})
