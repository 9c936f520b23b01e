/**
 * The tables `coverage` and `refusals`: at each instant the newest answer about it, and the newest refusal, as disjoint pieces (see
 * refusals.ts). All functions are synchronous and touch a bounded number of pieces.
 */
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { compare, type KnowledgeKey } from "./KnowledgeKey.ts"
import { num, numOrNull } from "./rows.ts"
import { namedGeneration, tenant, visibleGeneration } from "./seriesTable.ts"
import { isRefusal } from "./stateCode.ts"

/** What an answer says about an interval; `code` and `until` as in stateCode.ts. */
export interface Answer extends KnowledgeKey {
  readonly start: number
  readonly end: number
  readonly code: number
  readonly until: number | null
}

/** A stretch of an answer with nothing newer; `settled` is false only where nothing final was ever asserted inside it. */
export interface Piece extends Answer {
  readonly settled: boolean
}

const columns = "start_ts, end_ts, state, until, fetched_at, response, decoder_version, settled"

export type PieceTable = "coverage" | "refusals"

const statementsOf = (table: PieceTable) => ({
  before: `select ${columns} from ${table} where generation = ? and start_ts <= ? order by start_ts desc limit 1`,
  visibleBefore: `select ${columns} from ${table} where generation = ${visibleGeneration} and start_ts <= ?
    order by start_ts desc limit 1`,
  namedBefore: `select ${columns} from ${table} where generation = ${namedGeneration} and start_ts <= ?
    order by start_ts desc limit 1`,
  within: `select ${columns} from ${table} where generation = ? and start_ts > ? and start_ts < ? order by start_ts limit ?`,
  insert: `insert into ${table} (generation, ${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  remove: `delete from ${table} where generation = ? and start_ts = ?`,
  settle: `update ${table} set settled = 1 where generation = ? and start_ts = ?`
})

const statements = { coverage: statementsOf("coverage"), refusals: statementsOf("refusals") }

const toPiece = (row: ReadonlyArray<SqlValue>): Piece => ({
  start: num(row[0]),
  end: num(row[1]),
  code: num(row[2]),
  until: numOrNull(row[3]),
  fetchedAt: num(row[4]),
  response: num(row[5]),
  decoderVersion: num(row[6]),
  settled: row[7] === 1
})

/**
 * The one piece of a generation (of what readers see, where it is not given) that covers all of `[start, end)`; null where it
 * takes none or several, or refusals, too.
 */
export const onePieceOf = (
  db: SyncDatabase,
  series: SeriesKey,
  start: number,
  end: number,
  generation?: number
): Piece | null => {
  const text = canonical(series)
  const at = (table: PieceTable, ts: number) =>
    generation === undefined
      ? db.prepare(statements[table].visibleBefore).get(tenant, text, ts)
      : db.prepare(statements[table].namedBefore).get(tenant, text, generation, ts)
  const before = at("coverage", start)
  if (before === undefined || num(before[1]) < end) return null
  const refusal = at("refusals", end - 1)
  return refusal !== undefined && num(refusal[1]) > start ? null : toPiece(before)
}

/** The first pieces that meet `[start, end)`, ascending, unclipped: at most `limit` and one. */
export const piecesIn = (
  db: SyncDatabase,
  generation: number,
  start: number,
  end: number,
  limit: number,
  table: PieceTable = "coverage"
): Array<Piece> => {
  const pieces: Array<Piece> = []
  const before = db.prepare(statements[table].before).get(generation, start)
  if (before !== undefined && num(before[1]) > start) pieces.push(toPiece(before))
  // Pieces are disjoint, and most ranges lie within one.
  if ((pieces[0]?.end ?? start) >= end) return pieces
  for (const row of db.prepare(statements[table].within).all(generation, start, end, limit)) pieces.push(toPiece(row))
  return pieces
}

const insert = (
  db: SyncDatabase,
  table: PieceTable,
  generation: number,
  piece: Piece,
  start: number,
  end: number
): void => {
  if (start >= end) return
  db.prepare(statements[table].insert).run(
    generation,
    start,
    end,
    piece.code,
    piece.until,
    piece.fetchedAt,
    piece.response,
    piece.decoderVersion,
    piece.settled ? 1 : 0
  )
}

/** Where an overlay that takes several steps has come to. */
export interface Overlay {
  /** Pieces before this are done. */
  readonly from: number
  /** Start of the stretch, not written yet, in which nothing newer was met. */
  readonly open: number
  readonly settled: boolean
}

export const beginOverlay = (answer: Answer, settles: boolean): Overlay => ({
  from: answer.start,
  open: answer.start,
  settled: settles
})

/**
 * Lays an answer over what is there: older pieces are cut away beneath it, newer ones cut it. Handles up to `limit` pieces and
 * returns where to go on, or null when it is done. The outcome does not depend on the order in which answers are laid.
 */
export const overlay = (
  db: SyncDatabase,
  generation: number,
  answer: Answer,
  progress: Overlay,
  limit: number
): Overlay | null => {
  const table: PieceTable = isRefusal(answer.code) ? "refusals" : "coverage"
  const pieces = piecesIn(db, generation, progress.from, answer.end, limit, table)
  let { open, settled } = progress
  for (const piece of pieces) {
    if (compare(piece, answer) > 0) {
      insert(db, table, generation, { ...answer, settled }, open, piece.start)
      if (settled && !piece.settled) db.prepare(statements[table].settle).run(generation, piece.start)
      open = piece.end
    } else {
      db.prepare(statements[table].remove).run(generation, piece.start)
      insert(db, table, generation, piece, piece.start, answer.start)
      insert(db, table, generation, piece, answer.end, piece.end)
      settled = settled || piece.settled
    }
  }
  const last = pieces[pieces.length - 1]
  if (last !== undefined && pieces.length >= limit && last.end < answer.end) return { from: last.end, open, settled }
  insert(db, table, generation, { ...answer, settled }, open, answer.end)
  return null
}
