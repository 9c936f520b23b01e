/**
 * What a generation takes over from the one it is about to replace: rows that are equal keep the lineage and the time at which
 * they became known; rows that are not leave a revision in the new generation, superseded at the instant of the switch.
 *
 * Runs before the switch, in transactions of its own, while nobody commits to the series. May run again after it was broken
 * off: each row is set to what it should be, whatever it was.
 */
import { Effect } from "effect"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { piecesIn } from "./coverageTable.ts"
import type { Piece } from "./GenerationTables.ts"
import { inheritRows } from "./inheritRows.ts"
import { num } from "./rows.ts"
import { nthStamp, rowTables } from "./rowTables.ts"

const stepRows = 2_000
const stepPieces = 4_000

// One aggregate a statement: only then does SQLite go straight to the end of the index.
const bounds = `select min(ts), max(ts) from (
  select (select min(ts) from bars where generation = ?) as ts
  union all select (select max(ts) from bars where generation = ?)
  union all select (select min(ts) from bars where generation = ?)
  union all select (select max(ts) from bars where generation = ?))`
const selectApplied = "select id from applied where generation = ? and response = ? and decoder_version = ?"
const deleteEarlier = `delete from revisions where (generation, ts, applied) in
  (select generation, ts, applied from revisions where generation = ? and superseded_at is not null limit ${stepRows})`
const addRevisions = "update generations set revision_count = revision_count + ? where id = ?"

/** How far pieces that were read with the limit `stepPieces` go: there may be more behind the last of a full page. */
const reachOf = (pieces: ReadonlyArray<Piece>): number =>
  pieces.length < stepPieces ? Number.POSITIVE_INFINITY : (pieces.at(-1)?.end ?? Number.POSITIVE_INFINITY)

/** One step over the stamps of `[start, end)`; gives the revisions it left. */
const inheritIn = (
  db: SyncDatabase,
  from: number,
  to: number,
  at: number,
  start: number,
  end: number
): { readonly end: number; readonly revisions: number } => {
  const last = Math.min(end, nthStamp(db, from, start, stepRows) ?? end, nthStamp(db, to, start, stepRows) ?? end)
  const oldPieces = piecesIn(db, from, start, last, stepPieces)
  const newPieces = piecesIn(db, to, start, last, stepPieces)
  const stop = Math.min(last, reachOf(oldPieces), reachOf(newPieces))
  const appliedOf = (generation: number, response: number, decoderVersion: number): number | null => {
    const row = db.prepare(selectApplied).get(generation, response, decoderVersion)
    return row === undefined ? null : num(row[0])
  }
  const revisions = inheritRows(rowTables(db), { from, to, at, start, stop, oldPieces, newPieces, appliedOf })
  return { end: stop, revisions }
}

export const inherit = Effect.fnUntraced(function* (database: SqliteDatabase, from: number, to: number, at: number) {
  for (;;) {
    const removed = yield* database.write("publish", (db) => {
      const { changes } = db.prepare(deleteEarlier).run(to)
      db.prepare(addRevisions).run(-changes, to)
      return changes
    })
    if (removed === 0) break
    yield* Effect.yieldNow
  }
  const [first, last] = yield* database.read(
    "publish",
    (db) => db.prepare(bounds).get(from, from, to, to) ?? [null, null]
  )
  if (first === null || last === null) return
  let start = num(first)
  const end = num(last) + 1
  while (start < end) {
    const begin = start
    const done = yield* database.write("publish", (db) => {
      const step = inheritIn(db, from, to, at, begin, end)
      if (step.revisions > 0) db.prepare(addRevisions).run(step.revisions, to)
      return step
    })
    start = done.end
    yield* Effect.yieldNow
  }
})
