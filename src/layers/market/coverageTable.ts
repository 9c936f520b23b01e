/**
 * The tables `coverage` and `refusals`: at each instant the newest answer about it, and the newest refusal, as disjoint pieces (see
 * refusals.ts). All functions are synchronous and touch a bounded number of pieces.
 */
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { CoverageTables, Piece, PieceTable } from "./GenerationTables.ts"
import { num, numOrNull } from "./rows.ts"
import { namedGeneration, tenant, visibleGeneration } from "./seriesTable.ts"

const columns = "start_ts, end_ts, state, until, fetched_at, response, decoder_version, settled"

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

export const coverageTables = (db: SyncDatabase, table: PieceTable): CoverageTables => {
  const { insert, remove, settle } = statements[table]
  return {
    piecesIn: (generation, start, end, limit) => piecesIn(db, generation, start, end, limit, table),
    insertPiece: (generation, piece) => {
      db.prepare(insert).run(
        generation,
        piece.start,
        piece.end,
        piece.code,
        piece.until,
        piece.fetchedAt,
        piece.response,
        piece.decoderVersion,
        piece.settled ? 1 : 0
      )
    },
    deletePiece: (generation, start) => {
      db.prepare(remove).run(generation, start)
    },
    settlePiece: (generation, start) => {
      db.prepare(settle).run(generation, start)
    }
  }
}
