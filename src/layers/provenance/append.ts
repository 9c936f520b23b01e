/**
 * One attempt's outcome into the archive: bytes first, then the row that speaks of them.
 *
 * Up to 64 KiB the bytes are a row of the same transaction as the response; above that they are a file, whole and synced
 * before the transaction begins; where a gc has removed it in between, it is written again. Bytes that came as a draft (spool.ts) are
 * in a file already, whatever their size. `fetchedAt` is the clock's time, or that of the newest response or operation where the clock
 * is behind it.
 */
import { Effect, Result } from "effect"
import { canonicalJson } from "../../domain/CanonicalJson.ts"
import { type Response, ResponseId, type ResponseMetadata } from "../../domain/Response.ts"
import type { AnswerBody } from "../../services/PayloadDraft.ts"
import {
  ArchiveUnavailable,
  type NewResponse,
  PayloadTooLarge,
  type ProvenanceStore,
  ProvenanceStoreError,
  RecordNotFound
} from "../../services/ProvenanceStore.ts"
import { FaultPoint } from "../FaultPoint.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { archiveError, mapArchiveError } from "./archiveError.ts"
import { decodeSync, type Encoded, encodeSync, encodingCode, encodingOf } from "./compression.ts"
import { digest } from "./digest.ts"
import { discard } from "./discardedFiles.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { hex } from "./hex.ts"
import { latestInstant } from "./operations.ts"
import type { PayloadFiles, StoredFile } from "./PayloadFiles.ts"
import type { Redaction } from "./redact.ts"

/** Payloads up to this many bytes are rows of the database. */
export const inlineLimit = 65_536

interface Body {
  readonly sha256: string
  readonly size: number
  /** As they came, and as they are kept in a row; null when they are in a file. */
  readonly inline: { readonly bytes: Uint8Array; readonly kept: Encoded } | null
  readonly file: StoredFile | null
}

const sameBytes = (a: Uint8Array | null, b: Uint8Array) => a !== null && Buffer.compare(a, b) === 0

/** The row of a payload that is kept in a row. One that is there is compared, and mended when it differs. */
const inlineRow = (db: SyncDatabase, body: Body, { bytes, kept }: NonNullable<Body["inline"]>): number => {
  const hash = Buffer.from(body.sha256, "hex")
  const found = db.prepare("select id, size, encoding, body from payloads where sha256 = ?").get(hash)
  const code = encodingCode(kept.encoding)
  if (found === undefined) {
    return db
      .prepare("insert into payloads (sha256, size, body, encoding) values (?, ?, ?, ?)")
      .run(hash, body.size, kept.bytes, code).lastInsertRowid
  }
  const [id, size, encoding, stored] = found
  const same =
    size === body.size &&
    stored instanceof Uint8Array &&
    sameBytes(decodeSync(encodingOf(encoding), stored, body.size), bytes)
  if (!same) {
    db.prepare("update payloads set size = ?, body = ?, encoding = ?, stored = null where id = ?").run(
      body.size,
      kept.bytes,
      code,
      Number(id)
    )
  }
  return Number(id)
}

/** The row of a payload that is kept in a file; null where the file has been removed since it was looked at. */
const fileRow = (db: SyncDatabase, files: PayloadFiles, body: Body, file: StoredFile): number | null => {
  if (!files.isThereSync(body.sha256, file.encoding)) return null
  const hash = Buffer.from(body.sha256, "hex")
  const found = db.prepare("select id, size, encoding, body is null from payloads where sha256 = ?").get(hash)
  const code = encodingCode(file.encoding)
  const stored = file.encoding === "raw" ? null : file.stored
  if (found === undefined) {
    return db
      .prepare("insert into payloads (sha256, size, encoding, stored) values (?, ?, ?, ?)")
      .run(hash, body.size, code, stored).lastInsertRowid
  }
  const [id, size, encoding, isFile] = found
  if (size !== body.size || isFile !== 1 || encodingOf(encoding) !== file.encoding) {
    if (isFile === 1 && encodingOf(encoding) !== file.encoding) discard(db, body.sha256, encodingOf(encoding))
    db.prepare("update payloads set size = ?, body = null, encoding = ?, stored = ? where id = ?").run(
      body.size,
      code,
      stored,
      Number(id)
    )
  }
  return Number(id)
}

/**
 * Metadata describes bytes that were paid for: what has no canonical form in it (a lone surrogate from a careless server) is
 * mended, never a reason to refuse the response.
 */
const metadataText = (metadata: ResponseMetadata): string =>
  Result.getOrElse(canonicalJson(metadata), () =>
    Result.getOrElse(
      canonicalJson(
        JSON.parse(JSON.stringify(metadata, (_, value) => (typeof value === "string" ? value.toWellFormed() : value)))
      ),
      () => JSON.stringify({ ...metadata, url: null, headers: {}, adapter: {} })
    )
  )

/** Our own canonical text; its shape was checked when it was written. */
export const readMetadata = (text: string): ResponseMetadata => JSON.parse(text)

interface Draft extends Omit<NewResponse, "metadata"> {
  readonly metadata: string
  readonly now: number
}

/** The payload of the response that is confirmed, and its size. */
const payloadOf = (db: SyncDatabase, response: ResponseId) => {
  const [payload = null, size = 0] = db.prepare("select payload, size from responses where id = ?").get(response) ?? []
  return { payload: payload === null ? null : Number(payload), size: Number(size) }
}

const sha256Of = (db: SyncDatabase, payload: number): string | null =>
  hex(db.prepare("select sha256 from payloads where id = ?").get(payload)?.[0])

const insertResponse = (
  db: SyncDatabase,
  files: PayloadFiles,
  draft: Draft,
  body: Body | null,
  act: (point: "bytesWritten" | "rowWritten") => void
): Response | "noRequest" | "noFile" => {
  const request = db
    .prepare(
      `select q.session, q.identity, q.series, i.sha256 from requests q
       join identities i on i.id = q.identity where q.id = ${Planned.number}`
    )
    .get(draft.request)
  if (request === undefined) return "noRequest"
  const [session, identity, series, identityHash] = request
  const confirmed = draft.revalidated === undefined ? null : payloadOf(db, draft.revalidated)
  let payload = confirmed?.payload ?? null
  if (confirmed === null && body !== null) {
    if (body.inline !== null) {
      payload = inlineRow(db, body, body.inline)
      act("bytesWritten")
    } else if (body.file !== null) {
      payload = fileRow(db, files, body, body.file)
      if (payload === null) return "noFile"
    }
  }
  const size = confirmed?.size ?? body?.size ?? 0
  const fetchedAt = latestInstant(db, draft.now)
  const askedAt = Math.min(draft.askedAt, fetchedAt)
  const id = db
    .prepare(
      `insert into main.responses
         (tenant, request, identity, series, attempt, status, payload, size, asked_at, fetched_at, waited, cause, metadata, revalidated)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    )
    .run(
      db.tenant,
      draft.request,
      Number(identity),
      series === null ? null : Number(series),
      draft.attempt,
      draft.status,
      payload,
      size,
      askedAt,
      fetchedAt,
      draft.waited,
      draft.cause,
      draft.metadata,
      draft.revalidated ?? null
    ).lastInsertRowid
  if (draft.status === "ok") {
    db.prepare("update main.requests set outcome = 'fetched', response = ? where id = ? and outcome is null").run(
      id,
      draft.request
    )
  }
  act("rowWritten")
  return {
    id: ResponseId.make(id),
    request: draft.request,
    session: Number(session),
    identity: identityHash instanceof Uint8Array ? Buffer.from(identityHash).toString("hex") : "",
    attempt: draft.attempt,
    status: draft.status,
    sha256: confirmed === null ? (body?.sha256 ?? null) : payload === null ? null : sha256Of(db, payload),
    sizeBytes: size,
    askedAt,
    fetchedAt,
    waited: draft.waited,
    cause: draft.cause,
    metadata: readMetadata(draft.metadata),
    ...(draft.revalidated === undefined ? {} : { revalidated: draft.revalidated })
  }
}

/** A gc that removes the same file again and again has no file to remove any more. */
const tries = 5

export const make = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  writer: GroupCommit,
  files: PayloadFiles,
  redaction: Redaction,
  payloadLimit: number
) {
  const act = yield* FaultPoint

  const store = Effect.fnUntraced(function* (bytes: AnswerBody) {
    if (!(bytes instanceof Uint8Array)) {
      const file = yield* bytes.adopt
      return { sha256: bytes.sha256, size: bytes.sizeBytes, inline: null, file }
    }
    const size = bytes.byteLength
    if (size > payloadLimit) {
      return yield* new ProvenanceStoreError({ reason: new PayloadTooLarge({ sizeBytes: size, limit: payloadLimit }) })
    }
    const sha256 = yield* digest(bytes)
    if (size <= inlineLimit) return { sha256, size, inline: { bytes, kept: encodeSync(bytes) }, file: null }
    const known = yield* database.read("append", (db) =>
      db.prepare("select encoding from payloads where sha256 = ? and body is null").get(Buffer.from(sha256, "hex"))
    )
    const file = yield* files.write(sha256, bytes, known === undefined ? null : encodingOf(known[0]))
    return { sha256, size, inline: null, file }
  }, mapArchiveError)

  const append: ProvenanceStore["Service"]["append"] = Effect.fnUntraced(function* (response: NewResponse) {
    if (response.body instanceof Uint8Array && response.body.byteLength <= inlineLimit) act("beforeBytes")
    const cause = response.cause === null ? null : redaction.text(response.cause)
    const metadata = metadataText(redaction.metadata(response.metadata))
    for (let attempt = 1; attempt <= tries; attempt++) {
      const body = response.body === null ? null : yield* store(response.body)
      const draft: Draft = { ...response, cause, metadata, now: yield* wholeMillis }
      const row = yield* writer
        .submit("durable", (db) => insertResponse(db, files, draft, body, act))
        .pipe(Effect.mapError(archiveError))
      if (row === "noFile") continue
      if (row === "noRequest") {
        return yield* new ProvenanceStoreError({
          reason: new RecordNotFound({ record: "request", id: response.request })
        })
      }
      act("afterBytes")
      act("acknowledged")
      return row
    }
    return yield* new ProvenanceStoreError({
      reason: new ArchiveUnavailable({
        message: `a file under responses/ was removed ${tries} times while it was being archived; who removes them?`
      })
    })
  })

  return append
})
