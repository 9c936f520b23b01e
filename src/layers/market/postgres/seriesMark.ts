/** Which generation is read, and whether what a reader has still to read of it is there; as in SQLite (../seriesMark.ts, ../pinned.ts). */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { GenerationId, MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, PostgresRow } from "../../postgres/PostgresDatabase.ts"
import { int8, text } from "../../postgres/values.ts"
import { num, numOrNull } from "../rows.ts"
import { droppedUnderReader, type Mark, removed } from "../seriesMark.ts"
import { generationGone } from "../storeError.ts"
import { tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

/**
 * Of a generation `g` in the statement that reads rows of it: that they are, from an instant on, what they were when a mark with so many cuts
 * was taken. Rows and this condition are of one moment.
 */
export const isWhole = (cuts: string, from: string): string =>
  `g.state <> 'dropped' and (g.cuts = ${cuts} or g.cut_before <= ${from})`

const selectCut = "select cut_before from tapestry_app.generations where id = $1 and state <> 'dropped'"

/** Why a statement with {@link isWhole} has found nothing. */
export const lost = (database: PostgresDatabase, generation: number): Effect.Effect<never, MarketStoreError> =>
  Effect.flatMap(mapStoreFailure(database.query("mark")(selectCut, [int8(generation)])), ([row]) => {
    const before = row === undefined ? null : numOrNull(row[0])
    return Effect.fail(before === null ? removed : droppedUnderReader(before))
  })

const selectMark = `select g.id, g.cuts, g.state from tapestry_app.series s
  left join tapestry_app.generations g on g.series = s.id and g.id = coalesce($3, s.generation)
  where s.tenant = $1 and s.canonical = $2`
const selectMarkAsOf = `select g.id, g.cuts, g.state from tapestry_app.generations g join tapestry_app.series s on s.id = g.series
  where s.tenant = $1 and s.canonical = $2 and g.state in ('current', 'superseded')
  and (g.published_at is null or g.published_at <= $3) and (g.superseded_at is null or g.superseded_at > $3)
  order by g.id desc limit 1`

export interface ReadOptions {
  readonly asOf?: EpochMillis
  readonly generation?: GenerationId
  readonly cuts?: number
}

const markIn = (row: PostgresRow | undefined): Mark | null =>
  row === undefined || row[0] === null || row[2] === "dropped" ? null : { generation: num(row[0]), cuts: num(row[1]) }

/**
 * The mark to read with; null when the series has no generation yet. `cuts` are those given, or those of now. A generation of another
 * series, or a dropped one, is gone.
 */
export const readMark = (
  database: PostgresDatabase,
  key: SeriesKey,
  options: ReadOptions | undefined
): Effect.Effect<Mark | null, MarketStoreError> => {
  const { asOf, cuts, generation } = options ?? {}
  const named = [tenant, text(canonical(key))]
  const rows =
    generation === undefined && asOf !== undefined
      ? database.query("mark")(selectMarkAsOf, [...named, int8(asOf)])
      : database.query("mark")(selectMark, [...named, int8(generation ?? null)])
  return Effect.flatMap(mapStoreFailure(rows), ([row]) => {
    const found = markIn(row)
    if (found === null) {
      return generation === undefined
        ? Effect.succeed(null)
        : Effect.fail(generationGone(`generation ${generation} was dropped, or is of another series`))
    }
    return Effect.succeed(cuts === undefined ? found : { ...found, cuts })
  })
}

/** The generation to read, as {@link readMark} finds it. */
export const pinGeneration = (
  database: PostgresDatabase,
  key: SeriesKey,
  options: ReadOptions | undefined
): Effect.Effect<number | null, MarketStoreError> =>
  Effect.map(readMark(database, key, options), (mark) => mark?.generation ?? null)
