/** The pieces of one table of coverage that meet a range, read beforehand; what is laid over them is seen at once and written at the end. */
import { Effect } from "effect"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import type { CoverageTables, Piece, PieceTable } from "../GenerationTables.ts"
import { piecesBetween, writePieces } from "./coverageRows.ts"

/** Pieces in memory at once. */
const most = 8_192

export class CoverageWindow implements CoverageTables {
  /** Nothing is known of what lies behind this. */
  readonly reach: number
  private readonly table: PieceTable
  private readonly generation: number
  private readonly before: ReadonlySet<Piece>
  private readonly pieces: Array<Piece>

  constructor(table: PieceTable, generation: number, pieces: ReadonlyArray<Piece>, reach: number) {
    this.table = table
    this.generation = generation
    this.before = new Set(pieces)
    this.pieces = [...pieces]
    this.reach = reach
  }

  /** The first piece that ends behind an instant. */
  private firstBehind(instant: number): number {
    let low = 0
    let high = this.pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.pieces[middle]?.end ?? Number.POSITIVE_INFINITY) <= instant) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many pieces meet `[start, end)`. */
  count(start: number, end: number): number {
    return this.piecesIn(this.generation, start, end, most).length
  }

  piecesIn(_generation: number, start: number, end: number, limit: number): ReadonlyArray<Piece> {
    const found: Array<Piece> = []
    for (let at = this.firstBehind(start); found.length <= limit; at++) {
      const piece = this.pieces[at]
      if (piece === undefined || piece.start >= end) break
      found.push(piece)
    }
    return found
  }

  insertPiece(_generation: number, piece: Piece): void {
    this.pieces.splice(this.firstBehind(piece.start), 0, piece)
  }

  deletePiece(_generation: number, start: number): void {
    const at = this.firstBehind(start)
    if (this.pieces[at]?.start === start) this.pieces.splice(at, 1)
  }

  settlePiece(_generation: number, start: number): void {
    const at = this.firstBehind(start)
    const piece = this.pieces[at]
    if (piece?.start === start) this.pieces[at] = { ...piece, settled: true }
  }

  flush(query: Query): Effect.Effect<unknown, PostgresFailure> {
    const put = this.pieces.filter((piece) => !this.before.has(piece))
    const kept = new Set(this.pieces.map(({ start }) => start))
    const removed = [...this.before].map(({ start }) => start).filter((start) => !kept.has(start))
    return writePieces(query, this.table, this.generation, removed, put)
  }
}

export const load = (
  query: Query,
  table: PieceTable,
  generation: number,
  start: number,
  end: number
): Effect.Effect<CoverageWindow, PostgresFailure> =>
  Effect.map(
    piecesBetween(query, table, generation, start, end, most),
    (pieces) =>
      new CoverageWindow(
        table,
        generation,
        pieces,
        pieces.length >= most ? (pieces.at(-1)?.end ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
      )
  )
