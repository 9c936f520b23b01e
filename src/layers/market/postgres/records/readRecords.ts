/**
 * Records as streams of pages, each one statement that goes on after the last row of the one before and says whether its generation is
 * there (as ../readBars.ts): as they are, and as they were known at an instant. No connection and no snapshot is held between two pages.
 */
import { Effect, Option, Stream } from "effect"
import type { RecordKind, RecordOf, RecordSeries } from "../../../../domain/records/RecordKind.ts"
import { recordKinds } from "../../../../domain/records/RecordKind.ts"
import type { EpochMillis, TimeRange } from "../../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../../services/MarketStore.ts"
import type { RecordReadOptions, StoredRecord } from "../../../../services/RecordStore.ts"
import type { PostgresDatabase, PostgresRow } from "../../../postgres/PostgresDatabase.ts"
import { instantOf, int4, int8, text } from "../../../postgres/values.ts"
import { byKind, cellsFrom, tableOf } from "../../records/recordCells.ts"
import { origin, recordAt, storedOf } from "../../records/storedRecords.ts"
import { num, text as textOf } from "../../rows.ts"
import type { Mark } from "../../seriesMark.ts"
import { isWhole, lost, readMark } from "../seriesMark.ts"
import { mapStoreFailure } from "../storeFailure.ts"
import { statements } from "./recordStatements.ts"

/** The first page is small, so that a reader who takes one row, or none, has few of them in memory. */
const firstPageRows = 1_000
const pageRows = 4_000

interface Reads {
  readonly page: string
  readonly stored: string
  readonly known: string
}

/**
 * $1: the generation, $2 to $4: after which row, $5: the end, $6: how many, $7 and $8: the cuts of the mark, and from when on. A row of nulls
 * where the generation has none.
 */
const pageOf = (rows: string) => `select v.* from tapestry_app.generations g left join lateral (${rows}) v on true
  where g.id = $1 and ${isWhole("$7", "$8")} order by v.ts, v.ns, v.identity`

const readsOf = (kind: RecordKind): Reads => {
  const table = tableOf[kind]
  const { cells, noCells } = statements[kind]
  const from = `from tapestry_app.${table} r`
  const above = "r.generation = g.id and (r.ts, r.ns, r.identity) > ($2, $3, $4) and r.ts < $5"
  const order = "order by r.ts, r.ns, r.identity limit $6"
  const key = "r.ts, r.ns, r.identity"
  const answer = "join tapestry_app.applied p on p.id = r.applied"
  return {
    page: pageOf(`select ${key}, ${cells("r")} ${from} where ${above} ${order}`),
    stored: pageOf(`select ${key}, ${cells("r")}, r.position, ${origin} ${from} ${answer} where ${above} ${order}`),
    // Those that are current and were known at $9, and those that gave way since: of each identity there is at most one.
    known: pageOf(`select * from (
      (select ${key}, ${cells("r")}, r.position, ${origin}, null::text as cells_then ${from} ${answer}
      where ${above} and p.fetched_at <= $9 ${order})
      union all
      (select ${key}, ${noCells}, r.position, ${origin}, r.cells from tapestry_app.record_revisions r ${answer}
      join tapestry_app.applied q on q.id = r.superseded_by
      where ${above} and p.fetched_at <= $9 and q.fetched_at > $9 ${order})
      ) r ${order}`)
  }
}

const reads = byKind(readsOf)

interface Position {
  readonly ts: number
  readonly ns: number
  readonly identity: string
  readonly limit: number
}

/** `asOf` where the statement asks for it. */
const pages = <A>(
  database: PostgresDatabase,
  mark: Mark,
  { end, start }: TimeRange,
  sql: string,
  asOf: EpochMillis | undefined,
  convert: (row: PostgresRow) => A
): Stream.Stream<A, MarketStoreError> => {
  const query = database.query("read records")
  // Behind every row of the millisecond before.
  const first: Position = { ts: start - 1, ns: 1_000_000, identity: "", limit: firstPageRows }
  return Stream.paginate<Position, A, MarketStoreError>(first, ({ identity, limit, ns, ts }) => {
    const after = [instantOf(ts), int4(ns), text(identity)]
    const marked = [int8(mark.cuts), int8(Math.max(ts, start))]
    const given = [int8(mark.generation), ...after, instantOf(end), int4(limit), ...marked]
    return Effect.flatMap(
      mapStoreFailure(query(sql, asOf === undefined ? given : [...given, int8(asOf)])),
      (rows): Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<Position>], MarketStoreError> => {
        const last = rows[rows.length - 1]
        if (last === undefined) return lost(database, mark.generation)
        if (last[0] === null) return Effect.succeed([[], Option.none()])
        const next = { ts: num(last[0]), ns: num(last[1]), identity: textOf(last[2]), limit: pageRows }
        return Effect.succeed([rows.map(convert), rows.length < limit ? Option.none() : Option.some(next)])
      }
    )
  })
}

/** The generation is chosen when the stream starts, and stays. */
const pinned = <A>(
  database: PostgresDatabase,
  series: RecordSeries,
  options: RecordReadOptions | undefined,
  read: (mark: Mark) => Stream.Stream<A, MarketStoreError>
): Stream.Stream<A, MarketStoreError> =>
  Stream.unwrap(Effect.map(readMark(database, series, options), (mark) => (mark === null ? Stream.empty : read(mark))))

export const readRecords = <K extends RecordKind>(
  database: PostgresDatabase,
  series: RecordSeries<K>,
  range: TimeRange,
  options?: RecordReadOptions
): Stream.Stream<RecordOf<K>, MarketStoreError> => {
  const { kind } = series
  return options?.asOf === undefined
    ? pinned(database, series, options, (mark) =>
        pages(database, mark, range, reads[kind].page, undefined, (row) => recordAt(kind, row))
      )
    : Stream.map(readStoredRecords(database, series, range, options), ({ row }) => row)
}

/** As {@link readRecords}, each row with where it came from. */
export const readStoredRecords = <K extends RecordKind>(
  database: PostgresDatabase,
  series: RecordSeries<K>,
  range: TimeRange,
  options?: RecordReadOptions
): Stream.Stream<StoredRecord<K>, MarketStoreError> => {
  const { kind } = series
  const asOf = options?.asOf
  const tail = 3 + recordKinds[kind].columns.length
  const convert = (row: PostgresRow): StoredRecord<K> => {
    const then = row[tail + 4] ?? null
    return then === null ? storedOf(kind, row, row, 3, tail) : storedOf(kind, row, cellsFrom(then), 0, tail)
  }
  return pinned(database, series, options, (mark) =>
    pages(database, mark, range, asOf === undefined ? reads[kind].stored : reads[kind].known, asOf, convert)
  )
}
