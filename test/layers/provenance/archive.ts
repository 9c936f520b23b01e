/** An archive in a directory that a test keeps, opened as often as it likes. */

import { join } from "node:path"
import Database from "better-sqlite3"
import { Effect, type FileSystem, Layer } from "effect"
import type { RequestIdentity } from "../../../src/domain/Request.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { identity, metadata } from "../../services/ProvenanceStore.contract.ts"
import { platform } from "./temporary.ts"

/** Runs against the archive of a directory, opened for this and closed again. */
export const withArchive =
  (options: ProvenanceStoreSqlite.ProvenanceStoreOptions, files: Layer.Layer<FileSystem.FileSystem> | null = null) =>
  <A, E, R>(use: Effect.Effect<A, E, R>) =>
    use.pipe(
      Effect.provide(
        ProvenanceStoreSqlite.layer(options).pipe(
          Layer.provide(files === null ? platform : Layer.merge(platform, files)),
          Layer.fresh
        )
      )
    )

/** One answered call in a session of its own, which stays open. */
export const archive = Effect.fnUntraced(function* (
  params: RequestIdentity["params"],
  body: Uint8Array,
  more: Partial<RequestIdentity> = {}
) {
  const store = yield* ProvenanceStore
  const session = yield* store.openSession({ source: "vendor", mode: "sync", asOf: null })
  const request = yield* store.openRequest({
    session,
    identity: identity(params, more),
    subject: null,
    cacheMode: { _tag: "bypass" }
  })
  return yield* store.append({ request, attempt: 1, askedAt: 0, status: "ok", body, metadata, cause: null, waited: 0 })
})

/** Bytes that no compression makes shorter. */
export const noise = (size: number, seed = 1): Uint8Array => {
  let state = seed >>> 0 || 1
  return new Uint8Array(size).map(() => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 255
  })
}

/** The database as it is, past the archive. */
export const raw = <A>(directory: string, use: (db: Database.Database) => A) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new Database(join(directory, "provenance.sqlite"))),
    (db) => Effect.sync(() => use(db)),
    (db) => Effect.sync(() => db.close())
  )

export const payloadFile = (directory: string, sha256: string | null, extension: "bin" | "zst" = "bin"): string =>
  join(directory, "responses", (sha256 ?? "").slice(0, 2), `${sha256}.${extension}`)
