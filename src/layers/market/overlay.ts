/** Laying answers over the pieces of coverage that are there. */
import type { Answer, CoverageTables, Piece, PieceTable } from "./GenerationTables.ts"
import { compare } from "./KnowledgeKey.ts"
import { isRefusal } from "./stateCode.ts"

/** The table over whose pieces an answer is laid. */
export const tableOf = (code: number): PieceTable => (isRefusal(code) ? "refusals" : "coverage")

const insert = (tables: CoverageTables, generation: number, piece: Piece, start: number, end: number): void => {
  if (start < end) tables.insertPiece(generation, { ...piece, start, end })
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
  tables: CoverageTables,
  generation: number,
  answer: Answer,
  progress: Overlay,
  limit: number
): Overlay | null => {
  const pieces = tables.piecesIn(generation, progress.from, answer.end, limit)
  let { open, settled } = progress
  for (const piece of pieces) {
    if (compare(piece, answer) > 0) {
      insert(tables, generation, { ...answer, settled }, open, piece.start)
      if (settled && !piece.settled) tables.settlePiece(generation, piece.start)
      open = piece.end
    } else {
      tables.deletePiece(generation, piece.start)
      insert(tables, generation, piece, piece.start, answer.start)
      insert(tables, generation, piece, answer.end, piece.end)
      settled = settled || piece.settled
    }
  }
  const last = pieces[pieces.length - 1]
  if (last !== undefined && pieces.length >= limit && last.end < answer.end) return { from: last.end, open, settled }
  insert(tables, generation, { ...answer, settled }, open, answer.end)
  return null
}
