/**
 * Files that no row speaks of any more. A file is noted here in the transaction that takes its row away, and removed in a later
 * one, which looks again whether a row has come to speak of it since. A crash in between leaves the note, and the next sweep
 * takes it up.
 */
import { Effect } from "effect"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { type Encoding, encodingCode, encodingOf } from "./compression.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"

/** Removing a file takes 20 to 100 microseconds. */
const stepFiles = 32

export const discard = (db: SyncDatabase, sha256: string, encoding: Encoding): void => {
  db.prepare("insert or ignore into discarded_files (sha256, encoding) values (?, ?)").run(
    Buffer.from(sha256, "hex"),
    encodingCode(encoding)
  )
}

const spokenOf = "select 1 from payloads where sha256 = ? and body is null and (encoding is 1) = ?"

/** Whether a row says that the payload is kept in this file. */
export const isSpokenOf = (db: SyncDatabase, sha256: string, encoding: Encoding): boolean =>
  db.prepare(spokenOf).get(Buffer.from(sha256, "hex"), encoding === "zstd" ? 1 : 0) !== undefined

const step = (db: SyncDatabase, files: PayloadFiles): number => {
  const noted = db.prepare(`select sha256, encoding from discarded_files limit ${stepFiles}`).all()
  for (const [hash, code] of noted) {
    if (!(hash instanceof Uint8Array)) continue
    const sha256 = Buffer.from(hash).toString("hex")
    const encoding = encodingOf(code)
    if (!isSpokenOf(db, sha256, encoding)) files.removeSync(sha256, encoding)
    db.prepare("delete from discarded_files where sha256 = ? and encoding = ?").run(hash, encodingCode(encoding))
  }
  return noted.length
}

/** Removes what was noted before; says how many files those were. */
export const sweep = Effect.fnUntraced(function* (writer: GroupCommit, files: PayloadFiles) {
  let removed = 0
  for (;;) {
    const done = yield* writer.submit("durable", (db) => step(db, files))
    removed += done
    if (done < stepFiles) return removed
    yield* Effect.yieldNow
  }
})
