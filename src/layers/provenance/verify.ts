/**
 * Every payload hashed again, rows and files alike, a page at a time: neither the number of payloads nor the size of one is
 * held in memory. Files are read through the payload limit, because what is archived must stay checkable when the limit falls.
 */
import { createHash } from "node:crypto"
import { Effect, FileSystem, Option, Stream } from "effect"
import { ResponseId } from "../../domain/Response.ts"
import type { Damage, ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
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
  /** Null for a file that is still to be read. */
  readonly torn: boolean | null
  readonly responses: ReadonlyArray<ResponseId>
}

const page = (db: SyncDatabase, after: number): ReadonlyArray<Checked> =>
  db
    .prepare("select id, sha256, size, body from payloads where id > ? order by id limit ?")
    .all(after, pageRows)
    .map(([id, hash, size, body]) => {
      const sha256 = hex(hash) ?? ""
      return {
        id: Number(id),
        sha256,
        size: Number(size),
        torn: body instanceof Uint8Array ? sha256Hex(body) !== sha256 : null,
        responses: db
          .prepare("select id from responses where payload = ? order by id limit ?")
          .all(Number(id), namedResponses)
          .map(([response]) => ResponseId.make(Number(response)))
      }
    })

export const make = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  files: PayloadFiles,
  settle: Effect.Effect<void>
) {
  const fs = yield* FileSystem.FileSystem

  const fileProblem = (payload: Checked) =>
    fs.stream(files.pathOf(payload.sha256), { chunkSize: 262_144 }).pipe(
      Stream.runFold(
        () => createHash("sha256"),
        (state, chunk) => state.update(chunk)
      ),
      Effect.map((state) => (state.digest("hex") === payload.sha256 ? null : ("torn" as const))),
      Effect.catch((error) =>
        error.reason._tag === "NotFound" ? Effect.succeed("missing" as const) : Effect.fail(archiveError(error))
      )
    )

  const check = Effect.fnUntraced(function* (payload: Checked) {
    const problem = payload.torn === null ? yield* fileProblem(payload) : payload.torn ? ("torn" as const) : null
    if (problem === null) return []
    const where = payload.torn === null ? files.pathOf(payload.sha256) : `${database.filename}, payload ${payload.id}`
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
})
