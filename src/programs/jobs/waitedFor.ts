/** A job that is waited for: queued, run here or by the owner, and told of while it goes on. */
import { Effect, Ref, Stream } from "effect"
import { isTerminal, type JobSpec } from "../../domain/Job.ts"
import { JobQueue, type JobView } from "../../services/JobQueue.ts"
import { UsageError } from "../failure/UsageError.ts"
import { shortId } from "../format/jobRows.ts"
import { moment } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { withCache } from "../withData.ts"

interface Begun {
  readonly view: JobView
  readonly created: boolean
}

/**
 * The job when it has ended; with `detached` when it is queued. A command whose owner goes away begins again and waits for the job that it
 * has queued, and never for another.
 */
export const waitedFor = Effect.fnUntraced(function* <E, R>(
  spec: JobSpec,
  /** Done before it is queued: what is wrong with it is told as other commands tell it. */
  check: Effect.Effect<void, E, R>,
  { again, detached, label }: { readonly again: boolean; readonly detached: boolean; readonly label: string }
) {
  const { note } = yield* Output
  const begun = yield* Ref.make<Begun | null>(null)
  const told = yield* Ref.make(0)

  const begin = Effect.gen(function* () {
    const queue = yield* JobQueue
    const known = yield* Ref.get(begun)
    if (known !== null) return { ...known, view: yield* queue.get(known.view.job.id) }
    yield* check
    const { created, job } = yield* queue
      .enqueue(spec, { again })
      .pipe(
        Effect.catchReason("JobQueueError", "InvalidJob", ({ message }) => Effect.fail(new UsageError({ message })))
      )
    const fresh: Begun = { created, view: yield* queue.get(job.id) }
    yield* Ref.set(begun, fresh)
    return fresh
  })

  /** Once for each attempt that failed. */
  const tellRetry = Effect.fnUntraced(function* ({ job }: JobView) {
    if (job.state !== "queued" || job.error === null || job.notBefore === null) return
    if ((yield* Ref.get(told)) >= job.attempts) return
    yield* Ref.set(told, job.attempts)
    yield* note(
      `attempt ${job.attempts} of ${job.maxAttempts}: ${job.error}; what is missing is tried again at ${moment(job.notBefore)}`
    )
  })

  return yield* withProgress({ label, units: "requests", things: "rows" }, ({ report }) =>
    withCache(
      Effect.gen(function* () {
        const { created, view } = yield* begin
        if (detached || isTerminal(view.job.state)) return { created, view }
        const queue = yield* JobQueue
        let last = view
        const watching = Stream.runForEach(queue.watch(view.job.id), (now) => {
          last = now
          const progress = now.run?.progress
          const step = { done: progress?.done ?? 0, of: progress?.of ?? 0, count: progress?.rows ?? 0 }
          return Effect.andThen(report(step), tellRetry(now))
        })
        yield* Effect.raceFirst(watching, queue.work({ only: [view.job.id] }))
        return { created: true, view: last }
      })
    )
  ).pipe(
    Effect.onInterrupt(() =>
      Effect.flatMap(Ref.get(begun), (known) =>
        known === null || detached
          ? Effect.void
          : note(
              `interrupted; what was fetched is kept. Job ${shortId(known.view.job.id)} goes on with the same command, with tapestry serve or tapestry jobs work; tapestry jobs cancel ${shortId(known.view.job.id)} ends it`
            )
      )
    )
  )
})
