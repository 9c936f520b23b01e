/** Coverage of a range: as it is from the tables of pieces, as it was by a sweep over the answers known then. */
import { Effect } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { answersIn } from "./answersTable.ts"
import { piecesIn } from "./coverageTable.ts"
import type { Answer, PieceTable } from "./GenerationTables.ts"
import { clipped, knownOf } from "./knownCoverage.ts"
import { goneOf, pinGeneration, pinned, type ReadOptions } from "./pinned.ts"
import { withRefusals } from "./refusals.ts"
import { mapStoreError } from "./storeError.ts"

/** Pieces between two turns of the event loop; about four milliseconds. */
const pagePieces = 8_192
/** Pieces that are read in the step which finds their generation. */
const fewPieces = 256

const allPieces = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  generation: number,
  range: TimeRange,
  table: PieceTable
) {
  const found: Array<Answer> = []
  let from = range.start
  for (;;) {
    const start = from
    const pieces = yield* database.read("coverage", (db) =>
      piecesIn(db, generation, start, range.end, pagePieces, table)
    )
    for (const piece of pieces) found.push(piece)
    const last = pieces[pieces.length - 1]
    if (last === undefined || pieces.length < pagePieces || last.end >= range.end) return found
    from = last.end
    yield* Effect.yieldNow
  }
})

const current = Effect.fnUntraced(function* (database: SqliteDatabase, generation: number, range: TimeRange) {
  const answers = yield* allPieces(database, generation, range, "coverage")
  return withRefusals(answers, yield* allPieces(database, generation, range, "refusals"))
})

/**
 * What one step finds: all of it for most ranges that are asked for, which meet few pieces. `rest` is the generation whose
 * pieces are too many for that.
 */
const few = (db: SyncDatabase, key: SeriesKey, range: TimeRange, options: ReadOptions | undefined) => {
  const { end, start } = range
  const generation = pinned(db, key, options)
  if (generation === "gone") return generation
  if (generation === null) return { pieces: [], rest: null }
  const answers = piecesIn(db, generation, start, end, fewPieces, "coverage")
  if (answers.length >= fewPieces) return { pieces: [], rest: generation }
  const refusals = piecesIn(db, generation, start, end, fewPieces, "refusals")
  if (refusals.length >= fewPieces) return { pieces: [], rest: generation }
  return { pieces: withRefusals(answers, refusals), rest: null }
}

const known = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  generation: number,
  range: TimeRange,
  asOf: number
) {
  const read = <A>(f: (db: SyncDatabase) => A) => database.read("coverage", f)
  const answers = yield* answersIn(read, generation, range.start, range.end, asOf)
  return yield* knownOf(answers)
})

export const readCoverage: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
) => Effect.Effect<ReadonlyArray<StoredCoverage>, MarketStoreError> = Effect.fnUntraced(
  function* (database, key, range, options) {
    const asOf = options?.asOf
    let generation: number | null
    if (asOf === undefined) {
      const first = yield* mapStoreError(database.read("coverage", (db) => few(db, key, range, options)))
      if (first === "gone") return yield* goneOf(options)
      if (first.rest === null) return yield* clipped(range, first.pieces)
      generation = first.rest
    } else {
      generation = yield* pinGeneration(database, key, options)
      if (generation === null) return []
    }
    const pieces = yield* mapStoreError(
      asOf === undefined ? current(database, generation, range) : known(database, generation, range, asOf)
    )
    return yield* clipped(range, pieces)
  }
)
