/** The recorded calls: their start, their end, and the changes of rows that both are. */
import { Effect, Result } from "effect"
import { type CacheMode, RequestId } from "../../domain/Request.ts"
import {
  type NewRequest,
  NotCanonical,
  type ProvenanceStore,
  ProvenanceStoreError,
  RecordNotFound
} from "../../services/ProvenanceStore.ts"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { archiveError } from "./archiveError.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { identityHash, identityRow, seriesRow } from "./identities.ts"
import type { Redaction } from "./redact.ts"

type Calls = Pick<ProvenanceStore["Service"], "identify" | "openRequest" | "closeRequest">

const ttlOf = (mode: CacheMode): number | null =>
  mode._tag === "default" || mode._tag === "onlyIfCached" ? mode.ttl : null

const insertRequest = `insert into main.requests
  (tenant, session, identity, series, range_start, range_end, mode, ttl, created_at, outcome, response)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insert = (
  db: SyncDatabase,
  request: NewRequest,
  identity: number,
  createdAt: number,
  outcome: "hit" | null,
  response: number | null
): number => {
  const subject = request.subject
  return db
    .prepare(insertRequest)
    .run(
      db.tenant,
      request.session,
      identity,
      subject === null ? null : seriesRow(db, subject.series),
      subject === null ? null : subject.range.start,
      subject === null ? null : subject.range.end,
      request.cacheMode._tag,
      ttlOf(request.cacheMode),
      createdAt,
      outcome,
      response
    ).lastInsertRowid
}

/** A call that the archive answered: its identity is that of the response. False when there is no such response. */
export const insertHit = (db: SyncDatabase, request: NewRequest, response: number, createdAt: number): boolean => {
  const row = db.prepare("select identity from responses where id = ?").get(response)
  if (row === undefined) return false
  insert(db, request, Number(row[0]), createdAt, "hit", response)
  return true
}

const notFound = (record: "session" | "request", id: number) =>
  new ProvenanceStoreError({ reason: new RecordNotFound({ record, id }) })

export const make = (writer: GroupCommit, redaction: Redaction): Calls => {
  const identify: Calls["identify"] = (identity) =>
    Effect.suspend(() => {
      const hash = identityHash(identity)
      return Result.isSuccess(hash)
        ? Effect.succeed(hash.success)
        : Effect.fail(new ProvenanceStoreError({ reason: new NotCanonical({ message: hash.failure }) }))
    })

  const openRequest: Calls["openRequest"] = Effect.fnUntraced(function* (request: NewRequest) {
    const hash = yield* identify(request.identity)
    const createdAt = yield* wholeMillis
    const id = yield* writer
      .submit(request.durable === true ? "durable" : "relaxed", (db) => {
        if (db.prepare("select 1 from sessions where id = ?").get(request.session) === undefined) return null
        return insert(db, request, identityRow(db, hash, request.identity, redaction), createdAt, null, null)
      })
      .pipe(Effect.mapError(archiveError))
    return id === null ? yield* notFound("session", request.session) : RequestId.make(id)
  })

  const closeRequest: Calls["closeRequest"] = Effect.fnUntraced(function* (id, outcome, response, cause) {
    const text = cause === null ? null : redaction.text(cause)
    const known = yield* writer
      .submit("relaxed", (db) => {
        const closed = db
          .prepare(
            "update main.requests set outcome = ?, response = ?, cause = ? where id = ? and outcome is null and tenant = ?"
          )
          .run(outcome, response, text, id, db.tenant)
        return closed.changes > 0 || db.prepare("select 1 from requests where id = ?").get(id) !== undefined
      })
      .pipe(Effect.mapError(archiveError))
    if (!known) return yield* notFound("request", id)
  })

  return { identify, openRequest, closeRequest }
}
