/**
 * Every payload hashed again, rows and files alike, a page at a time: neither the number of payloads nor the size of one is
 * held in memory. Files are read through the payload limit, because what is archived must stay checkable when the limit falls.
 */
import { Effect, Option, Stream } from "effect"
import { ResponseId } from "../../domain/Response.ts"
import type { Damage, ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
import { decodeSync, type Encoding, encodingOf } from "./compression.ts"
import { sha256Hex } from "./digest.ts"
import { hex } from "./hex.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"

/** 32 rows are at most 2 MiB, a few milliseconds of hashing. */
const pageRows = 32
const namedResponses = 10

interface Checked {
  readonly id: number
  readonly sha256: string
  readonly size: number
  readonly encoding: Encoding
  /** Null for a file that is still to be read. */
  readonly torn: boolean | null
  readonly responses: ReadonlyArray<ResponseId>
}

const keptAs = "select encoding from payloads where sha256 = ? and body is null"

const page = (db: SyncDatabase, after: number, limit = pageRows): ReadonlyArray<Checked> =>
  db
    .prepare("select id, sha256, size, body, encoding from payloads where id > ? order by id limit ?")
    .all(after, limit)
    .map(([id, hash, size, body, code]) => {
      const sha256 = hex(hash) ?? ""
      const encoding = encodingOf(code)
      const bytes = body instanceof Uint8Array ? decodeSync(encoding, body, Number(size)) : null
      return {
        id: Number(id),
        sha256,
        size: Number(size),
        encoding,
        torn: body instanceof Uint8Array ? bytes === null || sha256Hex(bytes) !== sha256 : null,
        responses: db
          .prepare("select id from responses where payload = ? order by id limit ?")
          .all(Number(id), namedResponses)
          .map(([response]) => ResponseId.make(Number(response)))
      }
    })

export const make = (
  database: SqliteDatabase,
  files: PayloadFiles,
  settle: Effect.Effect<void>
): ProvenanceStore["Service"]["verify"] => {
  const fileProblem = ({ encoding, sha256 }: Checked) =>
    files.hash(sha256, encoding).pipe(
      Effect.map((found) => (found === sha256 ? null : ("torn" as const))),
      Effect.catch((error) =>
        error.reason._tag === "NotFound" ? Effect.succeed("missing" as const) : Effect.fail(archiveError(error))
      )
    )

  /** A payload may have been removed, or kept another way, since its page was read. */
  const unchanged = ({ encoding, sha256 }: Checked) =>
    Effect.mapError(
      database.read("verify", (db) => {
        const row = db.prepare(keptAs).get(Buffer.from(sha256, "hex"))
        return row !== undefined && encodingOf(row[0]) === encoding
      }),
      archiveError
    )

  const problemOf = Effect.fnUntraced(function* (payload: Checked) {
    if (payload.torn !== null) return payload.torn ? ("torn" as const) : null
    const problem = yield* fileProblem(payload)
    if (problem === null || (yield* unchanged(payload))) return problem
    const row = yield* Effect.mapError(
      database.read("verify", (db) => page(db, payload.id - 1, 1)),
      archiveError
    )
    return row[0]?.id === payload.id && row[0].torn === null ? yield* fileProblem(row[0]) : null
  })

  const check = Effect.fnUntraced(function* (payload: Checked) {
    const problem = yield* problemOf(payload)
    if (problem === null) return []
    const where =
      payload.torn === null
        ? files.pathOf(payload.sha256, payload.encoding)
        : `${database.filename}, payload ${payload.id}`
    const damage: Damage = { sha256: payload.sha256, problem, where, responses: payload.responses }
    return [damage]
  })

  const verify: ProvenanceStore["Service"]["verify"] = (progress) =>
    Stream.unwrap(
      Effect.as(
        settle,
        Stream.paginate<{ after: number; checked: number }, Damage, ProvenanceStoreError>(
          { after: 0, checked: 0 },
          Effect.fnUntraced(function* (at) {
            const payloads = yield* Effect.mapError(
              database.read("verify", (db) => page(db, at.after)),
              archiveError
            )
            const found: Array<Damage> = []
            for (const payload of payloads) found.push(...(yield* check(payload)))
            const checked = at.checked + payloads.length
            yield* progress(checked)
            const last = payloads.at(-1)
            return [found, last === undefined ? Option.none() : Option.some({ after: last.id, checked })] as const
          })
        )
      )
    )

  return verify
}
