/**
 * One attempt's outcome into the archive: bytes first, then the row that speaks of them.
 *
 * Up to 64 KiB the bytes are a row of the same transaction as the response; above that they are a file, whole and synced
 * before the transaction begins. Bytes that came as a draft (spool.ts) are in a file already, whatever their size, and only
 * change their name. `fetchedAt` is the clock's time, or that of the newest response or operation where the clock is behind it.
 */
import { Effect, Result } from "effect"
import { canonicalJson } from "../../domain/CanonicalJson.ts"
import { type Response, ResponseId, type ResponseMetadata } from "../../domain/Response.ts"
import type { AnswerBody } from "../../services/PayloadDraft.ts"
import {
  type NewResponse,
  PayloadTooLarge,
  type ProvenanceStore,
  ProvenanceStoreError,
  RecordNotFound
} from "../../services/ProvenanceStore.ts"
import { FaultPoint } from "../FaultPoint.ts"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
import { digest } from "./digest.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { hex } from "./hex.ts"
import { latestInstant } from "./operations.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"
import type { Redaction } from "./redact.ts"
import { wholeMillis } from "./wholeMillis.ts"

/** Payloads up to this many bytes are rows of the database. */
export const inlineLimit = 65_536

interface Body {
  readonly sha256: string
  readonly size: number
  /** The bytes themselves; null when they are in a file. */
  readonly inline: Uint8Array | null
}

/** The row of a payload. A row of these bytes that is there is compared, and mended when it differs. */
const payloadRow = (db: SyncDatabase, body: Body): number => {
  const hash = Buffer.from(body.sha256, "hex")
  const found = db
    .prepare("select id, size = ? and body is ? from payloads where sha256 = ?")
    .get(body.size, body.inline, hash)
  if (found === undefined) {
    return db.prepare("insert into payloads (sha256, size, body) values (?, ?, ?)").run(hash, body.size, body.inline)
      .lastInsertRowid
  }
  const [id, same] = found
  if (same !== 1) {
    db.prepare("update payloads set size = ?, body = ? where id = ?").run(body.size, body.inline, Number(id))
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
  draft: Draft,
  body: Body | null,
  act: (point: "bytesWritten" | "rowWritten") => void
): Response | null => {
  const request = db
    .prepare(
      `select q.session, q.identity, q.series, i.sha256 from requests q
       join identities i on i.id = q.identity where q.id = ?`
    )
    .get(draft.request)
  if (request === undefined) return null
  const [session, identity, series, identityHash] = request
  const confirmed = draft.revalidated === undefined ? null : payloadOf(db, draft.revalidated)
  const payload = confirmed !== null ? confirmed.payload : body === null ? null : payloadRow(db, body)
  const size = confirmed?.size ?? body?.size ?? 0
  if (body !== null && body.inline !== null) act("bytesWritten")
  const fetchedAt = latestInstant(db, draft.now)
  const askedAt = Math.min(draft.askedAt, fetchedAt)
  const id = db
    .prepare(
      `insert into responses
         (request, identity, series, attempt, status, payload, size, asked_at, fetched_at, waited, cause, metadata, revalidated)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    )
    .run(
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
    db.prepare("update requests set outcome = 'fetched', response = ? where id = ? and outcome is null").run(
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

export const make = Effect.fnUntraced(function* (
  writer: GroupCommit,
  files: PayloadFiles,
  redaction: Redaction,
  payloadLimit: number
) {
  const act = yield* FaultPoint

  const store = Effect.fnUntraced(function* (bytes: AnswerBody) {
    if (!(bytes instanceof Uint8Array)) {
      yield* bytes.adopt
      return { sha256: bytes.sha256, size: bytes.sizeBytes, inline: null }
    }
    const size = bytes.byteLength
    if (size > payloadLimit) {
      return yield* new ProvenanceStoreError({ reason: new PayloadTooLarge({ sizeBytes: size, limit: payloadLimit }) })
    }
    const sha256 = yield* digest(bytes)
    if (size <= inlineLimit) return { sha256, size, inline: bytes }
    yield* Effect.mapError(files.write(sha256, bytes), archiveError)
    return { sha256, size, inline: null }
  })

  const append: ProvenanceStore["Service"]["append"] = Effect.fnUntraced(function* (response: NewResponse) {
    if (response.body instanceof Uint8Array && response.body.byteLength <= inlineLimit) act("beforeBytes")
    const body = response.body === null ? null : yield* store(response.body)
    const draft: Draft = {
      ...response,
      cause: response.cause === null ? null : redaction.text(response.cause),
      metadata: metadataText(redaction.metadata(response.metadata)),
      now: yield* wholeMillis
    }
    const row = yield* writer
      .submit("durable", (db) => insertResponse(db, draft, body, act))
      .pipe(Effect.mapError(archiveError))
    if (row === null) {
      return yield* new ProvenanceStoreError({
        reason: new RecordNotFound({ record: "request", id: response.request })
      })
    }
    act("afterBytes")
    act("acknowledged")
    return row
  })

  return append
})
