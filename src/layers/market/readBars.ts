/** Bars as a stream of pages, and single bars with their lineage. */
import { Effect, Option, Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { GenerationId, MarketStoreError, StoredBar } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { num, responseId, toBar, valueColumns, valueColumnsOf } from "./rows.ts"
import { findGeneration, findSeries, generationAt } from "./seriesTable.ts"
import { generationGone, mapStoreError } from "./storeError.ts"

/** The first page is small, so that a reader who takes one row, or none, has few of them in memory. */
const firstPageRows = 1_000
const pageRows = 4_000

const lineageOf = (alias: string) =>
  `p.response, coalesce(${alias}.shown_position, ${alias}.position), p.decoder_version, p.fetched_at, ${alias}.final`

const selectPage = `select ${valueColumns} from bars where generation = ? and ts >= ? and ts < ? order by ts limit ?`

const currentRows = (tail: (alias: string) => string) => `select ${valueColumnsOf("b")}${tail("b")} from bars b
  join applied p on p.id = coalesce(b.shown, b.applied)
  where b.generation = ? and b.ts >= ? and b.ts < ?`

const knownRows = (tail: (alias: string) => string) => `${currentRows(tail)} and p.fetched_at <= ?`

/** Rows as they were known: those that are current and were known then, and those that were superseded since. */
const knownAsOf = (tail: (alias: string) => string) => `${knownRows(tail)}
  union all
  select ${valueColumnsOf("r")}${tail("r")} from revisions r
  join applied p on p.id = coalesce(r.shown, r.applied)
  join applied q on q.id = r.superseded_by
  where r.generation = ? and r.ts >= ? and r.ts < ? and r.kind > 0 and r.open is not null
  and r.superseded_at is null and p.fetched_at <= ? and q.fetched_at > ?
  order by 1 limit ?`

const withLineage = (alias: string) => `, ${lineageOf(alias)}`
const selectOne = `${knownRows(withLineage)} limit 1`
const selectOneAsOf = knownAsOf(withLineage)

export interface ReadOptions {
  readonly asOf?: EpochMillis
  readonly generation?: GenerationId
}

/**
 * The generation to read, as a part of a step; null when the series has none yet. A generation of another series, or a dropped one,
 * is gone.
 */
export const pinned = (db: SyncDatabase, key: SeriesKey, options: ReadOptions | undefined): number | null | "gone" => {
  const series = findSeries(db, key)
  if (options?.generation !== undefined) {
    const row = findGeneration(db, options.generation)
    return row === null || row.series !== series?.id || row.state === "dropped" ? "gone" : options.generation
  }
  if (series === null) return null
  return options?.asOf === undefined ? series.generation : generationAt(db, series.id, options.asOf)
}

export const goneOf = (options: ReadOptions | undefined): MarketStoreError =>
  generationGone(`generation ${options?.generation} was dropped, or is of another series`)

export const pinGeneration = (
  database: SqliteDatabase,
  key: SeriesKey,
  options: ReadOptions | undefined
): Effect.Effect<number | null, MarketStoreError> =>
  database
    .read("pin generation", (db) => pinned(db, key, options))
    .pipe(
      mapStoreError,
      Effect.flatMap((found) => (found === "gone" ? Effect.fail(goneOf(options)) : Effect.succeed(found)))
    )

/** True while the rows of a generation are all there; a reader that was overtaken by `forget` must not end quietly. */
export const isThere = (db: SyncDatabase, generation: number): boolean => {
  const row = findGeneration(db, generation)
  return row !== null && row.state !== "dropped"
}

interface Position {
  readonly from: number
  readonly limit: number
}

/** What is read of a row: the statements for a page as it is now and as it was, and what becomes of what they give. */
interface Shape<A> {
  readonly current: string
  readonly asOf: string
  readonly convert: (row: ReadonlyArray<SqlValue>) => A
}

const bare: Shape<Bar> = { current: selectPage, asOf: knownAsOf(() => ""), convert: toBar }

const page = (
  db: SyncDatabase,
  shape: Pick<Shape<unknown>, "current" | "asOf">,
  generation: number,
  { from, limit }: Position,
  end: number,
  asOf: number | undefined
) =>
  asOf === undefined
    ? db.prepare(shape.current).all(generation, from, end, limit)
    : db.prepare(shape.asOf).all(generation, from, end, asOf, generation, from, end, asOf, asOf, limit)

/** The pages of a generation from a position on. A turn of the event loop passes between them. */
const pages = <A>(
  database: SqliteDatabase,
  shape: Shape<A>,
  generation: number,
  first: Position,
  end: EpochMillis,
  asOf: EpochMillis | undefined
): Stream.Stream<A, MarketStoreError> =>
  Stream.paginate<Position, A, MarketStoreError>(first, (position) =>
    Effect.flatMap(
      mapStoreError(
        database.read("read bars", (db) => {
          const rows = page(db, shape, generation, position, end, asOf)
          return isThere(db, generation) ? rows : null
        })
      ),
      (rows): Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<Position>], MarketStoreError> => {
        if (rows === null) return Effect.fail(generationGone("the series was removed while it was read"))
        const last = rows[rows.length - 1]
        if (last === undefined) return Effect.succeed([[], Option.none()])
        const bars = rows.map(shape.convert)
        return rows.length < position.limit
          ? Effect.succeed([bars, Option.none()])
          : Effect.as(Effect.yieldNow, [bars, Option.some({ from: num(last[0]) + 1, limit: pageRows })])
      }
    )
  )

const readNow = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  generation: GenerationId | undefined
): Stream.Stream<Bar, MarketStoreError> =>
  Stream.unwrap(
    Effect.map(
      mapStoreError(
        database.read("read bars", (db) => {
          const found = pinned(db, key, generation === undefined ? undefined : { generation })
          if (found === "gone") return found
          if (found === null) return null
          return {
            generation: found,
            rows: db.prepare(selectPage).all(found, range.start, range.end, firstPageRows)
          }
        })
      ),
      (found): Stream.Stream<Bar, MarketStoreError> => {
        if (found === "gone") return Stream.fail(goneOf(generation === undefined ? undefined : { generation }))
        if (found === null) return Stream.empty
        const first = Stream.fromArray(found.rows.map(toBar))
        const last = found.rows[found.rows.length - 1]
        if (last === undefined || found.rows.length < firstPageRows) return first
        const rest = pages(
          database,
          bare,
          found.generation,
          { from: num(last[0]) + 1, limit: pageRows },
          range.end,
          undefined
        )
        return Stream.concat(first, Stream.unwrap(Effect.as(Effect.yieldNow, rest)))
      }
    )
  )

/** The generation is chosen when the stream starts, and stays. */
export const readBars = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
): Stream.Stream<Bar, MarketStoreError> =>
  options?.asOf === undefined
    ? readNow(database, key, range, options?.generation)
    : Stream.unwrap(
        Effect.map(pinGeneration(database, key, options), (generation) =>
          generation === null
            ? Stream.empty
            : pages(database, bare, generation, { from: range.start, limit: firstPageRows }, range.end, options.asOf)
        )
      )

const toStored = (row: ReadonlyArray<SqlValue>): StoredBar => ({
  bar: toBar(row),
  lineage: {
    response: responseId(row[8]),
    position: num(row[9]),
    decoderVersion: num(row[10]),
    recordedAt: num(row[11])
  },
  final: row[12] === 1
})

const withOrigin: Shape<StoredBar> = {
  current: `${currentRows(withLineage)} order by b.ts limit ?`,
  asOf: selectOneAsOf,
  convert: toStored
}

/** As {@link readBars}, each row with where it came from. */
export const readStoredBars = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: Pick<ReadOptions, "asOf">
): Stream.Stream<StoredBar, MarketStoreError> =>
  Stream.unwrap(
    Effect.map(pinGeneration(database, key, options), (generation) =>
      generation === null
        ? Stream.empty
        : pages(database, withOrigin, generation, { from: range.start, limit: pageRows }, range.end, options?.asOf)
    )
  )

export const readBar = (
  database: SqliteDatabase,
  key: SeriesKey,
  ts: EpochMillis,
  asOf: EpochMillis | undefined
): Effect.Effect<StoredBar | null, MarketStoreError> =>
  Effect.flatMap(pinGeneration(database, key, asOf === undefined ? undefined : { asOf }), (generation) =>
    generation === null
      ? Effect.succeed(null)
      : mapStoreError(
          database.read("read bar", (db) => {
            const row =
              asOf === undefined
                ? db.prepare(selectOne).get(generation, ts, ts + 1, Number.MAX_SAFE_INTEGER)
                : db.prepare(selectOneAsOf).get(generation, ts, ts + 1, asOf, generation, ts, ts + 1, asOf, asOf, 1)
            return row === undefined ? null : toStored(row)
          })
        )
  )
