/**
 * What a generation takes over from the one it is about to replace: rows that are equal keep the lineage and the time at which
 * they became known; rows that are not leave a revision in the new generation, superseded at the instant of the switch.
 *
 * Runs before the switch, in transactions of its own, while nobody commits to the series. May run again after it was broken
 * off: each row is set to what it should be, whatever it was.
 */
import { Effect } from "effect"
import { sameValues } from "../../domain/Bar.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { type Piece, piecesIn } from "./coverageTable.ts"
import { num, RevisionKind, type StoredVersion } from "./rows.ts"
import { barsIn, nthStamp, putBar, putRevision } from "./rowTables.ts"
import { assertsRows, isFinal } from "./stateCode.ts"
import { endOf } from "./VersionHistory.ts"

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

/** The newest answer about a stamp, if it says whether there is a row; null where nothing does. */
const absenceAt = (
  db: SyncDatabase,
  generation: number,
  pieces: ReadonlyArray<Piece>,
  ts: number
): StoredVersion | null => {
  const piece = pieces.find((candidate) => candidate.start <= ts && ts < candidate.end)
  if (piece === undefined || !assertsRows(piece.code)) return null
  const applied = db.prepare(selectApplied).get(generation, piece.response, piece.decoderVersion)
  return applied === undefined
    ? null
    : {
        ts,
        bar: null,
        final: isFinal(piece.code, piece.until),
        position: -1,
        applied: num(applied[0]),
        shown: null,
        shownPosition: null
      }
}

const takeOver = (db: SyncDatabase, generation: number, old: StoredVersion, row: StoredVersion): void => {
  const shown = old.shown ?? old.applied
  const shownPosition = old.shownPosition ?? old.position
  if (row.shown !== shown || row.shownPosition !== shownPosition) {
    putBar(db, generation, { ...row, shown, shownPosition })
  }
}

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
  const olds = new Map(barsIn(db, from, start, stop).map((row) => [row.ts, row]))
  const news = new Map(barsIn(db, to, start, stop).map((row) => [row.ts, row]))
  let revisions = 0
  for (const ts of new Set([...olds.keys(), ...news.keys()])) {
    const old = olds.get(ts) ?? absenceAt(db, from, oldPieces, ts)
    const row = news.get(ts) ?? absenceAt(db, to, newPieces, ts)
    if (old === null || row === null) continue
    if (old.bar !== null && row.bar !== null && sameValues(old.bar, row.bar)) {
      takeOver(db, to, old, row)
      continue
    }
    if (row.shown !== null) putBar(db, to, { ...row, shown: null, shownPosition: null })
    const kind = endOf(old, row)
    if (kind === null || kind === RevisionKind.overwritten) continue
    putRevision(db, to, { ...old, kind, supersededBy: row.applied }, at)
    revisions++
  }
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
