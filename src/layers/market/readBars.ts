/** Bars as a stream of pages, and single bars with their lineage. */
import { Effect, Option, Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { MarketStoreError, type StoredBar } from "../../services/MarketStore.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SqliteDatabase, SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { goneOf, pinGeneration, pinned, type ReadOptions } from "./pinned.ts"
import { num, responseId, toBar, valueColumns, valueColumnsOf } from "./rows.ts"
import { lost, type Mark, readMark } from "./seriesMark.ts"
import { findGeneration } from "./seriesTable.ts"
import { mapStoreError } from "./storeError.ts"

/** The first page is small, so that a reader who takes one row, or none, has few of them in memory. */
const firstPageRows = 1_000
const pageRows = 4_000

const lineageOf = (alias: string) =>
  `p.response, coalesce(${alias}.shown_position, ${alias}.position), p.decoder_version, p.fetched_at, ${alias}.final`

const selectPage = `select ${valueColumns} from bars where generation = ${Planned.number} and ts >= ? and ts < ?
  order by ts limit ${Planned.number}`

const currentRows = (tail: (alias: string) => string) => `select ${valueColumnsOf("b")}${tail("b")} from bars b
  join applied p on p.id = coalesce(b.shown, b.applied)
  where b.generation = ${Planned.number} and b.ts >= ? and b.ts < ?`

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
  mark: Mark,
  first: Position,
  end: EpochMillis,
  asOf: EpochMillis | undefined
): Stream.Stream<A, MarketStoreError> =>
  Stream.paginate<Position, A, MarketStoreError>(first, (position) =>
    Effect.flatMap(
      mapStoreError(
        database.read("read bars", (db) => {
          const rows = page(db, shape, mark.generation, position, end, asOf)
          return lost(db, mark, position.from) ?? rows
        })
      ),
      (rows): Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<Position>], MarketStoreError> => {
        if (rows instanceof MarketStoreError) return Effect.fail(rows)
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
  options: Pick<ReadOptions, "generation" | "cuts"> | undefined
): Stream.Stream<Bar, MarketStoreError> =>
  Stream.unwrap(
    Effect.flatMap(
      mapStoreError(
        database.read("read bars", (db) => {
          const found = pinned(db, key, options)
          if (found === "gone") return goneOf(options)
          if (found === null) return null
          const rows = db.prepare(selectPage).all(found, range.start, range.end, firstPageRows)
          // Who has seen nothing before, and reads nothing after, needs no mark.
          if (options?.cuts === undefined && rows.length < firstPageRows) return { mark: null, rows }
          const mark = { generation: found, cuts: options?.cuts ?? findGeneration(db, found)?.cuts ?? 0 }
          return lost(db, mark, range.start) ?? { mark, rows }
        })
      ),
      (found): Effect.Effect<Stream.Stream<Bar, MarketStoreError>, MarketStoreError> => {
        if (found === null) return Effect.succeed(Stream.empty)
        if (found instanceof MarketStoreError) return Effect.fail(found)
        const first = Stream.fromArray(found.rows.map(toBar))
        const last = found.rows[found.rows.length - 1]
        if (found.mark === null || last === undefined || found.rows.length < firstPageRows) {
          return Effect.succeed(first)
        }
        const position = { from: num(last[0]) + 1, limit: pageRows }
        const rest = pages(database, bare, found.mark, position, range.end, undefined)
        return Effect.succeed(Stream.concat(first, Stream.unwrap(Effect.as(Effect.yieldNow, rest))))
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
    ? readNow(database, key, range, options)
    : Stream.unwrap(
        Effect.map(readMark(database, key, options), (mark) =>
          mark === null
            ? Stream.empty
            : pages(database, bare, mark, { from: range.start, limit: firstPageRows }, range.end, options.asOf)
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
  current: `${currentRows(withLineage)} order by b.ts limit ${Planned.number}`,
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
    Effect.map(readMark(database, key, options), (mark) =>
      mark === null
        ? Stream.empty
        : pages(database, withOrigin, mark, { from: range.start, limit: pageRows }, range.end, options?.asOf)
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
