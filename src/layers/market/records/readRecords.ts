/** Records as streams of pages: as they are, as they were known at an instant, and what gave way. */
import { Effect, Option, Stream } from "effect"
import type { RecordKind, RecordOf, RecordSeries } from "../../../domain/records/RecordKind.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import { MarketStoreError } from "../../../services/MarketStore.ts"
import type { RecordReadOptions, RecordRevision, StoredRecord } from "../../../services/RecordStore.ts"
import type { SqliteDatabase, SqlValue, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { num, text } from "../rows.ts"
import { lost, type Mark, readMark } from "../seriesMark.ts"
import { findSeries, visibleGenerations } from "../seriesTable.ts"
import { mapStoreError } from "../storeError.ts"
import { byKind, cellsFrom, tableOf } from "./recordCells.ts"
import { nthInstant, statements } from "./recordTables.ts"
import { origin, recordAt, revisionOf, storedOf } from "./storedRecords.ts"

const pageRows = 4_000

/** Where a page begins: after this row. */
type After = readonly [ts: number, ns: number, identity: string]

interface Reads {
  readonly page: string
  readonly stored: string
  readonly known: string
}

const readsOf = (kind: RecordKind): Reads => {
  const table = tableOf[kind]
  const { cells } = statements[kind]
  const above = "r.generation = ? and (r.ts, r.ns, r.identity) > (?, ?, ?) and r.ts < ?"
  const order = "order by r.ts, r.ns, r.identity"
  return {
    page: `select r.ts, r.ns, r.identity, ${cells("r")} from ${table} r where ${above} ${order} limit ${pageRows}`,
    stored: `select r.ts, r.ns, r.identity, ${cells("r")}, r.position, ${origin} from ${table} r
      join applied p on p.id = r.applied where ${above} ${order} limit ${pageRows}`,
    known: `select r.ts, r.ns, r.identity, ${cells("r")}, r.position, ${origin} from ${table} r
      join applied p on p.id = r.applied where r.generation = ? and r.ts >= ? and r.ts < ? and p.fetched_at <= ?`
  }
}

const reads = byKind(readsOf)

/** Values that gave way since, but held at an instant. */
const selectKnownPast = `select r.ts, r.ns, r.identity, r.cells, r.position, ${origin} from record_revisions r
  join applied p on p.id = r.applied join applied q on q.id = r.superseded_by
  where r.generation = ? and r.ts >= ? and r.ts < ? and p.fetched_at <= ? and q.fetched_at > ?`

const pagesOf = <A>(
  database: SqliteDatabase,
  mark: Mark,
  range: TimeRange,
  sql: string,
  convert: (row: ReadonlyArray<SqlValue>) => A
): Stream.Stream<A, MarketStoreError> =>
  Stream.paginate<After, A, MarketStoreError>([range.start - 1, 1_000_000, ""], (after) =>
    Effect.flatMap(
      mapStoreError(
        database.read("read records", (db) => {
          const rows = db.prepare(sql).all(mark.generation, ...after, range.end)
          return lost(db, mark, Math.max(after[0], range.start)) ?? rows
        })
      ),
      (rows): Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<After>], MarketStoreError> => {
        if (rows instanceof MarketStoreError) return Effect.fail(rows)
        const last = rows[rows.length - 1]
        const next: Option.Option<After> =
          last === undefined || rows.length < pageRows
            ? Option.none()
            : Option.some([num(last[0]), num(last[1]), text(last[2])])
        return Effect.as(Effect.yieldNow, [rows.map(convert), next])
      }
    )
  )

/** A stretch of some thousand rows as they were known; whole milliseconds. */
const knownPage = <K extends RecordKind>(
  db: SyncDatabase,
  kind: K,
  generation: number,
  start: number,
  end: number,
  asOf: EpochMillis
): ReadonlyArray<StoredRecord<K>> => {
  const width = statements[kind].columns.length
  const placed: Array<readonly [ts: number, ns: number, identity: string, stored: StoredRecord<K>]> = []
  for (const row of db.prepare(reads[kind].known).all(generation, start, end, asOf)) {
    placed.push([num(row[0]), num(row[1]), text(row[2]), storedOf(kind, row, row, 3, 3 + width)])
  }
  for (const row of db.prepare(selectKnownPast).all(generation, start, end, asOf, asOf)) {
    placed.push([num(row[0]), num(row[1]), text(row[2]), storedOf(kind, row, cellsFrom(row[3]), 0, 4)])
  }
  placed.sort((a, b) => a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0))
  return placed.map(([, , , stored]) => stored)
}

const knownPages = <K extends RecordKind>(
  database: SqliteDatabase,
  kind: K,
  mark: Mark,
  range: TimeRange,
  asOf: EpochMillis
): Stream.Stream<StoredRecord<K>, MarketStoreError> =>
  Stream.paginate(range.start, (start) =>
    Effect.flatMap(
      mapStoreError(
        database.read("read records", (db) => {
          const nth = nthInstant(db, kind, mark.generation, start, range.end, pageRows)
          const end = nth === null ? range.end : Math.max(nth, start + 1)
          const rows = knownPage(db, kind, mark.generation, start, end, asOf)
          return lost(db, mark, start) ?? { end, rows }
        })
      ),
      (page): Effect.Effect<readonly [ReadonlyArray<StoredRecord<K>>, Option.Option<number>], MarketStoreError> =>
        page instanceof MarketStoreError
          ? Effect.fail(page)
          : Effect.as(Effect.yieldNow, [page.rows, page.end < range.end ? Option.some(page.end) : Option.none()])
    )
  )

const pinned = <A>(
  database: SqliteDatabase,
  series: RecordSeries,
  options: RecordReadOptions | undefined,
  read: (mark: Mark) => Stream.Stream<A, MarketStoreError>
): Stream.Stream<A, MarketStoreError> =>
  Stream.unwrap(Effect.map(readMark(database, series, options), (mark) => (mark === null ? Stream.empty : read(mark))))

/** The generation is chosen when the stream starts, and stays. */
export const readRecords = <K extends RecordKind>(
  database: SqliteDatabase,
  series: RecordSeries<K>,
  range: TimeRange,
  options?: RecordReadOptions
): Stream.Stream<RecordOf<K>, MarketStoreError> => {
  const { kind } = series
  const asOf = options?.asOf
  return pinned(database, series, options, (mark) =>
    asOf === undefined
      ? pagesOf(database, mark, range, reads[kind].page, (row) => recordAt(kind, row))
      : Stream.map(knownPages(database, kind, mark, range, asOf), ({ row }) => row)
  )
}

/** As {@link readRecords}, each row with where it came from. */
export const readStoredRecords = <K extends RecordKind>(
  database: SqliteDatabase,
  series: RecordSeries<K>,
  range: TimeRange,
  options?: RecordReadOptions
): Stream.Stream<StoredRecord<K>, MarketStoreError> => {
  const { kind } = series
  const asOf = options?.asOf
  const tail = 3 + statements[kind].columns.length
  return pinned(database, series, options, (mark) =>
    asOf === undefined
      ? pagesOf(database, mark, range, reads[kind].stored, (row) => storedOf(kind, row, row, 3, tail))
      : knownPages(database, kind, mark, range, asOf)
  )
}

const selectPast = `select r.ts, r.ns, r.identity, r.cells, r.position, ${origin}, r.kind, q.fetched_at, q.response
  from record_revisions r join applied p on p.id = r.applied join applied q on q.id = r.superseded_by
  where r.generation = ? and r.ts >= ? and r.ts < ? order by r.ts, p.fetched_at, p.response, r.ns, r.identity`
const nthPast =
  "select ts from record_revisions where generation = ? and ts >= ? and ts < ? order by ts limit 1 offset ?"

/** Of every generation that readers saw. */
export const readRecordRevisions = <K extends RecordKind>(
  database: SqliteDatabase,
  series: RecordSeries<K>,
  range: TimeRange
): Stream.Stream<RecordRevision<K>, MarketStoreError> =>
  Stream.paginate(range.start, (start) =>
    mapStoreError(
      database.read("read revisions", (db) => {
        const found = findSeries(db, series)
        const generations = found === null ? [] : visibleGenerations(db, found.id)
        const ends = generations.map((generation) => {
          const nth = db.prepare(nthPast).get(generation, start, range.end, pageRows)
          return nth === undefined ? range.end : Math.max(num(nth[0]), start + 1)
        })
        const end = Math.min(range.end, ...ends)
        const rows = generations.flatMap((generation) => db.prepare(selectPast).all(generation, start, end))
        const revisions = rows.map((row) => revisionOf(series.kind, row))
        return [revisions, end < range.end ? Option.some(end) : Option.none()] as const
      })
    ).pipe(Effect.tap(Effect.yieldNow))
  )
