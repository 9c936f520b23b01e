/**
 * Moves what was committed from the write-ahead log into the database, on a thread of its own: after a commit of half a million
 * rows this takes 25 ms and a sync of the disk, which must not stand in the event loop.
 *
 * One checkpoint at a time; asking again while one runs asks for one more at most. The thread starts when about `threshold`
 * pages have been written, and ends with the scope, which gives the log back to SQLite's own checkpoint. If it cannot start, or dies, the log is left to SQLite's own checkpoint,
 * which runs within a commit. A log past `limit` makes the next commit wait, so that steady writing cannot outrun the thread.
 *
 * The size of the log's file does not say how much is in it (it is used again from its start, and cutting it off within a
 * COMMIT was measured to double the hold), so pages are estimated from rows. A log that one large commit has left long is cut
 * by the thread, in a moment when nobody writes.
 */
import { statSync } from "node:fs"
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"
import { Deferred, Effect, type Scope } from "effect"
import type { SqliteDatabase, SqliteFailure } from "./SqliteDatabase.ts"

const threshold = 1_000
const rowsPerPage = 40
/** What a commit writes beside its rows. */
const pagesPerCommit = 8
/** Bytes. */
const long = 32 * 1024 * 1024
const limit = 128 * 1024 * 1024

// CommonJS and self-contained: it must run from the bundle of the CLI as well as from the sources.
const program = `
const { parentPort, workerData } = require("node:worker_threads")
const { statSync } = require("node:fs")
const Database = require(workerData.driver)
const db = new Database(workerData.filename, { fileMustExist: true, timeout: 0 })
db.pragma("synchronous = NORMAL")
parentPort.on("message", (message) => {
  if (message === "end") {
    db.close()
    parentPort.close()
    return
  }
  try {
    const [{ busy, log, checkpointed }] = db.pragma("wal_checkpoint(PASSIVE)")
    const size = statSync(workerData.filename + "-wal").size
    if (busy === 0 && log === checkpointed && size > workerData.long) db.pragma("wal_checkpoint(TRUNCATE)")
  } catch {}
  parentPort.postMessage("done")
})
`

export interface Checkpointer {
  /** To be called before a commit; waits only when the log has grown far beyond its usual size. */
  readonly room: Effect.Effect<void>
  /** To be called after a commit that wrote about so many rows; returns at once. */
  readonly wrote: (rows: number) => Effect.Effect<void>
}

export const none: Checkpointer = { room: Effect.void, wrote: () => Effect.void }

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

export const make: (database: SqliteDatabase) => Effect.Effect<Checkpointer, SqliteFailure, Scope.Scope> =
  Effect.fnUntraced(function* (database) {
    if (database.filename === ":memory:") return none
    const automatic = (pages: number) =>
      database.write("checkpoint", (db) => db.prepare(`pragma wal_autocheckpoint = ${pages}`).all())
    yield* automatic(0)

    const log = `${database.filename}-wal`
    let pages = 0
    let worker: Worker | null = null
    let failed = false
    let running: Deferred.Deferred<void> | null = null
    let again = false

    const finished = (): void => {
      const waiting = running
      running = null
      if (waiting !== null) Deferred.doneUnsafe(waiting, Effect.void)
      if (again && !failed) begin()
    }
    const begin = (): void => {
      if (running !== null) {
        again = true
        return
      }
      again = false
      running = Deferred.makeUnsafe<void>()
      worker ??= start()
      worker.postMessage("checkpoint")
    }
    const start = (): Worker => {
      const made = new Worker(program, {
        eval: true,
        workerData: {
          filename: database.filename,
          long,
          driver: createRequire(import.meta.url).resolve("better-sqlite3")
        }
      })
      made.unref()
      made.on("message", finished)
      made.on("error", () => {
        failed = true
        finished()
      })
      made.on("exit", () => {
        failed = true
        finished()
      })
      return made
    }

    yield* Effect.addFinalizer(() => Effect.ignore(automatic(threshold)))
    yield* Effect.addFinalizer(() =>
      Effect.callback<void>((resume) => {
        if (worker === null || failed) return resume(Effect.void)
        // Nobody else may be keeping the process alive, and what waits for this finaliser must not be lost.
        worker.ref()
        worker.once("exit", () => resume(Effect.void))
        worker.postMessage("end")
      })
    )

    const fallBack = Effect.suspend(() => {
      failed = true
      finished()
      return Effect.ignore(automatic(threshold))
    })
    const wrote = (rows: number) =>
      Effect.suspend(() => {
        pages += pagesPerCommit + rows / rowsPerPage
        if (pages < threshold) return Effect.void
        pages = 0
        return failed ? fallBack : Effect.catch(Effect.try(begin), () => fallBack)
      })
    const room = Effect.suspend(() => {
      if (running === null || failed || sizeOf(log) < limit) return Effect.void
      worker?.ref()
      return Effect.ensuring(
        Deferred.await(running),
        Effect.sync(() => worker?.unref())
      )
    })
    return { room, wrote }
  })
