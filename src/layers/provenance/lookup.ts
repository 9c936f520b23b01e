/** Reading bytes back: by hash, or as the newest answer to an identity. What is handed out was hashed on the way. */
import { createHash } from "node:crypto"
import { Effect, type PlatformError, Stream } from "effect"
import { type Response, ResponseId } from "../../domain/Response.ts"
import type { LargePayload } from "../../services/PayloadDraft.ts"
import {
  PayloadDamaged,
  PayloadTooLarge,
  type ProvenanceStore,
  ProvenanceStoreError
} from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SqlValue } from "../sqlite/SqliteDatabase.ts"
import { readMetadata } from "./append.ts"
import { archiveError } from "./archiveError.ts"
import { decodeSync, type Encoding, encodingOf } from "./compression.ts"
import { digest, sha256Hex } from "./digest.ts"
import type { HandedOut } from "./HandedOut.ts"
import { hex } from "./hex.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"

type Reading = Pick<ProvenanceStore["Service"], "lookup" | "payload" | "open">

const newestAnswer = `
  select r.id, r.request, q.session, r.attempt, r.size, r.asked_at, r.fetched_at, r.waited, r.cause, r.metadata, p.sha256, p.body,
    p.encoding, r.revalidated
  from responses r
  join requests q on q.id = r.request
  left join payloads p on p.id = r.payload
  where r.identity = (select id from identities where sha256 = ?) and r.status = 'ok' and r.asked_at >= ?
  order by r.fetched_at desc, r.id desc
  limit 1`

const keptAs = "select encoding from payloads where sha256 = ? and body is null"

/** Of bytes that some response has. */
const payloadOf = `select size, body, encoding from payloads p
  where sha256 = ? and exists (select 1 from responses r where r.payload = p.id)`

const nothing = new Uint8Array(0)

const damaged = (sha256: string, problem: "missing" | "torn", message: string) =>
  new ProvenanceStoreError({ reason: new PayloadDamaged({ sha256, problem, message }) })

const toResponse = (identity: string, row: ReadonlyArray<SqlValue>): Response => {
  const [id, request, session, attempt, size, askedAt, fetchedAt, waited, cause, metadata, hash, , , revalidated] = row
  return {
    id: ResponseId.make(Number(id)),
    request: Number(request),
    session: Number(session),
    identity,
    attempt: Number(attempt),
    status: "ok",
    sha256: hex(hash),
    sizeBytes: Number(size),
    askedAt: Number(askedAt),
    fetchedAt: Number(fetchedAt),
    waited: Number(waited),
    cause: cause === null ? null : String(cause),
    metadata: readMetadata(String(metadata)),
    ...(revalidated === null ? {} : { revalidated: ResponseId.make(Number(revalidated)) })
  }
}

export const make = (
  database: SqliteDatabase,
  files: PayloadFiles,
  handedOut: HandedOut,
  payloadLimit: number
): Reading => {
  const absent = (sha256: string, encoding: Encoding) => (error: PlatformError.PlatformError) =>
    error.reason._tag === "NotFound"
      ? damaged(
          sha256,
          "missing",
          `payload ${sha256} is gone: ${files.pathOf(sha256, encoding)} does not exist; fetch the range again`
        )
      : error.reason._tag === "InvalidData"
        ? damaged(
            sha256,
            "torn",
            `payload ${sha256} in ${files.pathOf(sha256, encoding)} is damaged; fetch the range again`
          )
        : archiveError(error)

  const verified = Effect.fnUntraced(function* (sha256: string, bytes: Uint8Array | null, where: string) {
    if (bytes !== null && (yield* digest(bytes)) === sha256) return bytes
    return yield* damaged(sha256, "torn", `payload ${sha256} in ${where} is damaged; fetch the range again`)
  })

  const bytesOf = Effect.fnUntraced(function* (
    sha256: string,
    size: number,
    body: SqlValue | undefined,
    code: SqlValue | undefined
  ) {
    if (size > payloadLimit) {
      return yield* new ProvenanceStoreError({ reason: new PayloadTooLarge({ sizeBytes: size, limit: payloadLimit }) })
    }
    const encoding = encodingOf(code)
    if (body instanceof Uint8Array) return yield* verified(sha256, decodeSync(encoding, body, size), database.filename)
    // Between the row and the file it may have been compressed, and the other file removed.
    const keptNow = database.read("payload", (db) => {
      const row = db.prepare(keptAs).get(Buffer.from(sha256, "hex"))
      return row === undefined ? encoding : encodingOf(row[0])
    })
    const readAs = (as: Encoding) =>
      Effect.map(files.read(sha256, as, size), (bytes) => ({ bytes, where: files.pathOf(sha256, as) }))
    const { bytes, where } = yield* readAs(encoding).pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "NotFound",
        () => Effect.flatMap(keptNow, readAs)
      ),
      Effect.catchTags({
        PlatformError: (error) => Effect.fail(absent(sha256, encoding)(error)),
        SqliteFailure: (error) => Effect.fail(archiveError(error))
      })
    )
    return yield* verified(sha256, bytes, where)
  })

  /** Most answers are small and whole: those are read in one step of the fiber. Null: it takes more than that. */
  const atOnce = (sha256: string, size: number, body: SqlValue | undefined, code: SqlValue | undefined) => {
    if (!(body instanceof Uint8Array) || size > payloadLimit) return null
    const bytes = decodeSync(encodingOf(code), body, size)
    return bytes !== null && sha256Hex(bytes) === sha256 ? bytes : null
  }

  const lookup: Reading["lookup"] = (identity, notBefore) =>
    database
      .read("lookup", (db) => db.prepare(newestAnswer).get(Buffer.from(identity, "hex"), notBefore))
      .pipe(
        Effect.mapError(archiveError),
        Effect.flatMap((row) => {
          if (row === undefined) return Effect.succeed(null)
          handedOut.add(Number(row[0]))
          const response = toResponse(identity, row)
          const { sha256, sizeBytes } = response
          if (sha256 === null) return Effect.succeed({ response, payload: nothing })
          const [body, code] = [row[11], row[12]]
          const payload = atOnce(sha256, sizeBytes, body, code)
          return payload === null
            ? Effect.map(bytesOf(sha256, sizeBytes, body, code), (bytes) => ({ response, payload: bytes }))
            : Effect.succeed({ response, payload })
        })
      )

  const payloadRow = Effect.fnUntraced(function* (sha256: string) {
    const row = yield* Effect.mapError(
      database.read("payload", (db) => db.prepare(payloadOf).get(Buffer.from(sha256, "hex"))),
      archiveError
    )
    if (row === undefined) return yield* damaged(sha256, "missing", `the archive has no payload ${sha256}`)
    return { size: Number(row[0]), body: row[1], code: row[2] }
  })

  const payload: Reading["payload"] = Effect.fn("ProvenanceStore.payload")(function* (sha256: string) {
    const { body, code, size } = yield* payloadRow(sha256)
    return yield* bytesOf(sha256, size, body, code)
  })

  /** Fails at its end when what was given is not what was archived: whoever used it before must not keep what it made of it. */
  const streamOf = (sha256: string, encoding: Encoding) =>
    Stream.suspend(() => {
      const hash = createHash("sha256")
      return files.stream(sha256, encoding).pipe(
        Stream.map((chunk) => {
          hash.update(chunk)
          return chunk
        }),
        Stream.mapError(absent(sha256, encoding)),
        Stream.concat(
          Stream.fromEffectDrain(
            Effect.suspend(() =>
              hash.digest("hex") === sha256
                ? Effect.void
                : damaged(
                    sha256,
                    "torn",
                    `payload ${sha256} in ${files.pathOf(sha256, encoding)} is damaged; fetch the range again`
                  )
            )
          )
        )
      )
    })

  const open: Reading["open"] = Effect.fn("ProvenanceStore.open")(function* (sha256: string) {
    const { body, code, size } = yield* payloadRow(sha256)
    // What is in a row has been read with it, whatever the limit.
    if (body instanceof Uint8Array) {
      return yield* verified(sha256, decodeSync(encodingOf(code), body, size), database.filename)
    }
    if (size <= payloadLimit) return yield* bytesOf(sha256, size, body, code)
    const large: LargePayload = {
      _tag: "LargePayload",
      sha256,
      sizeBytes: size,
      limit: payloadLimit,
      stream: streamOf(sha256, encodingOf(code))
    }
    return large
  })

  return { lookup, payload, open }
}
