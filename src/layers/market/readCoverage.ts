/** Coverage of a range: as it is from the table `coverage`, as it was by a sweep over the answers known then. */
import { Effect } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { answersIn } from "./answersTable.ts"
import { type Answer, onePieceOf, piecesIn } from "./coverageTable.ts"
import { pinGeneration, type ReadOptions } from "./readBars.ts"
import { responseId } from "./rows.ts"
import { Skyline } from "./Skyline.ts"
import { decode } from "./stateCode.ts"
import { mapStoreError } from "./storeError.ts"

/** Pieces between two turns of the event loop; about four milliseconds. */
const pagePieces = 8_192

const add = (found: Array<StoredCoverage>, range: TimeRange, pieces: ReadonlyArray<Answer>): void => {
  for (const piece of pieces) {
    const state = decode(piece.code, piece.until, responseId(piece.response))
    const start = Math.max(range.start, piece.start)
    const end = Math.min(range.end, piece.end)
    if (state === null || start >= end) continue
    const kept = { start, end, state, recordedAt: piece.fetchedAt }
    found.push(state._tag === "Covered" && piece.until !== null ? { ...kept, askedAt: piece.until } : kept)
  }
}

const current = Effect.fnUntraced(function* (database: SqliteDatabase, generation: number, range: TimeRange) {
  const found: Array<StoredCoverage> = []
  let from = range.start
  for (;;) {
    const start = from
    const pieces = yield* database.read("coverage", (db) => piecesIn(db, generation, start, range.end, pagePieces))
    add(found, range, pieces)
    const last = pieces[pieces.length - 1]
    if (last === undefined || pieces.length < pagePieces || last.end >= range.end) return found
    from = last.end
    yield* Effect.yieldNow
  }
})

const known = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  generation: number,
  range: TimeRange,
  asOf: number
) {
  const answers = yield* answersIn((f) => database.read("coverage", f), generation, range.start, range.end, asOf)
  const skyline = new Skyline(answers.sort((a, b) => a.start - b.start))
  const found: Array<StoredCoverage> = []
  for (;;) {
    const pieces = skyline.next(pagePieces)
    if (pieces.length === 0) return found
    add(found, range, pieces)
    yield* Effect.yieldNow
  }
})

export const readCoverage: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
) => Effect.Effect<ReadonlyArray<StoredCoverage>, MarketStoreError> = Effect.fnUntraced(
  function* (database, key, range, options) {
    const asOf = options?.asOf
    if (asOf === undefined && options?.generation === undefined) {
      // Most ranges that are asked for lie within one piece, which one statement finds.
      const piece = yield* mapStoreError(database.read("coverage", (db) => onePieceOf(db, key, range.start, range.end)))
      if (piece !== null) {
        const found: Array<StoredCoverage> = []
        add(found, range, [piece])
        return found
      }
    }
    const generation = yield* pinGeneration(database, key, options)
    if (generation === null) return []
    return yield* mapStoreError(
      asOf === undefined ? current(database, generation, range) : known(database, generation, range, asOf)
    )
  }
)
