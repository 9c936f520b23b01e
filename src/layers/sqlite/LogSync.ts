/**
 * Puts what was committed with synchronous=NORMAL on the disk, as FULL would have done within COMMIT, but on a thread of the pool:
 * a sync takes milliseconds, and the event loop need not stand in it.
 *
 * The write-ahead log has every frame of a transaction when COMMIT returns; the file's own sync is all that FULL adds, and at first
 * that of the directory, which has the file's name. The file is the same for as long as a connection is open. No lock of
 * SQLite's is on it, so that closing it here drops none.
 */
import { close, fdatasync, fsync, open } from "node:fs"
import { dirname } from "node:path"
import { Effect, type Scope } from "effect"
import { SqliteFailure } from "./SqliteDatabase.ts"

type Done = (cause: NodeJS.ErrnoException | null) => void

/** After it, everything that was committed before it began is on the disk. To be run by one at a time. */
export type LogSync = Effect.Effect<void, SqliteFailure>

export const make = (filename: string): Effect.Effect<LogSync, never, Scope.Scope> => {
  const log = `${filename}-wal`
  const asked = <A>(run: (done: (cause: NodeJS.ErrnoException | null, value: A) => void) => void) =>
    Effect.callback<A, SqliteFailure>((resume) =>
      run((cause, value) =>
        resume(
          cause === null
            ? Effect.succeed(value)
            : Effect.fail(
                new SqliteFailure({
                  filename,
                  operation: "sync",
                  code: "SQLITE_IOERR_FSYNC",
                  message: `sync of ${log}: ${cause.message}; see to the disk, then start again`
                })
              )
        )
      )
    )
  const told = (run: (done: Done) => void) => asked<void>((done) => run((cause) => done(cause, undefined)))
  const opened = (path: string, flags: string) => asked<number>((done) => open(path, flags, done))
  const closed = (descriptor: number) => told((done) => close(descriptor, done))

  const named = Effect.acquireUseRelease(
    opened(dirname(filename), "r"),
    (directory) => told((done) => fsync(directory, done)),
    (directory) => Effect.ignore(closed(directory))
  )
  let descriptor: number | null = null
  const found = Effect.gen(function* () {
    if (descriptor !== null) return descriptor
    const made = yield* opened(log, "r+")
    descriptor = made
    yield* named
    return made
  })
  return Effect.as(
    Effect.addFinalizer(() => (descriptor === null ? Effect.void : Effect.ignore(closed(descriptor)))),
    Effect.uninterruptible(Effect.flatMap(found, (log) => told((done) => fdatasync(log, done))))
  )
}
