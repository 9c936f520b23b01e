import { Effect } from "effect"
import { isTerminal } from "../../domain/Job.ts"
import type { Enqueued } from "../../services/JobQueue.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { jobDocument, shortId } from "../format/jobRows.ts"
import { moment } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"

/** Says what became of the wish to have a job queued. */
export const tellQueued = Effect.fnUntraced(function* ({ created, job }: Enqueued) {
  const { line, note } = yield* Output
  if (yield* Json) return yield* line(JSON.stringify({ job: jobDocument(job), created }))
  yield* line(job.id)
  const id = shortId(job.id)
  if (!created) {
    return yield* note(
      isTerminal(job.state)
        ? `a job of this key has ended (${job.state}); --again begins another`
        : `a job of this key is ${job.state} already`
    )
  }
  const when = job.notBefore === null ? "" : `, not before ${moment(job.notBefore)}`
  yield* note(
    `queued${when}; tapestry serve and tapestry jobs work run jobs, tapestry jobs show ${id} tells of this one`
  )
})
