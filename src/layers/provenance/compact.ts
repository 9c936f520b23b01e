/**
 * Payloads that were archived as they came (before there was compression, or where nobody has tried), compressed one after the
 * other, and free pages given back to the disk.
 *
 * Responsibilities: rows are rewritten in place; of a file the compressed one is made beside it, the row turns to that, and the plain
 * one is removed later. Queueing: one compaction or gc at a time; through the archive's writer, a few milliseconds at a time, so appends come in between.
 *
 * Hard cases: where it is broken off, what is done is done: a payload that was looked at says so in its row, and the next run goes on
 * with those that do not. A compressed file whose row was not turned any more is made again. A torn payload is left as it is, for
 * `verify` to name. A database made by an older release cannot give pages back; they are used by later answers.
 */
import { Effect } from "effect"
import type { CompactReport, ProvenanceStore, TellsUpkeep } from "../../services/ProvenanceStore.ts"
import { FaultPoint } from "../FaultPoint.ts"
import * as Checkpointer from "../sqlite/Checkpointer.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { mapArchiveError } from "./archiveError.ts"
import { type Encoded, encodeSync, encodingCode } from "./compression.ts"
import { sha256Hex } from "./digest.ts"
import { discard, sweep } from "./discardedFiles.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { hex } from "./hex.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"
import * as Tallies from "./tallies.ts"

/** Ids looked at in one read. */
const window = 256
/** How long a step may compress, or rewrite rows. */
const stepMillis = 5
/** Pages given back in one step, at first and at most: those in use are moved, and SQLite looks for each through the list of free ones. */
const fewestPages = 64
const mostPages = 512
/** How the checkpointer counts: a page that is written whole stands for so many rows. */
const rowsPerPage = 40

interface Plain {
  readonly id: number
  readonly sha256: string
  readonly size: number
  /** Null: in a file. */
  readonly kept: Encoded | null
  readonly torn: boolean
}

interface Looked {
  readonly plain: ReadonlyArray<Plain>
  readonly upTo: number
}

const untried = `select id, sha256, size from payloads
  where id > ? and id <= ? and encoding is null order by id`
const bodyOf = "select body from payloads where id = ?"

/** Compresses the rows of the next window, as far as the time goes. */
const look = (db: SyncDatabase, after: number): Looked => {
  const started = performance.now()
  const plain: Array<Plain> = []
  for (const [id, hash, size] of db.prepare(untried).all(after, after + window)) {
    // One by one: the bodies of a whole window may be 16 MiB.
    const body = db.prepare(bodyOf).get(Number(id))?.[0]
    const sha256 = hex(hash) ?? ""
    const torn = body instanceof Uint8Array && sha256Hex(body) !== sha256
    const kept = body instanceof Uint8Array && !torn ? encodeSync(body) : null
    plain.push({ id: Number(id), sha256, size: Number(size), kept, torn })
    if (performance.now() - started > stepMillis) return { plain, upTo: Number(id) }
  }
  return { plain, upTo: after + window }
}

const keepRow = "update payloads set body = ?, encoding = ? where id = ? and encoding is null and body is not null"
const keepFile = "update payloads set encoding = ?, stored = ? where id = ? and encoding is null and body is null"
/** The sums know of it as it was. */
const less = "update tallies set stored_bytes = stored_bytes - ? where up_to_payload >= ?"

const turnRow = (db: SyncDatabase, { id, kept, size }: Plain): void => {
  if (kept === null) return
  const done =
    kept.encoding === "raw"
      ? db.prepare("update payloads set encoding = 0 where id = ? and encoding is null").run(id)
      : db.prepare(keepRow).run(kept.bytes, encodingCode(kept.encoding), id)
  if (done.changes > 0) db.prepare(less).run(size - kept.bytes.byteLength, id)
}

export const make = Effect.fnUntraced(function* (database: SqliteDatabase, writer: GroupCommit, files: PayloadFiles) {
  const act = yield* FaultPoint
  const number = (sql: string) => database.read("compact", (db) => Number(db.prepare(sql).get()?.[0] ?? 0))
  const databaseBytes = number("select page_count * page_size from pragma_page_count, pragma_page_size")

  const turnFile = Effect.fnUntraced(function* ({ id, sha256, size }: Plain) {
    const made = yield* files.compress(sha256, size).pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "NotFound",
        () => Effect.succeed(null)
      )
    )
    if (made === null) return "torn"
    yield* writer.submit("durable", (db) => {
      const zstd = made.encoding === "zstd"
      if (zstd && !files.isThereSync(sha256, "zstd")) return
      const done = db.prepare(keepFile).run(encodingCode(made.encoding), zstd ? made.stored : null, id)
      if (done.changes === 0 || !zstd) return
      discard(db, sha256, "raw")
      db.prepare(less).run(size - made.stored, id)
    })
    act("upkeep")
    return made.encoding
  })

  const shrink = Effect.fnUntraced(function* (tell: TellsUpkeep, checkpointer: Checkpointer.Checkpointer) {
    const [automatic, free] = yield* database.read("compact", (db) =>
      ["auto_vacuum", "freelist_count"].map((name) =>
        Number(db.prepare(`select ${name} from pragma_${name}`).get()?.[0])
      )
    )
    if (automatic !== 2 || free === undefined) return
    let left = free
    let pages = fewestPages
    while (left > 0) {
      yield* tell({ phase: "shrinking", done: free - left, of: free })
      yield* checkpointer.room
      const started = performance.now()
      const now = yield* database.shrink(pages)
      const took = performance.now() - started
      yield* checkpointer.wrote(pages * rowsPerPage)
      if (took > 2 * stepMillis) pages = Math.max(fewestPages, pages / 2)
      else if (took < stepMillis / 2) pages = Math.min(mostPages, pages * 2)
      yield* Effect.yieldNow
      if (now >= left) return
      left = now
    }
  })

  const compact: ProvenanceStore["Service"]["compact"] = Effect.fn("ProvenanceStore.compact")(
    function* (progress: TellsUpkeep = () => Effect.void) {
      // A log that has grown long would be moved in one piece, within somebody's commit.
      const checkpointer = yield* Checkpointer.make(database)
      yield* files.removeLeftovers
      yield* Tallies.advance(writer)
      const databaseBefore = yield* databaseBytes
      const { storedBytes: storedBefore } = yield* Tallies.total(database)
      const last = yield* number("select coalesce(max(id), 0) from payloads")
      let payloads = 0
      let damaged = 0
      let after = 0
      while (after < last) {
        yield* progress({ phase: "compressing", done: after, of: last })
        const from = after
        const { plain, upTo } = yield* database.read("compact", (db) => look(db, from))
        after = upTo
        const rows = plain.filter(({ kept }) => kept !== null)
        if (rows.length > 0) {
          yield* writer.submit("relaxed", (db) => {
            for (const row of rows) turnRow(db, row)
          })
          yield* checkpointer.wrote(rows.length * rowsPerPage)
        }
        for (const payload of plain) {
          const kept = payload.torn ? "torn" : (payload.kept?.encoding ?? (yield* turnFile(payload)))
          if (kept === "zstd") payloads++
          if (kept === "torn") damaged++
        }
        act("upkeep")
        yield* Effect.yieldNow
      }
      yield* progress({ phase: "removing", done: 0, of: 0 })
      yield* sweep(writer, files)
      yield* shrink(progress, checkpointer)
      const free = yield* number("select freelist_count * page_size from pragma_freelist_count, pragma_page_size")
      const report: CompactReport = {
        payloads,
        damaged,
        storedBefore,
        storedAfter: (yield* Tallies.total(database)).storedBytes,
        databaseBefore,
        databaseAfter: yield* databaseBytes,
        freeBytes: free
      }
      return report
    },
    (compacting) => database.upkeep.withPermit(compacting),
    Effect.scoped,
    mapArchiveError
  )

  return { compact, shrink }
})
