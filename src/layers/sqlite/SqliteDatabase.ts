/**
 * What stands between better-sqlite3 and the rest: a writer connection, a reader connection, and the SqlClient that
 * migrations run on.
 *
 * Responsibilities: pragmas, prepared statements, transactions, error codes as values. Queueing: whoever writes holds the
 * semaphore of the file (FileTurns), first come first served, whichever connection of this process it writes on; a transaction may span turns of the event loop, so that no single step holds
 * it for long, and the others wait. Readers never wait for the writer (WAL), and what they see is the last commit. They read on the
 * writer's connection while it is in no transaction, since its cache outlives its own commits, and else on one of their own, whose
 * cache every commit empties. All reads of one callback of the event loop see one state, unless this process commits in between.
 *
 * Hard cases: a step that throws rolls the whole transaction back; an interrupted transaction rolls back too; `:memory:` has
 * one connection for both, so its readers do wait. A lock that another connection holds (another process, a checkpoint that cuts
 * the log while the disk is slow) is waited for with turns of the event loop, since SQLite's own waiting would stand in it, and
 * is cut short by every signal that the process gets.
 */
import Database from "better-sqlite3"
import { Data, Effect, Exit, Schedule, type Scope, type Semaphore } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
import * as FileTurns from "./FileTurns.ts"
import { preparer } from "./preparer.ts"
import { committedNow, ReadSnapshot } from "./ReadSnapshot.ts"
import { makeConnection } from "./sqlConnection.ts"

/** A failed statement. `code` is SQLite's own (`SQLITE_FULL`, `SQLITE_READONLY`, `SQLITE_CONSTRAINT_UNIQUE`, ...). */
export class SqliteFailure extends Data.TaggedError("SqliteFailure")<{
  readonly filename: string
  readonly operation: string
  readonly code: string
  readonly message: string
}> {}

export type SqlValue = string | number | bigint | Uint8Array | null

/** A prepared statement: `run` for writes, `all`/`get` give rows as arrays of columns. */
export interface PreparedStatement {
  readonly run: (...params: ReadonlyArray<SqlValue>) => { readonly changes: number; readonly lastInsertRowid: number }
  readonly all: (...params: ReadonlyArray<SqlValue>) => ReadonlyArray<ReadonlyArray<SqlValue>>
  readonly get: (...params: ReadonlyArray<SqlValue>) => ReadonlyArray<SqlValue> | undefined
}

/** What a synchronous step works with. Statements are prepared once per connection and text. */
export interface SyncDatabase {
  readonly tenant: TenantName
  readonly prepare: (sql: string) => PreparedStatement
}

/** Runs one synchronous step of a transaction. Keep each under a few milliseconds: the event loop stands still in it. */
export type Step = <A>(f: (db: SyncDatabase) => A) => Effect.Effect<A, SqliteFailure>

export interface SqliteDatabase {
  readonly filename: string
  readonly tenant: TenantName
  /** The same connections, working for another tenant. */
  readonly forTenant: (tenant: TenantName) => SqliteDatabase
  /** For whoever looks at the whole file in many steps: one of them at a time in this process. */
  readonly upkeep: Semaphore.Semaphore
  /**
   * One synchronous transaction. With `synchronous` it is committed at that level instead of the database's own: NORMAL
   * survives SIGKILL but not a loss of power, until a later FULL commit carries it to the disk.
   */
  readonly write: <A>(
    operation: string,
    f: (db: SyncDatabase) => A,
    synchronous?: Synchronous
  ) => Effect.Effect<A, SqliteFailure>
  /**
   * As `write` with NORMAL, for removals whose references the caller has looked after: SQLite checks none, for which it would walk
   * through a whole table for each row wherever the referring column has no index.
   */
  readonly writeUnchecked: <A>(operation: string, f: (db: SyncDatabase) => A) => Effect.Effect<A, SqliteFailure>
  /** A transaction of several steps with effects between them; commits when the body succeeds, else rolls back. */
  readonly transaction: <A, E, R>(
    operation: string,
    body: (step: Step) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | SqliteFailure, R>
  /** A synchronous read of the last committed state, one for all statements of the step. */
  readonly read: <A>(operation: string, f: (db: SyncDatabase) => A) => Effect.Effect<A, SqliteFailure>
  /** Moves what is in the log into the database, as far as readers let it. */
  readonly checkpoint: Effect.Effect<void, SqliteFailure>
  /** Gives up to so many free pages back to the disk, in a database made with `shrinks`; says how many are left. */
  readonly shrink: (pages: number) => Effect.Effect<number, SqliteFailure>
  /** Runs statements on each connection, for what belongs to the connection and not to the file (views and tables of `temp`). */
  readonly onConnections: (operation: string, script: string) => Effect.Effect<void, SqliteFailure>
  /** Over the writer connection; for migrations. */
  readonly client: SqlClient.SqlClient
}

export type Synchronous = "FULL" | "NORMAL"

export interface SqliteOptions {
  readonly filename: string
  readonly synchronous: Synchronous
  /** Opens what is there and never writes; fails when there is nothing. */
  readonly readonly?: boolean
  /** A database that is made now can give free pages back to the disk (PRAGMA incremental_vacuum). */
  readonly shrinks?: boolean
  /** Most pages the database may have (PRAGMA max_page_count); a test's way to a full disk. */
  readonly maxPageCount?: number
  /** The default tenant unless given. */
  readonly tenant?: TenantName
  /** How long a transaction waits for another connection's lock before it fails with SQLITE_BUSY, ms; `lockWait` unless given. */
  readonly lockWait?: number
  /** Milliseconds of that which SQLite waits standing in the event loop, in which a holder of the same process waits, too; 2 unless given. */
  readonly lockStand?: number
}

/** Milliseconds. Longer than any transaction or checkpoint of ours takes on a busy disk, shorter than what looks like a hang. */
export const lockWait = 10_000
/** Milliseconds between two looks at a lock. */
const lockPause = 5
/** Milliseconds that SQLite itself waits, standing in the event loop: next to nothing for a transaction, else a while. */
const briefly = 2
const patiently = 5_000

const failure = (filename: string, operation: string) => (cause: unknown) =>
  new SqliteFailure({
    filename,
    operation,
    code: cause instanceof Database.SqliteError ? cause.code : "SQLITE_UNKNOWN",
    message: `${operation} on ${filename}: ${cause instanceof Error ? cause.message : String(cause)}`
  })

const configure = (db: Database.Database, options: SqliteOptions, readonly: boolean): void => {
  if (!readonly) {
    // Counts only before anything is written.
    if (options.shrinks === true) db.pragma("auto_vacuum = INCREMENTAL")
    db.pragma("journal_mode = WAL")
    db.pragma(`synchronous = ${options.synchronous}`)
    db.pragma("foreign_keys = ON")
    if (options.maxPageCount !== undefined) db.pragma(`max_page_count = ${options.maxPageCount}`)
  }
  db.pragma("cache_size = -16384")
}

const connect = (options: SqliteOptions, readonly: boolean) =>
  Effect.try({
    try: () => {
      const db = new Database(options.filename, { readonly, fileMustExist: readonly, timeout: patiently })
      try {
        configure(db, options, readonly)
        return db
      } catch (cause) {
        db.close()
        throw cause
      }
    },
    catch: failure(options.filename, "open")
  })

/**
 * Taking up WAL mode needs the file alone for a moment. Where another process opens, closes or mends the database just then,
 * SQLite may say "locked" at once, whatever the timeout, so it is asked again for as long as a timeout would have waited.
 */
const whileLocked = Schedule.spaced("20 millis").pipe(Schedule.upTo({ duration: "5 seconds" }))

const openConnection = Effect.fnUntraced(function* (options: SqliteOptions, readonly: boolean) {
  return yield* Effect.acquireRelease(
    Effect.retry(connect(options, readonly), {
      schedule: whileLocked,
      while: ({ code }) => code.startsWith("SQLITE_BUSY")
    }),
    (db) =>
      Effect.sync(() => {
        if (!readonly) leaveReadable(db)
        db.close()
      })
  )
})

/**
 * Leaves WAL mode when this is the last connection: a WAL database that was closed cleanly has no -shm file, and a user who may
 * read the data directory but not write there cannot open it. Somebody else's open connection makes this a no-op.
 */
const leaveReadable = (db: Database.Database): void => {
  try {
    db.pragma("busy_timeout = 0")
    db.pragma("journal_mode = DELETE")
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause
  }
}

/** Of the time that the lock's holder lives in, whatever the clock of the program. */
const pause = Effect.interruptible(
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), lockPause)
    return Effect.sync(() => clearTimeout(timer))
  })
)

/** Opens a database for as long as the scope lives. */
export const open: (options: SqliteOptions) => Effect.Effect<SqliteDatabase, SqliteFailure, Scope.Scope> =
  Effect.fnUntraced(function* (options: SqliteOptions) {
    const writer = yield* openConnection(options, options.readonly === true)
    const reader = options.filename === ":memory:" ? writer : yield* openConnection(options, true)
    const { upkeep, writing: semaphore } = yield* FileTurns.of(options.filename)
    const preparing = preparer(writer)
    const preparingReads = reader === writer ? preparing : preparer(reader)

    const snapshot = new ReadSnapshot(writer)
    const readerSnapshot = reader === writer ? snapshot : new ReadSnapshot(reader)
    // Before the connections close, which takes them out of WAL mode.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        snapshot.end()
        readerSnapshot.end()
      })
    )
    const setBusyTimeout = (millis: number) => writer.exec(`PRAGMA busy_timeout = ${millis}`)
    const standing = options.lockStand ?? briefly
    setBusyTimeout(standing)
    /** For what is not begun by `whenUnlocked`: it is rare, and waits as SQLite does. */
    const inPatience = <A>(f: () => A): A => {
      snapshot.end()
      setBusyTimeout(patiently)
      try {
        return f()
      } finally {
        committedNow()
        setBusyTimeout(standing)
      }
    }

    const begin = writer.prepare("BEGIN IMMEDIATE")
    const commit = writer.prepare("COMMIT")
    const rollback = () => {
      if (writer.inTransaction) writer.exec("ROLLBACK")
    }
    const committed = () => {
      commit.run()
      committedNow()
    }
    const attempt = <A>(operation: string, f: () => A) =>
      Effect.try({ try: f, catch: failure(options.filename, operation) })

    /** Runs what begins with a transaction, again for as long as another connection has the lock that `begins` wants. */
    const whenUnlocked = <A>(operation: string, f: (begins: () => void) => A): Effect.Effect<A, SqliteFailure> =>
      Effect.suspend(() => {
        const deadline = performance.now() + (options.lockWait ?? lockWait)
        let begun = false
        const run = attempt(operation, () =>
          f(() => {
            snapshot.end()
            begin.run()
            begun = true
          })
        )
        const untilBegun: Effect.Effect<A, SqliteFailure> = Effect.catchIf(
          run,
          ({ code }) => !begun && code.startsWith("SQLITE_BUSY") && performance.now() < deadline,
          () => Effect.andThen(pause, untilBegun)
        )
        return untilBegun
      })

    let level = options.synchronous
    // Never a prepared statement: this pragma takes effect when it is compiled, not when it is run.
    const setLevel = (wanted: Synchronous) => {
      if (wanted === level) return
      snapshot.end()
      writer.exec(`PRAGMA synchronous = ${wanted}`)
      level = wanted
    }

    const checkpoint = semaphore.withPermit(
      attempt("checkpoint", () => inPatience(() => void writer.pragma("wal_checkpoint(PASSIVE)")))
    )

    const shrink: SqliteDatabase["shrink"] = (pages) =>
      semaphore.withPermit(
        attempt("shrink", () => {
          setLevel("NORMAL")
          // It gives a row for each page, so that a prepared statement, run once, would give back one.
          inPatience(() => writer.exec(`PRAGMA incremental_vacuum(${pages})`))
          return Number(writer.pragma("freelist_count", { simple: true }))
        })
      )

    const onConnections: SqliteDatabase["onConnections"] = (operation, script) =>
      semaphore.withPermit(
        attempt(operation, () => {
          snapshot.end()
          readerSnapshot.end()
          for (const connection of new Set([writer, reader])) connection.exec(script)
        })
      )

    const acquirers = SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(makeConnection(writer, inPatience)),
      semaphore,
      isTransaction: () => writer.inTransaction && !snapshot.isOpen
    })
    const client = yield* SqlClient.make({
      ...acquirers,
      compiler: Statement.makeCompilerSqlite(),
      driver: "sqlite",
      beginTransaction: "BEGIN IMMEDIATE",
      spanAttributes: [["db.system.name", "sqlite"]]
    }).pipe(Effect.provide(Reactivity.layer))

    const forTenant = (tenant: TenantName): SqliteDatabase => {
      const writing: SyncDatabase = { tenant, prepare: preparing }
      const reading: SyncDatabase = { tenant, prepare: preparingReads }

      const once = <A>(begins: () => void, f: (db: SyncDatabase) => A): A => {
        begins()
        let done = false
        try {
          const result = f(writing)
          committed()
          done = true
          return result
        } finally {
          if (!done) rollback()
        }
      }

      const write: SqliteDatabase["write"] = (operation, f, synchronous = options.synchronous) =>
        semaphore.withPermit(
          whenUnlocked(operation, (begins) => {
            setLevel(synchronous)
            return once(begins, f)
          })
        )

      const writeUnchecked: SqliteDatabase["writeUnchecked"] = (operation, f) =>
        semaphore.withPermit(
          whenUnlocked(operation, (begins) => {
            setLevel("NORMAL")
            snapshot.end()
            writer.exec("PRAGMA foreign_keys = OFF")
            try {
              return once(begins, f)
            } finally {
              writer.exec("PRAGMA foreign_keys = ON")
            }
          })
        )

      const transaction: SqliteDatabase["transaction"] = (operation, body) =>
        semaphore.withPermit(
          Effect.acquireUseRelease(
            whenUnlocked(operation, (begins) => {
              setLevel(options.synchronous)
              begins()
            }),
            () =>
              Effect.tap(
                body((f) => attempt(operation, () => f(writing))),
                () => attempt(operation, committed)
              ),
            (_, exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.sync(rollback))
          )
        )

      const read: SqliteDatabase["read"] = (operation, f) =>
        reader === writer
          ? semaphore.withPermit(attempt(operation, () => f(reading)))
          : attempt(operation, () => {
              if (writer.inTransaction && !snapshot.isOpen) return readerSnapshot.run(() => f(reading))
              try {
                return snapshot.run(() => f(writing))
              } catch (cause) {
                // The reader's connection is more patient with a lock of another process.
                if (cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY")) {
                  return readerSnapshot.run(() => f(reading))
                }
                throw cause
              }
            })

      return {
        filename: options.filename,
        tenant,
        forTenant,
        upkeep,
        write,
        writeUnchecked,
        transaction,
        read,
        checkpoint,
        shrink,
        onConnections,
        client
      }
    }
    return forTenant(options.tenant ?? defaultTenant.name)
  })
