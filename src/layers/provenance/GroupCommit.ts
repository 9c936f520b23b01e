/**
 * The archive's writer: concurrent writes share one transaction and so one fsync.
 *
 * Responsibilities: every change of provenance.sqlite passes here, in the order of arrival; each caller is told after COMMIT,
 * never before. Queueing: a bounded queue that suspends its producers, read by one fiber which takes what it finds (at most
 * `groupLimit` jobs, so that a group of 64 KiB payloads stays within a few milliseconds of the event loop) and commits it. A
 * caller who is alone is committed at once: nothing waits for company.
 *
 * Durability: a group with a `durable` job is committed with synchronous=FULL. One without any (the start and end of calls,
 * cache hits) is committed with NORMAL: it is in the log file before its callers are told, so it survives SIGKILL, but it
 * reaches the disk with the next FULL commit, so a loss of power may take it. The order of the log is the order of arrival:
 * a response on disk never lacks its request.
 *
 * Hard cases: a job that fails (a full disk, a broken reference) rolls its group back; the jobs are then committed one by
 * one, so that each gets its own verdict and those that still fit are kept. A caller interrupted while it waits has its job
 * done all the same. When the scope closes, what is queued is written first.
 */
import { type Cause, Deferred, Effect, Exit, Fiber, Queue, type Scope } from "effect"
import { type SqliteDatabase, SqliteFailure, type SyncDatabase } from "../sqlite/SqliteDatabase.ts"

export interface GroupCommit {
  /** Runs a synchronous change in the next group; returns after its COMMIT. */
  readonly submit: <A>(durability: Durability, change: (db: SyncDatabase) => A) => Effect.Effect<A, SqliteFailure>
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

export const make: (database: SqliteDatabase) => Effect.Effect<GroupCommit, never, Scope.Scope> = Effect.fnUntraced(
  function* (database: SqliteDatabase) {
    const queue = yield* Queue.bounded<Job, Cause.Done>(queueCapacity)

    const commit = (jobs: ReadonlyArray<Job>): Effect.Effect<void> =>
      database
        .write(
          "commit",
          (db) => jobs.map((job) => job.run(db)),
          jobs.some((job) => job.durability === "durable") ? "FULL" : "NORMAL"
        )
        .pipe(
          Effect.matchEffect({
            onSuccess: (acknowledgements) =>
              Effect.sync(() => {
                for (const acknowledge of acknowledgements) acknowledge()
              }),
            onFailure: (failure) =>
              jobs.length === 1
                ? Effect.sync(() => {
                    for (const job of jobs) job.fail(failure)
                  })
                : Effect.forEach(jobs, (job) => commit([job]), { discard: true })
          })
        )

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

    return { submit }
  }
)
