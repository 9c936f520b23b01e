/**
 * Jobs over a ledger, run where somebody wants them to be run.
 *
 * Responsibilities: what types of jobs there are; what the ledger is asked; beginning them when it is their turn, which the dispatcher says
 * (JobDispatcher.ts), and only in a process that owns its data directory.
 *
 * Queueing: the ledger is the queue. Hard cases: a process that dies leaves its jobs running in the ledger: who
 * runs jobs next puts them aside first, and they are begun again by their priority like any other, each going on in the attempt that it was in.
 * Nothing of effect's workflows is loaded before a job is due.
 */
import { Clock, Effect, Layer, Schedule, Scope, Semaphore, Stream } from "effect"
import { isTerminal } from "../../domain/Job.ts"
import { JobLedger } from "../../services/JobLedger.ts"
import {
  InvalidJob,
  JobQueue,
  JobQueueError,
  type JobType,
  type JobView,
  UnknownJobType
} from "../../services/JobQueue.ts"
import { MarketStoreError, StoreReadOnly } from "../../services/MarketStore.ts"
import { type DispatchedQueue, layer as dispatcher, JobDispatcher } from "./JobDispatcher.ts"
import { makeRunner, type Runner } from "./runner.ts"
import { openWorkflowFile } from "./WorkflowFile.ts"

export interface JobQueueOptions {
  /** Path of workflows.sqlite; null in a process that runs no jobs. */
  readonly workflows: string | null
}

const defaultConcurrency = 2
/** Milliseconds between two looks for jobs that nobody can do, and how many are looked at. */
const unknownEvery = 60_000
const unknownLooked = 1_000

const watchEvery = "200 millis"

const readOnly = new JobQueueError({
  reason: new MarketStoreError({
    reason: new StoreReadOnly({
      message: "jobs are run by the process that owns the data directory; this one only reads"
    })
  })
})

/** Whoever may queue anything may not thereby migrate the store, or have rows dropped. */
const notForAll = (name: string, what: string) => {
  const message = `jobs of the type ${name} change the whole deployment: ${what} takes the admin token (authorization: Bearer TOKEN), or the Unix socket of the server`
  return new JobQueueError({ reason: new InvalidJob({ message }) })
}

const asText = ({ job, run }: JobView): string => JSON.stringify([job, run])

const make = Effect.fnUntraced(function* ({ workflows }: JobQueueOptions) {
  const ledger = yield* JobLedger
  const { hold, join, look } = yield* JobDispatcher
  const scope = yield* Effect.scope
  const types = new Map<string, JobType>()

  const names = () => [...types.keys()].sort()
  const typeOf = (type: string): Effect.Effect<JobType, JobQueueError> =>
    Effect.suspend(() => {
      const found = types.get(type)
      return found === undefined
        ? Effect.fail(new JobQueueError({ reason: new UnknownJobType({ type, known: names() }) }))
        : Effect.succeed(found)
    })

  const opening = yield* Semaphore.make(1)
  let runner: Runner | null = null
  const runnerOf = opening.withPermit(
    Effect.gen(function* () {
      if (workflows === null) return yield* readOnly
      if (runner !== null) return runner
      const file = yield* openWorkflowFile(workflows)
      runner = yield* makeRunner({ ledger, file, typeOf, types: names, ended: look })
      return runner
    }).pipe(Scope.provide(scope))
  )

  const warned = new Set<string>()
  let warnedAt = Number.NEGATIVE_INFINITY
  /** Says of each type once that jobs of it wait which nobody here can do. */
  const tellUnknown = Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    if (at - warnedAt < unknownEvery) return
    warnedAt = at
    for (const { job } of yield* ledger.list({ states: ["queued"], limit: unknownLooked })) {
      if (types.has(job.type) || warned.has(job.type)) continue
      warned.add(job.type)
      yield* Effect.logWarning(
        `jobs of the type ${job.type} wait, and nobody here can do them (${names().join(", ")}): they stay queued until a program runs that can, or they are cancelled`
      )
    }
  })

  const dispatched: DispatchedQueue = {
    upNext: (only) => Effect.flatMap(runnerOf, (runner) => Effect.andThen(tellUnknown, runner.upNext(only))),
    begin: (only) => Effect.flatMap(runnerOf, (runner) => runner.begin(only)),
    running: () => runner?.running() ?? 0
  }
  if (workflows !== null) yield* join(dispatched)

  const enqueue: JobQueue["Service"]["enqueue"] = Effect.fn("JobQueue.enqueue")(function* (
    spec,
    { asAdmin, ...options } = {}
  ) {
    const type = yield* typeOf(spec.type)
    if (type.adminOnly && asAdmin !== true) return yield* notForAll(type.name, "Admin.start begins them, which")
    yield* Effect.mapError(type.read(spec.payload), (reason) => new JobQueueError({ reason }))
    const enqueued = yield* ledger.enqueue(spec, options)
    yield* look
    return enqueued
  })

  /** Fails where the job is for admins, and this is none. */
  const permitted = Effect.fnUntraced(function* (wanted: string, asAdmin: true | undefined, what: string) {
    if (asAdmin === true) return
    const { type } = (yield* ledger.get(wanted)).job
    if (types.get(type)?.adminOnly === true) return yield* notForAll(type, what)
  })

  const known = (view: JobView): JobView =>
    view.job.state !== "queued" || types.has(view.job.type) ? view : { ...view, unknownType: true }

  const cancel: JobQueue["Service"]["cancel"] = Effect.fn("JobQueue.cancel")(function* (wanted, { asAdmin } = {}) {
    yield* permitted(wanted, asAdmin, "to cancel one")
    const job = yield* ledger.cancel(wanted)
    if (isTerminal(job.state)) return job
    if (runner !== null && (yield* runner.end(job.id))) return (yield* ledger.get(job.id)).job
    // Nobody else can have it under way: whoever had it is gone.
    if (ledger.exclusive && workflows !== null && runner === null) {
      yield* ledger.suspend("")
      return (yield* ledger.get(job.id)).job
    }
    return job
  })

  return JobQueue.of({
    register: (type) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          types.set(type.name, type)
          return look
        }),
        () => Effect.sync(() => types.get(type.name) === type && types.delete(type.name))
      ),
    enqueue,
    get: (job) => Effect.map(ledger.get(job), known),
    runs: ledger.runs,
    list: (filter) => Effect.map(ledger.list(filter), (views) => views.map(known)),
    cancel,
    retry: Effect.fn("JobQueue.retry")(function* (wanted, { asAdmin } = {}) {
      yield* permitted(wanted, asAdmin, "to begin one anew")
      const retried = yield* ledger.retry(wanted)
      yield* look
      return retried
    }),
    stuck: ledger.stuck,
    cleanup: (before, { asAdmin } = {}) =>
      ledger.cleanup(before, {
        except: asAdmin === true ? [] : [...types.values()].flatMap((type) => (type.adminOnly ? [type.name] : []))
      }),
    watch: (job) =>
      Stream.fromEffectSchedule(Effect.map(ledger.get(job), known), Schedule.spaced(watchEvery)).pipe(
        Stream.changesWith((a, b) => asText(a) === asText(b)),
        Stream.takeUntil(({ job }) => isTerminal(job.state))
      ),
    work: Effect.fn("JobQueue.work")(function* ({ concurrency = defaultConcurrency, only: wanted } = {}) {
      if (workflows === null) return yield* readOnly
      // What cannot be opened is said to whoever wants it, and not only to the log.
      yield* runnerOf
      return yield* hold({ queue: dispatched, only: wanted ?? null, concurrency })
    })
  })
})

/** One of several queues that share a dispatcher. */
export const layerOf = (options: JobQueueOptions): Layer.Layer<JobQueue, never, JobLedger | JobDispatcher> =>
  Layer.effect(JobQueue, make(options))

/** The only queue of a process. */
export const layer = (options: JobQueueOptions): Layer.Layer<JobQueue, never, JobLedger> =>
  Layer.provide(layerOf(options), Layer.fresh(dispatcher))
