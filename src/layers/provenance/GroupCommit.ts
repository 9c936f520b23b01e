/**
 * The archive's writer: concurrent writes share one transaction and so one fsync.
 *
 * Responsibilities: every change of provenance.sqlite passes here, in the order of arrival; each caller is told after COMMIT,
 * never before. Queueing: a bounded queue that suspends its producers, read by one fiber which takes what it finds (at most
 * `groupLimit` jobs, so that a group of 64 KiB payloads stays within a few milliseconds of the event loop) and commits it. A
 * caller who is alone is committed at once: nothing waits for company.
 *
 * Durability: a group with a `durable` job is on the disk before its callers are told. It is committed with synchronous=FULL; or, given
 * a LogSync, with NORMAL, and synced after that on a thread of the pool, while others go on and gather the next group. One without any (the
 * start and end of calls, cache hits) is in the log file before its callers are told, so it survives SIGKILL, but it reaches
 * the disk with the next sync, so a loss of power may take it. The order of the log is the order of arrival: a response on
 * disk never lacks its request.
 *
 * Hard cases: a job that fails (a full disk, a broken reference) rolls its group back; the jobs are then committed one by
 * one, so that each gets its own verdict and those that still fit are kept. A caller interrupted while it waits has its job
 * done all the same. When the scope closes, what is queued is written first. Between COMMIT and the end of its sync a group is
 * seen by whoever reads, and could be lost: `settled` waits until there is none such, so that nothing is made of an answer that is
 * not on the disk. A sync that fails says so to its group, and from then on no durable job is taken and nothing is settled: the
 * system may have dropped the pages, so that a later sync that succeeds proves nothing of them.
 */
import { type Cause, Deferred, Effect, Exit, Fiber, Queue, type Scope } from "effect"
import type { LogSync } from "../sqlite/LogSync.ts"
import { type SqliteDatabase, SqliteFailure, type SyncDatabase } from "../sqlite/SqliteDatabase.ts"

export interface GroupCommit {
  /** Runs a synchronous change in the next group; returns after its COMMIT. */
  readonly submit: <A>(durability: Durability, change: (db: SyncDatabase) => A) => Effect.Effect<A, SqliteFailure>
  /** Done when all that is committed, and was to be durable, is; fails for good when it cannot become so. */
  readonly settled: Effect.Effect<void, SqliteFailure>
}

export type Durability = "durable" | "relaxed"

interface Job {
  readonly durability: Durability
  /** Runs the change and returns what tells the caller; it may run again if its group was rolled back. */
  readonly run: (db: SyncDatabase) => () => void
  readonly fail: (failure: SqliteFailure) => void
}

const queueCapacity = 1024
const groupLimit = 64

const closed = (filename: string) =>
  new SqliteFailure({
    filename,
    operation: "write",
    code: "SQLITE_MISUSE",
    message: `write on ${filename}: the archive is closed`
  })

export const make: (
  database: SqliteDatabase,
  beside?: LogSync | null
) => Effect.Effect<GroupCommit, never, Scope.Scope> = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  beside: LogSync | null = null
) {
  const queue = yield* Queue.bounded<Job, Cause.Done>(queueCapacity)
  /** Of the group that is committed and not yet synced. */
  let syncing: Deferred.Deferred<void> | null = null
  let broken: SqliteFailure | null = null

  const settled: GroupCommit["settled"] = Effect.suspend(() => {
    if (broken !== null) return Effect.fail(broken)
    return syncing === null ? Effect.void : Effect.flatMap(Deferred.await(syncing), () => settled)
  })

  /** Readers that have waited read before the next group is committed, or they might wait for ever. */
  const synced = (sync: LogSync): Effect.Effect<void, SqliteFailure> =>
    Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void>()
      syncing = done
      return sync.pipe(
        Effect.tapError((failure) =>
          Effect.sync(() => {
            broken = failure
          })
        ),
        Effect.ensuring(
          Effect.suspend(() => {
            syncing = null
            Deferred.doneUnsafe(done, Exit.void)
            return Effect.yieldNow
          })
        )
      )
    })

  const failed = (jobs: ReadonlyArray<Job>, failure: SqliteFailure) =>
    Effect.sync(() => {
      for (const job of jobs) job.fail(failure)
    })

  const commit = (jobs: ReadonlyArray<Job>): Effect.Effect<void> => {
    const durable = jobs.some((job) => job.durability === "durable")
    if (durable && broken !== null) return refused(jobs, broken)
    const level = durable && beside === null ? "FULL" : "NORMAL"
    return Effect.matchEffect(
      database.write("commit", (db) => jobs.map((job) => job.run(db)), level),
      {
        onSuccess: (acknowledgements) =>
          Effect.matchEffect(durable && beside !== null ? synced(beside) : Effect.void, {
            onSuccess: () =>
              Effect.sync(() => {
                for (const acknowledge of acknowledgements) acknowledge()
              }),
            onFailure: (failure) => failed(jobs, failure)
          }),
        onFailure: (failure) =>
          jobs.length === 1 ? failed(jobs, failure) : Effect.forEach(jobs, (job) => commit([job]), { discard: true })
      }
    )
  }

  const refused = (jobs: ReadonlyArray<Job>, failure: SqliteFailure): Effect.Effect<void> => {
    const relaxed = jobs.filter((job) => job.durability === "relaxed")
    const durable = jobs.filter((job) => job.durability === "durable")
    return Effect.andThen(failed(durable, failure), relaxed.length === 0 ? Effect.void : commit(relaxed))
  }

  const writer = yield* Queue.takeBetween(queue, 1, groupLimit).pipe(
    Effect.flatMap(commit),
    Effect.forever,
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(writer)))

  const submit: GroupCommit["submit"] = (durability, change) =>
    Effect.suspend(() => {
      const done = Deferred.makeUnsafe<ReturnType<typeof change>, SqliteFailure>()
      const job: Job = {
        durability,
        run: (db) => {
          const result = change(db)
          return () => void Deferred.doneUnsafe(done, Exit.succeed(result))
        },
        fail: (failure) => void Deferred.doneUnsafe(done, Exit.fail(failure))
      }
      return Effect.flatMap(Queue.offer(queue, job), (accepted) =>
        accepted ? Deferred.await(done) : Effect.fail(closed(database.filename))
      )
    })

  return { submit, settled }
})
