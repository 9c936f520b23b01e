/**
 * Moves what was committed from the write-ahead log into the database, on a thread of its own: after a commit of half a million
 * rows this takes 25 ms and a sync of the disk, which must not stand in the event loop.
 *
 * One checkpoint at a time; asking again while one runs asks for one more at most. The thread starts when about `threshold`
 * pages have been written, and ends with the scope, which gives the log back to SQLite's own checkpoint. If it cannot start, or dies, the log is left to SQLite's own checkpoint,
 * which runs within a commit. A log past `limit` makes the next commit wait until all of it is in the database, since only then it is
 * used again from its start: steady writing cannot outrun the thread.
 *
 * The size of the log's file does not say how much is in it (it is used again from its start, and cutting it off within a
 * COMMIT was measured to double the hold), so pages are estimated from rows, and each checkpoint says how many there were. A log that one
 * large commit has left long is cut by the thread, in a moment when nobody writes, or at the end.
 */
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"
import { Deferred, Effect, type Scope } from "effect"
import type { SqliteDatabase, SqliteFailure } from "./SqliteDatabase.ts"

export interface CheckpointerOptions {
  /** Pages after which the log is moved. */
  readonly threshold: number
  /** Pages in the log with which the next commit waits. */
  readonly limit: number
  /** Bytes of the log's file above which it is cut as soon as all of it is moved; in any case at the end. */
  readonly long: number
}

/** SQLite's own. */
const automaticPages = 1_000
const usual: CheckpointerOptions = { threshold: automaticPages, limit: 32_768, long: 32 * 1024 * 1024 }
/**
 * For what changes the same scattered pages again and again: each is moved once for many times that it was written. The file keeps its
 * length, as writing over it is half the work of making it longer. The limit lies half a threshold behind a checkpoint, so that who waits
 * waits for what little came since that one began.
 */
export const scattered: CheckpointerOptions = { threshold: 16_384, limit: 73_728, long: Number.MAX_SAFE_INTEGER }
const rowsPerPage = 40
/** What a commit writes beside its rows. */
const pagesPerCommit = 8
/** How often a commit waits: somebody else may keep the log from becoming empty. */
const rounds = 3

// CommonJS and self-contained: it must run from the bundle of the CLI as well as from the sources.
const program = `
const { parentPort, workerData } = require("node:worker_threads")
const { statSync } = require("node:fs")
const Database = require(workerData.driver)
const db = new Database(workerData.filename, { fileMustExist: true, timeout: 0 })
db.pragma("synchronous = NORMAL")
const move = (long) => {
  try {
    const [{ busy, log, checkpointed }] = db.pragma("wal_checkpoint(PASSIVE)")
    const size = statSync(workerData.filename + "-wal").size
    if (busy === 0 && log === checkpointed && size > long) db.pragma("wal_checkpoint(TRUNCATE)")
    return { log, whole: busy === 0 && log === checkpointed }
  } catch {
    return null
  }
}
parentPort.on("message", (message) => {
  if (message === "end") {
    move(workerData.usual)
    db.close()
    parentPort.close()
    return
  }
  parentPort.postMessage(move(workerData.long))
})
`

/** What a checkpoint tells: pages in the log, and whether all of them are in the database now. */
interface Moved {
  readonly log: number
  readonly whole: boolean
}

export interface Checkpointer {
  /** To be called before a commit; waits only when the log has grown far beyond its usual size. */
  readonly room: Effect.Effect<void>
  /** To be called after a commit that wrote about so many rows; returns at once. */
  readonly wrote: (rows: number) => Effect.Effect<void>
}

export const none: Checkpointer = { room: Effect.void, wrote: () => Effect.void }

export const make: (
  database: SqliteDatabase,
  options?: CheckpointerOptions
) => Effect.Effect<Checkpointer, SqliteFailure, Scope.Scope> = Effect.fnUntraced(function* (
  database,
  { limit, long, threshold } = usual
) {
  if (database.filename === ":memory:") return none
  const automatic = (pages: number) =>
    database.write("checkpoint", (db) => db.prepare(`pragma wal_autocheckpoint = ${pages}`).all())
  yield* automatic(0)

  /** Pages written since the last checkpoint was asked for, since the one that runs began, and in the log. */
  let pages = 0
  let since = 0
  let used = 0
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
    since = 0
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
        usual: usual.long,
        driver: createRequire(import.meta.url).resolve("better-sqlite3")
      }
    })
    made.unref()
    made.on("message", (moved: Moved | null) => {
      // What came while it ran stands behind what it moved, and keeps the log from beginning anew.
      if (moved !== null) used = moved.whole && since === 0 ? 0 : moved.log + since
      finished()
    })
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

  yield* Effect.addFinalizer(() => Effect.ignore(automatic(automaticPages)))
  const ended = (made: Worker) =>
    Effect.callback<void>((resume) => {
      // Nobody else may be keeping the process alive, and what waits for this finaliser must not be lost.
      made.ref()
      made.once("exit", () => resume(Effect.void))
      made.postMessage("end")
    })
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      // What is left in the log would be moved within the next commit.
      if (failed || (worker === null && used < automaticPages)) return Effect.void
      return Effect.matchEffect(
        Effect.try(() => (worker ??= start())),
        { onFailure: () => Effect.void, onSuccess: ended }
      )
    })
  )

  const fallBack = Effect.suspend(() => {
    failed = true
    finished()
    return Effect.ignore(automatic(automaticPages))
  })
  const wrote = (rows: number) =>
    Effect.suspend(() => {
      const written = pagesPerCommit + rows / rowsPerPage
      pages += written
      since += written
      used += written
      if (pages < threshold) return Effect.void
      pages = 0
      return failed ? fallBack : Effect.catch(Effect.try(begin), () => fallBack)
    })

  /** Until the checkpoint that runs has ended. */
  const awaited = Effect.suspend(() => {
    if (running === null || failed) return Effect.void
    worker?.ref()
    return Effect.ensuring(
      Deferred.await(running),
      Effect.sync(() => worker?.unref())
    )
  })
  const crowded = () => used >= limit && !failed
  const room = Effect.gen(function* () {
    for (let round = 0; crowded() && round < rounds; round++) {
      yield* awaited
      if (!crowded()) return
      yield* Effect.catch(Effect.try(begin), () => fallBack)
      yield* awaited
    }
  })
  return { room: Effect.suspend(() => (crowded() ? room : Effect.void)), wrote }
})
