/**
 * A lock that the kernel drops when its process dies, however it dies: an EXCLUSIVE transaction of SQLite that is held on a file
 * of its own and never writes.
 *
 * Hard cases: the journal is in memory and the file stays empty, so that a killed holder leaves nothing that has to be rolled
 * back. SQLite keeps its locks per process and file, so a second connection of the same process is refused like that of another.
 * The locks are POSIX record locks: closing any other descriptor of the file in the holder's process would drop them, so nobody
 * opens this file by other means. Whoever deletes it lets a second holder in. A second copy of better-sqlite3 in the process (an app
 * that has this package twice) would not know of the first's lock, be let in, and drop it when it closes: so the files that this
 * thread holds are listed where every copy of this module finds them, and a file on the list is not even opened.
 */
import { type BigIntStats, statSync } from "node:fs"
import Database from "better-sqlite3"
import { Effect, type Scope } from "effect"
import { LockUnavailable } from "../../services/Owner.ts"

const isTaken = (cause: unknown): boolean =>
  cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY")

const whyNot = (cause: unknown): string => {
  const code = cause instanceof Database.SqliteError ? cause.code : ""
  if (/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/.test(code)) {
    return "this user may not write there, or the disk is read-only; commands that only read what is stored still work"
  }
  if (code === "SQLITE_NOTADB") return "it is not a lock that Tapestry made; move it away"
  if (code === "SQLITE_FULL") return "the disk is full; free some space"
  return cause instanceof Error ? cause.message : String(cause)
}

/** Whoever only asks whether there is an owner has the lock for a tenth of a millisecond: that is waited for. */
const passingMillis = 5

const listKey = Symbol.for("tapestry/ExclusiveFile/held")
/** Of all copies of this module, by device and inode. */
const shared = globalThis as typeof globalThis & { [listKey]?: Set<string> }
shared[listKey] ??= new Set()
const held = shared[listKey]

/** The file's, whatever it is called; null while there is none. Asking opens nothing. */
const identityOf = (filename: string): string | null => {
  const found: BigIntStats | undefined = statSync(filename, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? null : `${found.dev}:${found.ino}`
}

const open = (filename: string): Database.Database | null => {
  const known = identityOf(filename)
  if (known !== null && held.has(known)) return null
  const db = new Database(filename, { timeout: passingMillis })
  try {
    db.pragma("journal_mode = MEMORY")
    db.exec("BEGIN EXCLUSIVE")
    return db
  } catch (cause) {
    db.close()
    if (isTaken(cause)) return null
    throw cause
  }
}

/** Holds the file until the scope closes; false when another holds it. */
export const hold = (filename: string): Effect.Effect<boolean, LockUnavailable, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const db = yield* Effect.try({
        try: () => open(filename),
        catch: (cause) => new LockUnavailable({ message: `${filename} cannot be locked: ${whyNot(cause)}` })
      })
      if (db === null) return false
      const identity = identityOf(filename)
      if (identity !== null) held.add(identity)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          db.close()
          if (identity !== null) held.delete(identity)
        })
      )
      return true
    })
  )
