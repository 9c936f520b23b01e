/** What a backup and a restore do with files: databases copied as of one instant, hashed, and the payload files that an archive names. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { open as openFile, readdir } from "node:fs/promises"
import { join } from "node:path"
import Database from "better-sqlite3"
import { Effect } from "effect"
import type { Encoding } from "../provenance/compression.ts"
import { encodingOf } from "../provenance/compression.ts"
import { BackupError } from "./BackupError.ts"

export const failing = (what: string) => (cause: unknown) =>
  new BackupError({ message: `${what}: ${cause instanceof Error ? cause.message : String(cause)}` })

/** Pages copied between two turns of the event loop. */
const stepPages = 512

/**
 * A copy of a database as it is at one instant, while others write to it. The read transaction keeps that instant: without it each of
 * their commits would make the copy begin again. The copy is left without a log, so that it is one file.
 */
export const copyDatabase = (from: string, to: string): Effect.Effect<void, BackupError> =>
  Effect.tryPromise({
    try: async () => {
      const source = new Database(from, { readonly: true, fileMustExist: true, timeout: 5_000 })
      try {
        source.exec("BEGIN")
        source.prepare("select count(*) from sqlite_master").get()
        await source.backup(to, { progress: () => stepPages })
      } finally {
        source.close()
      }
      const copy = new Database(to)
      try {
        copy.pragma("journal_mode = DELETE")
      } finally {
        copy.close()
      }
    },
    catch: failing(`copying ${from}`)
  })

export const syncPath = (path: string): Effect.Effect<void, BackupError> =>
  Effect.tryPromise({
    try: async () => {
      const handle = await openFile(path, "r")
      await handle.sync().finally(() => handle.close())
    },
    catch: failing(`syncing ${path}`)
  })

/** The names in a directory and in its folders of payloads: without them a file that is synced may be gone after a power cut. */
export const syncFolders = (directory: string): Effect.Effect<void, BackupError> =>
  Effect.tryPromise({
    try: () => readdir(directory, { recursive: true, withFileTypes: true }),
    catch: failing(`reading ${directory}`)
  }).pipe(
    Effect.flatMap((entries) =>
      Effect.forEach(
        entries.filter((entry) => entry.isDirectory()),
        (entry) => syncPath(join(entry.parentPath, entry.name)),
        { discard: true }
      )
    ),
    Effect.andThen(syncPath(directory))
  )

export const hashFile = (
  path: string
): Effect.Effect<{ readonly sha256: string; readonly sizeBytes: number }, BackupError> =>
  Effect.tryPromise({
    try: async () => {
      const hash = createHash("sha256")
      let sizeBytes = 0
      for await (const piece of createReadStream(path, { highWaterMark: 1_048_576 })) {
        hash.update(piece)
        sizeBytes += piece.length
      }
      return { sha256: hash.digest("hex"), sizeBytes }
    },
    catch: failing(`reading ${path}`)
  })

export interface NamedFile {
  readonly id: number
  readonly sha256: string
  readonly encoding: Encoding
}

const pageRows = 1_000

type FileRow = [number, Uint8Array, number | null]

/** The payload files that an archive's records name, a page at a time. */
export const namedFiles = (archive: string, after: number): Effect.Effect<ReadonlyArray<NamedFile>, BackupError> =>
  Effect.try({
    try: () => {
      const db = new Database(archive, { readonly: true, fileMustExist: true })
      try {
        return db
          .prepare<[number], FileRow>(
            `select id, sha256, encoding from payloads where body is null and id > ? order by id limit ${pageRows}`
          )
          .raw()
          .all(after)
          .map(([id, sha256, encoding]) => ({
            id,
            sha256: Buffer.from(sha256).toString("hex"),
            encoding: encodingOf(encoding)
          }))
      } finally {
        db.close()
      }
    },
    catch: failing(`reading ${archive}`)
  })

/** How often something was removed from an archive; null where there is none. */
export const removalsOf = (archive: string): Effect.Effect<number | null, BackupError> =>
  Effect.try({
    try: () => {
      const db = new Database(archive, { readonly: true, fileMustExist: true, timeout: 5_000 })
      try {
        return Number(db.prepare("select removals from tallies").pluck().get())
      } finally {
        db.close()
      }
    },
    catch: failing(`reading ${archive}; open it once with this release, which migrates it`)
  })
