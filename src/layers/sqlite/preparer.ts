import type Database from "better-sqlite3"
import type { PreparedStatement, SqlValue, SyncDatabase } from "./SqliteDatabase.ts"

/** Prepares statements of a connection, each text once. */
export const preparer = (db: Database.Database): SyncDatabase["prepare"] => {
  const prepared = new Map<string, PreparedStatement>()
  return (sql) => {
    const found = prepared.get(sql)
    if (found !== undefined) return found
    const statement = db.prepare<Array<SqlValue>, Array<SqlValue>>(sql)
    if (statement.reader) statement.raw(true)
    const made: PreparedStatement = {
      run: (...params) => {
        const result = statement.run(...params)
        return { changes: result.changes, lastInsertRowid: Number(result.lastInsertRowid) }
      },
      all: (...params) => statement.all(...params),
      get: (...params) => statement.get(...params)
    }
    prepared.set(sql, made)
    return made
  }
}
