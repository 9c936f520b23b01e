/**
 * A statement that looks at a whole file, in steps of some milliseconds between which everything else goes on.
 *
 * It reads on a connection of its own and sees one state from the first row to the last, so the log cannot be cut meanwhile. A reader
 * that is interrupted lets go of it.
 */
import Database from "better-sqlite3"
import { Effect } from "effect"
import { SqliteFailure, type SqlValue } from "./SqliteDatabase.ts"

/** Milliseconds of one step. */
const budget = 8

/** `take` is called for each row, a row being an array of its columns. */
export const readInSteps = (
  filename: string,
  operation: string,
  sql: string,
  take: (row: ReadonlyArray<SqlValue>) => void
): Effect.Effect<void, SqliteFailure> => {
  const attempt = <A>(act: () => A) =>
    Effect.try({
      try: act,
      catch: (cause) =>
        new SqliteFailure({
          filename,
          operation,
          code: cause instanceof Database.SqliteError ? cause.code : "SQLITE_UNKNOWN",
          message: `${operation} on ${filename}: ${cause instanceof Error ? cause.message : String(cause)}`
        })
    })
  const opened = Effect.acquireRelease(
    attempt(() => new Database(filename, { readonly: true, fileMustExist: true })),
    (db) => Effect.sync(() => db.close())
  )
  return Effect.scoped(
    Effect.gen(function* () {
      const db = yield* opened
      const rows = yield* Effect.acquireRelease(
        attempt(() => db.prepare<[], Array<SqlValue>>(sql).raw(true).iterate()),
        (rows) => Effect.sync(() => rows.return?.())
      )
      /** Whether there is more. */
      const step = () => {
        for (const until = performance.now() + budget; performance.now() < until; ) {
          const next = rows.next()
          if (next.done === true) return false
          take(next.value)
        }
        return true
      }
      while (yield* attempt(step)) yield* Effect.yieldNow
    })
  )
}
