/**
 * Puts what was committed with synchronous=NORMAL on the disk, as FULL would have done within COMMIT, but on a thread of the pool:
 * a sync takes milliseconds, and the event loop need not stand in it.
 *
 * The write-ahead log has every frame of a transaction when COMMIT returns; the file's own sync is all that FULL adds. The
 * file is the same for as long as a connection is open. No lock of SQLite's is on it, so that closing it here drops none.
 */
import { close, fdatasync, open } from "node:fs"
import { Effect, type Scope } from "effect"
import { SqliteFailure } from "./SqliteDatabase.ts"

type Done = (cause: NodeJS.ErrnoException | null) => void

/** After it, everything committed before it began is on the disk. To be run by one at a time. */
export const make = (filename: string): Effect.Effect<Effect.Effect<void, SqliteFailure>, never, Scope.Scope> => {
  const log = `${filename}-wal`
  const asked = (run: (done: Done) => void) =>
    Effect.callback<void, SqliteFailure>((resume) =>
      run((cause) =>
        resume(
          cause === null
            ? Effect.void
            : Effect.fail(
                new SqliteFailure({
                  filename,
                  operation: "sync",
                  code: "SQLITE_IOERR_FSYNC",
                  message: `sync of ${log}: ${cause.message}`
                })
              )
        )
      )
    )
  let descriptor: number | null = null
  const opened = asked((done) =>
    // Also to be written to: a sync of what is only read is refused on Windows.
    open(log, "r+", (cause, made) => {
      if (cause === null) descriptor = made
      done(cause)
    })
  )
  const synced = asked((done) => (descriptor === null ? done(null) : fdatasync(descriptor, done)))
  const closed = asked((done) => (descriptor === null ? done(null) : close(descriptor, done)))
  return Effect.as(
    Effect.addFinalizer(() => Effect.ignore(closed)),
    Effect.uninterruptible(Effect.suspend(() => (descriptor === null ? Effect.andThen(opened, synced) : synced)))
  )
}
