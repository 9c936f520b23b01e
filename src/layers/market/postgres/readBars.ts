/**
 * Bars as a stream of pages, and single bars with their lineage. A page is one statement, so it sees one state of the database, and
 * it says whether its generation is there, with all that the reader's mark knows of: a reader that was overtaken by `forget` or by retention
 * must not end quietly. No connection is held between two pages, and no snapshot: a consumer may take as long as it likes.
 */
import { Effect, Option, Stream } from "effect"
import type { Bar } from "../../../domain/Bar.ts"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError, StoredBar } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, PostgresRow } from "../../postgres/PostgresDatabase.ts"
import { instantOf, int4, int8, type SqlParameter, text } from "../../postgres/values.ts"
import { num, responseId, toBar, valueColumnsOf } from "../rows.ts"
import type { Mark } from "../seriesMark.ts"
import { isWhole, lost, type ReadOptions, readMark } from "./seriesMark.ts"
import { tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

/** The first page is small, so that a reader who takes one row, or none, has few of them in memory. */
const firstPageRows = 1_000
const pageRows = 4_000

const lineageOf = (alias: string) =>
  `, p.response, coalesce(${alias}.shown_position, ${alias}.position), p.decoder_version, p.fetched_at, ${alias}.final`

/** Of the generation `g.id`; $1 and $2 are the range, $3 how many. */
const bareRows = `select ${valueColumnsOf("b")} from tapestry_app.bars b
  where b.generation = g.id and b.ts >= $1 and b.ts < $2 order by b.ts limit $3`

const originalRows = (known: string) => `select ${valueColumnsOf("b")}${lineageOf("b")} from tapestry_app.bars b
  join tapestry_app.applied p on p.id = coalesce(b.shown, b.applied)
  where b.generation = g.id and b.ts >= $1 and b.ts < $2 ${known} order by b.ts limit $3`

/** Rows as they were known at $4: those that are current and were known then, and those that were superseded since. */
const knownRows = `select * from (
  (${originalRows("and p.fetched_at <= $4")})
  union all
  (select ${valueColumnsOf("r")}${lineageOf("r")} from tapestry_app.revisions r
  join tapestry_app.applied p on p.id = coalesce(r.shown, r.applied)
  join tapestry_app.applied q on q.id = r.superseded_by
  where r.generation = g.id and r.ts >= $1 and r.ts < $2 and r.kind > 0 and r.open is not null
  and r.superseded_at is null and p.fetched_at <= $4 and q.fetched_at > $4 order by r.ts limit $3)
  ) known order by ts limit $3`

/** One row of nulls where the generation is there and has none; none where it is gone, or what is still to be read of it was dropped. */
const ofGeneration = (
  rows: string,
  generation: string,
  cuts: string,
  from: string
) => `select v.* from tapestry_app.generations g
  left join lateral (${rows}) v on true where g.id = ${generation} and ${isWhole(cuts, from)} order by v.ts`
const ofVisible = `select v.*, g.id, g.cuts from tapestry_app.series s join tapestry_app.generations g on g.id = s.generation
  left join lateral (${bareRows}) v on true where s.tenant = $4 and s.canonical = $5 order by v.ts`

const pageNow = ofGeneration(bareRows, "$4", "$5", "$6")
const pageAsOf = ofGeneration(knownRows, "$5", "$6", "$7")
const originsNow = ofGeneration(originalRows(""), "$4", "$5", "$6")

const originOfVisible = `select ${valueColumnsOf("b")}${lineageOf("b")} from tapestry_app.series s
  join tapestry_app.bars b on b.generation = s.generation and b.ts = $1
  join tapestry_app.applied p on p.id = coalesce(b.shown, b.applied) where s.tenant = $2 and s.canonical = $3`

interface Position {
  readonly from: number
  readonly limit: number
}

/** What is read of a row: the statements for a page as it is now and as it was, and what becomes of what they give. */
interface Shape<A> {
  readonly now: string
  readonly asOf: string
  readonly convert: (row: PostgresRow) => A
}

const bare: Shape<Bar> = { now: pageNow, asOf: pageAsOf, convert: toBar }

/** The pages of a generation from a position on. */
const pages = <A>(
  database: PostgresDatabase,
  shape: Shape<A>,
  mark: Mark,
  first: Position,
  end: EpochMillis,
  asOf: EpochMillis | undefined
): Stream.Stream<A, MarketStoreError> => {
  const query = database.query("read bars")
  return Stream.paginate<Position, A, MarketStoreError>(first, ({ from, limit }) => {
    const range: ReadonlyArray<SqlParameter> = [instantOf(from), instantOf(end), int4(limit)]
    const marked: ReadonlyArray<SqlParameter> = [int8(mark.generation), int8(mark.cuts), int8(from)]
    const rows =
      asOf === undefined
        ? query(shape.now, [...range, ...marked])
        : query(shape.asOf, [...range, int8(asOf), ...marked])
    return Effect.flatMap(
      mapStoreFailure(rows),
      (found): Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<Position>], MarketStoreError> => {
        const last = found[found.length - 1]
        if (last === undefined) return lost(database, mark.generation)
        if (last[0] === null) return Effect.succeed([[], Option.none()])
        const next = found.length < limit ? Option.none() : Option.some({ from: num(last[0]) + 1, limit: pageRows })
        return Effect.succeed([found.map(shape.convert), next])
      }
    )
  })
}

const readVisible = (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange
): Stream.Stream<Bar, MarketStoreError> =>
  Stream.unwrap(
    Effect.map(
      mapStoreFailure(
        database.query("read bars")(ofVisible, [
          instantOf(range.start),
          instantOf(range.end),
          int4(firstPageRows),
          tenant,
          text(canonical(key))
        ])
      ),
      (rows) => {
        const last = rows[rows.length - 1]
        if (last === undefined || last[0] === null) return Stream.empty
        const first = Stream.fromArray(rows.map(toBar))
        if (rows.length < firstPageRows) return first
        const position = { from: num(last[0]) + 1, limit: pageRows }
        return Stream.concat(
          first,
          pages(database, bare, { generation: num(last[8]), cuts: num(last[9]) }, position, range.end, undefined)
        )
      }
    )
  )

/** The generation is chosen when the stream starts, and stays. */
export const readBars = (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange,
  options?: ReadOptions
): Stream.Stream<Bar, MarketStoreError> =>
  options?.asOf === undefined && options?.generation === undefined
    ? readVisible(database, key, range)
    : Stream.unwrap(
        Effect.map(readMark(database, key, options), (mark) =>
          mark === null
            ? Stream.empty
            : pages(database, bare, mark, { from: range.start, limit: firstPageRows }, range.end, options.asOf)
        )
      )

const toStored = (row: PostgresRow): StoredBar => ({
  bar: toBar(row),
  lineage: {
    response: responseId(row[8]),
    position: num(row[9]),
    decoderVersion: num(row[10]),
    recordedAt: num(row[11])
  },
  final: row[12] === 1
})

const withOrigin: Shape<StoredBar> = { now: originsNow, asOf: pageAsOf, convert: toStored }

/** As {@link readBars}, each row with where it came from. */
export const readStoredBars = (
  database: PostgresDatabase,
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
  database: PostgresDatabase,
  key: SeriesKey,
  ts: EpochMillis,
  asOf: EpochMillis | undefined
): Effect.Effect<StoredBar | null, MarketStoreError> =>
  asOf === undefined
    ? Effect.map(
        mapStoreFailure(database.query("read bar")(originOfVisible, [instantOf(ts), tenant, text(canonical(key))])),
        ([row]) => (row === undefined ? null : toStored(row))
      )
    : readStoredBars(database, key, { start: ts, end: ts + 1 }, { asOf }).pipe(
        Stream.take(1),
        Stream.runCollect,
        Effect.map(([row]) => row ?? null)
      )
