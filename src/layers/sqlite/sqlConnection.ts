/** The connection of an SqlClient over better-sqlite3; for migrations. */
import Database from "better-sqlite3"
import { Effect, Stream } from "effect"
import { type SqlConnection, SqlError } from "effect/sql"

const errno: Readonly<Record<string, number>> = {
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_READONLY: 8,
  SQLITE_CANTOPEN: 14,
  SQLITE_CONSTRAINT: 19,
  SQLITE_CONSTRAINT_UNIQUE: 2067,
  SQLITE_CONSTRAINT_PRIMARYKEY: 1555
}

const sqlError = (operation: string) => (cause: unknown) =>
  new SqlError.SqlError({
    reason: SqlError.classifySqliteError(
      cause instanceof Database.SqliteError
        ? Object.assign(cause, { errno: errno[cause.code] ?? errno[cause.code.split("_").slice(0, 2).join("_")] })
        : cause,
      { operation }
    )
  })

/** `inPatience` runs what may have to wait for another connection's lock. */
export const makeConnection = (db: Database.Database, inPatience: <A>(f: () => A) => A): SqlConnection.Connection => {
  const execute = (sql: string, params: ReadonlyArray<unknown>, raw: boolean) =>
    Effect.try({
      try: (): ReadonlyArray<never> =>
        inPatience(() => {
          const statement = db.prepare(sql)
          if (!statement.reader) {
            statement.run(...params)
            return []
          }
          return statement.raw(raw).all(...params) as unknown as ReadonlyArray<never>
        }),
      catch: sqlError("execute")
    })
  const rows: SqlConnection.Connection["execute"] = (sql, params, transform) =>
    transform === undefined ? execute(sql, params, false) : Effect.map(execute(sql, params, false), transform)
  return {
    execute: rows,
    executeUnprepared: rows,
    executeRaw: (sql, params) => execute(sql, params, false),
    executeValues: (sql, params) => execute(sql, params, true),
    executeValuesUnprepared: (sql, params) => execute(sql, params, true),
    executeStream: (sql, params, transform) => Stream.fromIterableEffect(rows(sql, params, transform))
  }
}
