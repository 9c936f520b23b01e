/**
 * What is begun next, over all queues of a process: one for each tenant that is open.
 *
 * Responsibilities: of all jobs that are due in the queues whose jobs somebody wants to be run, the one with the highest priority begins first,
 * and of those the oldest; as many run at once, over all of them, as the most generous of those who want any allows.
 *
 * Queueing: the ledgers are the queues. One fiber looks for the next job whenever something may have changed (a job was queued or has
 * ended, somebody came or went, an instant has come), and every two seconds: a commit may have queued a job. Hard cases: whoever wants certain
 * jobs alone gets those and no others begun. A store that is away makes the others go on, and the dispatcher wait, and never end; so does a defect of a queue, which is logged. A job that
 * another process has taken meanwhile is passed over: its queue is asked again in the next round.
 */
import { Clock, Context, Effect, Layer, Queue, type Scope } from "effect"
import type { JobId } from "../../domain/Job.ts"
import type { UpNext } from "../../services/JobLedger.ts"
import type { JobQueueError } from "../../services/JobQueue.ts"
import { enduring } from "../enduring.ts"

/** A queue, as the dispatcher asks it; `only`: of these jobs, null of all. */
export interface DispatchedQueue {
  readonly upNext: (only: ReadonlyArray<JobId> | null) => Effect.Effect<UpNext | null, JobQueueError>
  /** Begins what is up next; false where there is nothing any more. */
  readonly begin: (only: ReadonlyArray<JobId> | null) => Effect.Effect<boolean, JobQueueError>
  readonly running: () => number
}

export interface Holder {
  /** Null: of every queue. */
  readonly queue: DispatchedQueue | null
  /** Null: all. */
  readonly only: ReadonlyArray<JobId> | null
  readonly concurrency: number
  /** Lets queues join in which there may be something to begin: before each job is chosen. */
  readonly gather?: Effect.Effect<void>
}

export class JobDispatcher extends Context.Service<
  JobDispatcher,
  {
    /** The queue is asked for as long as the scope lives. */
    readonly join: (queue: DispatchedQueue) => Effect.Effect<void, never, Scope.Scope>
    /** Has jobs begun for as long as this runs. */
    readonly hold: (holder: Holder) => Effect.Effect<never>
    /** Something may have changed. */
    readonly look: Effect.Effect<void>
  }
>()("tapestry/JobDispatcher") {}

/** Milliseconds after which the ledgers are looked at although nothing is known to have changed. */
const poll = 2_000
const shortest = 50

interface Candidate {
  readonly queue: DispatchedQueue
  readonly only: ReadonlyArray<JobId> | null
  readonly upNext: UpNext
}

const isBefore = (a: UpNext, b: UpNext): boolean =>
  a.priority === b.priority ? a.seq < b.seq : a.priority > b.priority

const make = Effect.gen(function* () {
  const queues = new Set<DispatchedQueue>()
  const holders = new Set<Holder>()
  const wake = yield* Queue.sliding<null>(1)
  const look = Effect.asVoid(Queue.offer(wake, null))

  const room = () => Math.max(0, ...[...holders].map(({ concurrency }) => concurrency))
  const running = () => [...queues].reduce((sum, queue) => sum + queue.running(), 0)

  /** What is wanted of a queue; undefined: nothing. */
  const wantedOf = (queue: DispatchedQueue): ReadonlyArray<JobId> | null | undefined => {
    const of = [...holders].filter((holder) => holder.queue === null || holder.queue === queue)
    if (of.length === 0) return undefined
    return of.some(({ only }) => only === null) ? null : of.flatMap(({ only }) => only ?? [])
  }

  const candidates = (passed: ReadonlySet<DispatchedQueue>) =>
    Effect.gen(function* () {
      const found: Array<Candidate> = []
      for (const queue of queues) {
        const only = wantedOf(queue)
        if (only === undefined || passed.has(queue)) continue
        const upNext = yield* Effect.catch(queue.upNext(only), (error) =>
          Effect.as(Effect.logWarning(`no job is begun: ${error.message}`), null)
        )
        if (upNext !== null) found.push({ queue, only, upNext })
      }
      return found
    })

  /** Begins what is due, and answers how long nothing else is. */
  const turn = Effect.gen(function* () {
    const passed = new Set<DispatchedQueue>()
    while (running() < room()) {
      for (const { gather } of [...holders]) if (gather !== undefined) yield* gather
      const now = yield* Clock.currentTimeMillis
      const found = yield* candidates(passed)
      const due = found.filter(({ upNext }) => upNext.due <= now)
      const [first, ...others] = due
      if (first === undefined) {
        return found.reduce((least, { upNext }) => Math.min(least, Math.max(shortest, upNext.due - now)), poll)
      }
      const next = others.reduce((best, one) => (isBefore(one.upNext, best.upNext) ? one : best), first)
      const begun = yield* Effect.catch(next.queue.begin(next.only), (error) =>
        Effect.as(Effect.logWarning(`no job is begun: ${error.message}`), false)
      )
      if (!begun) passed.add(next.queue)
    }
    return poll
  })

  const round = Effect.gen(function* () {
    if (holders.size === 0) return yield* Queue.take(wake)
    const wait = yield* turn
    return yield* Effect.raceFirst(Queue.take(wake), Effect.sleep(wait))
  })
  yield* Effect.forkScoped(enduring("the search for jobs that are due", round, poll))

  return JobDispatcher.of({
    look,
    join: (queue) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          queues.add(queue)
          return look
        }),
        () => Effect.sync(() => queues.delete(queue))
      ),
    hold: (holder) =>
      Effect.acquireUseRelease(
        Effect.suspend(() => {
          holders.add(holder)
          return look
        }),
        () => Effect.never,
        () =>
          Effect.suspend(() => {
            holders.delete(holder)
            return look
          })
      )
  })
})

export const layer: Layer.Layer<JobDispatcher> = Layer.effect(JobDispatcher, make)
