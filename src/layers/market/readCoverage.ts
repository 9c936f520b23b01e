/** Coverage of a range: as it is from the tables of pieces, as it was by a sweep over the answers known then. */
import { Effect } from "effect"
import type { Refused, StoredCoverage } from "../../domain/Coverage.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { answersIn } from "./answersTable.ts"
import { type Answer, onePieceOf, type PieceTable, piecesIn } from "./coverageTable.ts"
import { pinGeneration, type ReadOptions } from "./readBars.ts"
import { type Known, withRefusals } from "./refusals.ts"
import { responseId } from "./rows.ts"
import { Skyline } from "./Skyline.ts"
import { decode, isRefusal, StateCode } from "./stateCode.ts"
import { mapStoreError } from "./storeError.ts"

/** Pieces between two turns of the event loop; about four milliseconds. */
const pagePieces = 8_192

const refusedOf = ({ code, fetchedAt, response, until }: Answer): Refused => ({
  tag: code === StateCode.NotFound ? "NotFound" : "NotEntitled",
  response: responseId(response),
  recordedAt: fetchedAt,
  until: until ?? 0
})

const add = (found: Array<StoredCoverage>, range: TimeRange, pieces: ReadonlyArray<Known>): void => {
  for (const piece of pieces) {
    const state = decode(piece.code, piece.until, responseId(piece.response))
    const start = Math.max(range.start, piece.start)
    const end = Math.min(range.end, piece.end)
    if (state === null || start >= end) continue
    found.push({
      start,
      end,
      state,
      recordedAt: piece.fetchedAt,
      ...(state._tag === "Covered" && piece.until !== null ? { askedAt: piece.until } : {}),
      ...(piece.refusal === undefined ? {} : { refusal: refusedOf(piece.refusal) })
    })
  }
}

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

const newestOf = Effect.fnUntraced(function* (answers: ReadonlyArray<Answer>) {
  const skyline = new Skyline(answers)
  const found: Array<Answer> = []
  for (;;) {
    const pieces = skyline.next(pagePieces)
    if (pieces.length === 0) return found
    for (const piece of pieces) found.push(piece)
    yield* Effect.yieldNow
  }
})

const known = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  generation: number,
  range: TimeRange,
  asOf: number
) {
  const read = <A>(f: (db: SyncDatabase) => A) => database.read("coverage", f)
  const answers = yield* answersIn(read, generation, range.start, range.end, asOf)
  answers.sort((a, b) => a.start - b.start)
  const refusals = answers.filter(({ code }) => isRefusal(code))
  return withRefusals(yield* newestOf(answers.filter(({ code }) => !isRefusal(code))), yield* newestOf(refusals))
})

export const readCoverage: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
) => Effect.Effect<ReadonlyArray<StoredCoverage>, MarketStoreError> = Effect.fnUntraced(
  function* (database, key, range, options) {
    const asOf = options?.asOf
    const found: Array<StoredCoverage> = []
    if (asOf === undefined) {
      // Most ranges that are asked for lie within one piece, which two statements find.
      const piece = yield* mapStoreError(
        database.read("coverage", (db) => onePieceOf(db, key, range.start, range.end, options?.generation))
      )
      if (piece !== null) {
        add(found, range, [piece])
        return found
      }
    }
    const generation = yield* pinGeneration(database, key, options)
    if (generation === null) return []
    const pieces = yield* mapStoreError(
      asOf === undefined ? current(database, generation, range) : known(database, generation, range, asOf)
    )
    for (let from = 0; from < pieces.length; from += pagePieces) {
      if (from > 0) yield* Effect.yieldNow
      add(found, range, pieces.slice(from, from + pagePieces))
    }
    return found
  }
)
