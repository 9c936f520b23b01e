/**
 * Reads of a connection that share a snapshot. A statement outside a transaction takes and gives back the lock of a reader, which
 * costs more than what most of them do (5 of 6 microseconds), so the first read of a callback of the event loop begins a
 * transaction and the end of that callback ends it: nothing from outside can have told anybody meanwhile of what others committed.
 */
import type Database from "better-sqlite3"

/** Commits of this process, to whatever database: a snapshot that is older than the last is not read any more. */
let commits = 0

export const committedNow = (): void => {
  commits++
}

export class ReadSnapshot {
  private readonly begin: Database.Statement
  private readonly commit: Database.Statement
  private readonly db: Database.Database
  /** Commits at its beginning; null while there is none. */
  private taken: number | null = null
  private readonly release = () => this.end()

  constructor(db: Database.Database) {
    this.db = db
    this.begin = db.prepare("BEGIN")
    this.commit = db.prepare("COMMIT")
  }

  get isOpen(): boolean {
    return this.taken !== null
  }

  run<A>(f: () => A): A {
    if (this.taken !== commits) {
      this.end()
      this.begin.run()
      this.taken = commits
      process.nextTick(this.release)
    }
    let done = false
    try {
      const result = f()
      done = true
      return result
    } finally {
      if (!done) this.end()
    }
  }

  /** Before whatever the connection does that is no read. */
  end(): void {
    if (this.taken === null) return
    this.taken = null
    if (this.db.inTransaction) this.commit.run()
  }
}
