import { Data, Effect } from "effect"
import type { JobView } from "../../services/JobQueue.ts"
import { Ended } from "../failure/Ended.ts"
import { shortId } from "../format/jobRows.ts"

/** A job that was waited for has had nothing, or was cancelled. */
export class JobEnded extends Data.TaggedError("JobEnded")<{ readonly message: string }> {}

/** As `bars` ends: 0 where all is had, 3 where a part is not, 1 where nothing is. */
export const concluded = Effect.fnUntraced(function* ({ job, run }: JobView): Effect.fn.Return<void, JobEnded | Ended> {
  const outcome = run?.outcome ?? null
  if (job.state === "cancelled") {
    return yield* new JobEnded({ message: `job ${shortId(job.id)} was cancelled; what it had by then is kept` })
  }
  if (outcome === null || (job.state !== "completed" && outcome.rowsStored === 0)) {
    return yield* new JobEnded({
      message: `job ${shortId(job.id)} has ${job.state === "deadletter" ? "failed in every attempt that it may have" : "failed"}: ${job.error ?? "it had nothing"}`
    })
  }
  if (job.state !== "completed" || outcome.holeCount > 0 || outcome.rowsFailed > 0) return yield* new Ended({ code: 3 })
})
