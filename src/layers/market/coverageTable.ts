/**
 * The tables `coverage` and `refusals`: at each instant the newest answer about it, and the newest refusal, as disjoint pieces (see
 * refusals.ts). All functions are synchronous and touch a bounded number of pieces.
 */
import * as Planned from "../sqlite/planned.ts"
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { CoverageTables, Piece, PieceTable } from "./GenerationTables.ts"
import { num, numOrNull } from "./rows.ts"

const columns = "start_ts, end_ts, state, until, fetched_at, response, decoder_version, settled"

const statementsOf = (table: PieceTable) => ({
  meeting: `select ${columns} from ${table} where generation = ${Planned.number} and start_ts < ? and start_ts >= coalesce(
    (select start_ts from ${table} where generation = ${Planned.number} and start_ts <= ? order by start_ts desc limit 1), ?)
    order by start_ts limit ${Planned.number}`,
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

/** The first pieces that meet `[start, end)`, ascending, unclipped: at most `limit` and one. */
export const piecesIn = (
  db: SyncDatabase,
  generation: number,
  start: number,
  end: number,
  limit: number,
  table: PieceTable = "coverage"
): Array<Piece> => {
  const rows = db
    .prepare(statements[table].meeting)
    .all(generation, Math.max(end, start + 1), generation, start, start, limit + 1)
  const pieces = rows.map(toPiece)
  // Nothing but the first can lie before the range.
  if ((pieces[0]?.end ?? end) <= start) pieces.shift()
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
