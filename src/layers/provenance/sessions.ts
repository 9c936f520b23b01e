/**
 * Sessions and the process that each belongs to.
 *
 * A session is open for as long as its process lives. At start those of processes that are gone become `cancelled`, with
 * their open calls; those of a live process, which may share the directory, are left alone. When the archive closes, what
 * this one still has open is cancelled too.
 */
import { Effect, type FileSystem } from "effect"
import { SessionId } from "../../domain/Session.ts"
import { type ProvenanceStore, ProvenanceStoreError, RecordNotFound } from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { archiveError } from "./archiveError.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import type { HitBuffer } from "./HitBuffer.ts"
import * as OwnerProcess from "./OwnerProcess.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"
import type { Redaction } from "./redact.ts"

type Sessions = Pick<ProvenanceStore["Service"], "openSession" | "closeSession">

const cancel = (db: SyncDatabase, id: number, at: number, reason: string): void => {
  db.prepare("update main.requests set outcome = 'cancelled', cause = ? where session = ? and outcome is null").run(
    reason,
    id
  )
  db.prepare(
    "update main.sessions set outcome = 'cancelled', reason = ?, ended_at = ? where id = ? and outcome is null"
  ).run(reason, at, id)
}

/** Cancels the sessions of processes that are gone and removes the temporary files they left. */
export const recover: (
  database: SqliteDatabase,
  writer: GroupCommit,
  files: PayloadFiles
) => Effect.Effect<void, ProvenanceStoreError, FileSystem.FileSystem> = Effect.fnUntraced(
  function* (database, writer, files) {
    const open = yield* database.read("recover", (db) =>
      db.prepare("select id, pid, process_start from sessions where outcome is null order by id").all()
    )
    const abandoned: Array<{ readonly id: number; readonly reason: string }> = []
    for (const [id, pid, start] of open) {
      const owner = { pid: Number(pid), start: String(start) }
      if (yield* OwnerProcess.isAlive(owner)) continue
      abandoned.push({ id: Number(id), reason: `process ${owner.pid} ended without closing the session` })
    }
    if (abandoned.length === 0) return
    yield* files.removeLeftovers
    const at = yield* wholeMillis
    for (const { id, reason } of abandoned) yield* writer.submit("durable", (db) => cancel(db, id, at, reason))
    yield* Effect.logInfo(`${abandoned.length} sessions of ended processes are now cancelled`)
  },
  Effect.catchTags({
    SqliteFailure: (failure) => Effect.fail(archiveError(failure)),
    PlatformError: (failure) => Effect.fail(archiveError(failure))
  })
)

export const make = Effect.fnUntraced(function* (writer: GroupCommit, hits: HitBuffer, redaction: Redaction) {
  const owner = yield* OwnerProcess.current
  const open = new Set<number>()

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      if (open.size === 0) return
      const at = yield* wholeMillis
      yield* writer.submit("durable", (db) => {
        for (const id of open) cancel(db, id, at, "the archive was closed before the session")
      })
    }).pipe(
      Effect.catch((failure) =>
        // Who ran into a full disk was told; the next start closes them.
        archiveError(failure).reason._tag === "ArchiveFull"
          ? Effect.logDebug(`sessions stay open: ${failure.message}`)
          : Effect.logWarning(`sessions stay open: ${failure.message}`)
      )
    )
  )

  const openSession: Sessions["openSession"] = Effect.fn("ProvenanceStore.openSession")(function* (options) {
    const at = yield* wholeMillis
    const id = yield* writer
      .submit(
        "relaxed",
        (db) =>
          db
            .prepare(
              "insert into main.sessions (tenant, source, mode, as_of, started_at, pid, process_start) values (?, ?, ?, ?, ?, ?, ?)"
            )
            .run(db.tenant, options.source, options.mode, options.asOf, at, owner.pid, owner.start).lastInsertRowid
      )
      .pipe(Effect.mapError(archiveError))
    open.add(id)
    return SessionId.make(id)
  })

  const closeSession: Sessions["closeSession"] = Effect.fn("ProvenanceStore.closeSession")(
    function* (id, outcome, reason) {
      yield* hits.flush
      const at = yield* wholeMillis
      const text = reason === null ? null : redaction.text(reason)
      const known = yield* writer
        .submit("relaxed", (db) => {
          const closed = db
            .prepare(
              "update main.sessions set outcome = ?, reason = ?, ended_at = ? where id = ? and outcome is null and tenant = ?"
            )
            .run(outcome, text, at, id, db.tenant)
          return closed.changes > 0 || db.prepare("select 1 from sessions where id = ?").get(id) !== undefined
        })
        .pipe(Effect.mapError(archiveError))
      open.delete(id)
      if (!known) {
        return yield* new ProvenanceStoreError({ reason: new RecordNotFound({ record: "session", id }) })
      }
    }
  )

  return { openSession, closeSession }
})
