/** Coverage of a range: as it is from the table `coverage`, as it was by a sweep over the answers known then. */
import { Effect } from "effect"
import type { StoredCoverage } from "../../../domain/Coverage.ts"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import type { Answer, PieceTable } from "../GenerationTables.ts"
import { clipped, knownOf } from "../knownCoverage.ts"
import { withRefusals } from "../refusals.ts"
import { answersBetween, bothBetween, piecesBetween } from "./coverageRows.ts"
import { pinGeneration, type ReadOptions } from "./seriesMark.ts"
import { mapStoreFailure } from "./storeFailure.ts"

const pagePieces = 8_192

/** The pieces of a table behind a first page that was full. */
const rest = Effect.fnUntraced(function* (
  query: Query,
  table: PieceTable,
  generation: number | null,
  first: ReadonlyArray<Answer>,
  end: number
) {
  if (generation === null || first.length < pagePieces) return first
  const found = [...first]
  for (;;) {
    const from = found[found.length - 1]?.end ?? end
    if (from >= end) return found
    const pieces = yield* piecesBetween(query, table, generation, from, end, pagePieces)
    for (const piece of pieces) found.push(piece)
    if (pieces.length < pagePieces) return found
  }
})

/** What holds now. Most ranges have few pieces, and then one statement reads all of one moment. */
const current = Effect.fnUntraced(function* (database: PostgresDatabase, of: number | SeriesKey, range: TimeRange) {
  const query = database.query("coverage")
  const { coverage, generation, refusals } = yield* bothBetween(query, of, range.start, range.end, pagePieces)
  return withRefusals(
    yield* rest(query, "coverage", generation, coverage, range.end),
    yield* rest(query, "refusals", generation, refusals, range.end)
  )
})

export const readCoverage: (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
) => Effect.Effect<ReadonlyArray<StoredCoverage>, MarketStoreError> = Effect.fnUntraced(
  function* (database, key, range, options) {
    const { asOf, generation } = options ?? {}
    if (asOf === undefined && generation === undefined) {
      return yield* clipped(range, yield* mapStoreFailure(current(database, key, range)))
    }
    const pinned = yield* pinGeneration(database, key, options)
    if (pinned === null) return []
    const pieces = yield* mapStoreFailure(
      asOf === undefined
        ? current(database, pinned, range)
        : Effect.flatMap(answersBetween(database.query("coverage"), pinned, range.start, range.end, asOf), knownOf)
    )
    return yield* clipped(range, pieces)
  }
)
