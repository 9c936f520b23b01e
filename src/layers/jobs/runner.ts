/**
 * What is under way in this process: attempts that were claimed, executed as workflows, and their ends written down.
 *
 * Responsibilities: heartbeats and progress; the end of an attempt, in the ledger first and then in the file of workflows; the recovery of what
 * an earlier process had under way.
 *
 * Queueing: none; the dispatcher asks for one job at a time, and says how many may run.
 *
 * Hard cases: an end that cannot be written down because the store is away is tried until it can, since the attempt is over and only its
 * end is missing; a process that dies before that finds the result in the file, and writes it down then. Whoever wants a job to end is heard at once in
 * this process, and with the next heartbeat from another. Going down, what is under way is put aside last, when nothing of it can run any more.
 */
import { Clock, Deferred, Effect, Fiber, Metric, Schedule, Scope, Semaphore } from "effect"
import {
  elapsedOf,
  type Job,
  type JobConfiguration,
  type JobId,
  type JobProgress,
  nothingDone
} from "../../domain/Job.ts"
import type { Claimed, Ending, JobLedger, UpNext } from "../../services/JobLedger.ts"
import { JobFailure, type JobQueueError, type JobType } from "../../services/JobQueue.ts"
import { jobRunSeconds, jobRuns } from "../../services/Metrics.ts"
import type { Executed, Execution, JobEngine } from "./engine.ts"
import { retryDelay } from "./retryDelay.ts"
import type { WorkflowFile } from "./WorkflowFile.ts"

export interface Runner {
  readonly name: string
  /** How many attempts are under way. */
  readonly running: () => number
  /** What would be begun, of all or of those named. */
  readonly upNext: (only: ReadonlyArray<JobId> | null) => Effect.Effect<UpNext | null, JobQueueError>
  /** Begins the next job that is due, of all or of those named; false where there is none. */
  readonly begin: (only: ReadonlyArray<JobId> | null) => Effect.Effect<boolean, JobQueueError>
  /** Ends a job that is under way here, and waits until it has ended; false where it is not. */
  readonly end: (job: JobId) => Effect.Effect<boolean>
}

interface Attempt {
  readonly claimed: Claimed
  progress: JobProgress
  toldAt: number
  /** Somebody wants it to end. */
  ending: boolean
  readonly over: Deferred.Deferred<void>
}

export interface RunnerOptions {
  readonly ledger: JobLedger["Service"]
  readonly file: WorkflowFile
  /** The types that can be run here. */
  readonly types: () => ReadonlyArray<string>
  readonly typeOf: (type: string) => Effect.Effect<JobType, JobQueueError>
  /** Told whenever an attempt has ended. */
  readonly ended: Effect.Effect<void>
}

const heartbeatEvery = "5 seconds"
/** Milliseconds between two writings of the progress. */
const tellEvery = 250

const loadEngine = Effect.promise(() => import("./engine.ts"))

const unknown: JobConfiguration = { provider: "", mode: "backfill", symbols: [], range: null }

export const makeRunner = Effect.fnUntraced(function* ({ ended, file, ledger, typeOf, types }: RunnerOptions) {
  const scope = yield* Effect.scope
  const name = file.runner
  const attempts = new Map<JobId, Attempt>()
  const begun = new Map<string, Deferred.Deferred<Attempt>>()
  const closing = yield* Deferred.make<void>()

  // Runs last: what is made below is closed before.
  yield* Effect.addFinalizer(() => Effect.ignore(ledger.suspend(name)))

  const gateOf = ({ attempt, job }: Execution): Deferred.Deferred<Attempt> => {
    const key = `${job}-${attempt}`
    const known = begun.get(key)
    if (known !== undefined) return known
    const made = Deferred.makeUnsafe<Attempt>()
    begun.set(key, made)
    return made
  }

  const tell = (attempt: Attempt) =>
    Effect.gen(function* () {
      attempt.toldAt = yield* Clock.currentTimeMillis
      const { claimed, progress } = attempt
      return yield* ledger.beat(claimed.job.id, claimed.attempt, progress)
    }).pipe(Effect.catch((error) => Effect.as(Effect.logDebug(`no heartbeat: ${error.message}`), false)))

  const loading = yield* Semaphore.make(1)
  let made: JobEngine | null = null
  const engineOf = loading.withPermit(
    Effect.gen(function* () {
      if (made !== null) return made
      const { makeEngine } = yield* loadEngine
      const engine = yield* makeEngine(file, {
        begun: (execution) => Effect.asVoid(Deferred.await(gateOf(execution))),
        closing,
        body: Effect.fnUntraced(function* (execution, step) {
          const attempt = yield* Deferred.await(gateOf(execution))
          const { job } = attempt.claimed
          const type = yield* Effect.mapError(
            typeOf(job.type),
            ({ message }) => new JobFailure({ message, passing: false })
          )
          return yield* type.run({
            job,
            attempt: execution.attempt,
            step,
            progress: (progress) =>
              Effect.gen(function* () {
                attempt.progress = progress
                if ((yield* Clock.currentTimeMillis) - attempt.toldAt >= tellEvery) yield* tell(attempt)
              })
          })
        })
      }).pipe(Scope.provide(scope))
      // Before the engine itself closes.
      yield* Scope.addFinalizer(scope, Deferred.succeed(closing, undefined))
      yield* forgetOver(engine)
      made = engine
      return engine
    })
  )

  /** What is kept of attempts that are over: whoever wrote their ends down died before it was removed. */
  const forgetOver = Effect.fnUntraced(function* (engine: JobEngine) {
    const kept = yield* engine.kept
    const alive = new Set(yield* ledger.alive([...new Set(kept.map(({ job }) => job))]))
    yield* Effect.forEach(
      kept.filter(({ job }) => !alive.has(job)),
      engine.forget,
      { discard: true }
    )
  })

  const endingOf = Effect.fnUntraced(function* (executed: Executed, { claimed, ending, progress }: Attempt) {
    const soFar = { ...nothingDone, rows: progress.rows, requests: progress.requests }
    const at = yield* Clock.currentTimeMillis
    if (executed._tag === "ended") {
      const { failure, outcome } = executed.ending
      if (failure === undefined) return { _tag: "done", outcome } satisfies Ending
      const delay = yield* retryDelay(claimed.attempt, failure.retryAfter)
      return {
        _tag: "failed",
        outcome: outcome === nothingDone ? soFar : outcome,
        error: failure.message,
        retryAt: failure.passing ? at + delay : null
      } satisfies Ending
    }
    if (executed._tag === "interrupted" && ending) return { _tag: "cancelled", outcome: soFar } satisfies Ending
    const error =
      executed._tag === "interrupted" ? "it was interrupted" : `a mistake of Tapestry's own: ${executed.message}`
    if (executed._tag === "broken") yield* Effect.logError(`job ${claimed.job.id}: ${error}`)
    const retryAt = executed._tag === "interrupted" ? at + (yield* retryDelay(claimed.attempt)) : null
    return { _tag: "failed", outcome: soFar, error, retryAt } satisfies Ending
  })

  const count = Effect.fnUntraced(
    function* (job: JobId, attempt: number) {
      const run = (yield* ledger.runs(job)).find((one) => one.attempt === attempt)
      if (run === undefined) return
      const status = run.status
      if (status !== "success" && status !== "failure" && status !== "cancelled") return
      const { job: found } = yield* ledger.get(job)
      yield* Metric.update(jobRuns(found.type, run.provider, run.mode, status), 1)
      yield* Metric.update(jobRunSeconds(found.type, run.provider, run.mode), elapsedOf(run) / 1_000)
    },
    (counting) => Effect.ignore(counting)
  )

  const run = Effect.fnUntraced(function* (engine: JobEngine, attempt: Attempt) {
    const { claimed } = attempt
    const execution: Execution = { job: claimed.job.id, attempt: claimed.attempt }
    const beating = Effect.forever(
      Effect.gen(function* () {
        yield* Effect.sleep(heartbeatEvery)
        if (!(yield* tell(attempt)) || attempt.ending) return
        attempt.ending = true
        yield* engine.interrupt(execution)
      })
    )
    const heart = yield* Effect.forkChild(beating)
    const executed = yield* engine.execute(execution)
    yield* Fiber.interrupt(heart)
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        // How far it was in the end.
        yield* tell(attempt)
        const ending = yield* endingOf(executed, attempt)
        yield* Effect.interruptible(
          ledger.finish(execution.job, execution.attempt, ending).pipe(
            Effect.tapError((error) =>
              Effect.logWarning(`the end of job ${execution.job} is not written yet: ${error.message}`)
            ),
            Effect.retry(Schedule.spaced("2 seconds"))
          )
        )
        yield* engine.forget(execution)
        begun.delete(`${execution.job}-${execution.attempt}`)
        yield* count(execution.job, execution.attempt)
      })
    )
  })

  const read = (job: Job) =>
    typeOf(job.type).pipe(
      Effect.flatMap((type) => type.read(job.payload)),
      Effect.orElseSucceed(() => unknown)
    )

  // What an earlier process left: put aside, to be begun again by its turn.
  yield* ledger.suspend(name)

  const runner: Runner = {
    name,
    running: () => attempts.size,
    upNext: (only) =>
      Effect.suspend(() =>
        Deferred.isDoneUnsafe(closing) ? Effect.succeed(null) : ledger.upNext({ runner: name, only, types: types() })
      ),
    begin: Effect.fnUntraced(function* (only) {
      if (Deferred.isDoneUnsafe(closing)) return false
      const engine = yield* engineOf
      return yield* Effect.uninterruptible(
        Effect.gen(function* () {
          const claimed = yield* ledger.claim({ runner: name, only, types: types() }, read)
          if (claimed === null) return false
          const attempt: Attempt = {
            claimed,
            progress: { done: 0, of: 0, rows: 0, requests: 0 },
            toldAt: 0,
            ending: false,
            over: Deferred.makeUnsafe<void>()
          }
          attempts.set(claimed.job.id, attempt)
          yield* Deferred.succeed(gateOf({ job: claimed.job.id, attempt: claimed.attempt }), attempt)
          yield* Effect.interruptible(run(engine, attempt)).pipe(
            Effect.ensuring(
              Effect.suspend(() => {
                attempts.delete(claimed.job.id)
                Deferred.doneUnsafe(attempt.over, Effect.void)
                return ended
              })
            ),
            Effect.forkIn(scope)
          )
          return true
        })
      )
    }),
    end: Effect.fnUntraced(function* (job) {
      const attempt = attempts.get(job)
      if (attempt === undefined || made === null) return false
      if (!attempt.ending) {
        attempt.ending = true
        yield* made.interrupt({ job, attempt: attempt.claimed.attempt })
      }
      yield* Deferred.await(attempt.over)
      return true
    })
  }
  return runner
})
