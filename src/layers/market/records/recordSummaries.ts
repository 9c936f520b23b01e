/** Counts, last rows, and how far each series has come. */
import { Effect, Result } from "effect"
import type { RecordKind, RecordOf, RecordSeries } from "../../../domain/records/RecordKind.ts"
import { parse } from "../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { Freshness } from "../../../services/RecordStore.ts"
import type { SqliteDatabase, SqlValue } from "../../sqlite/SqliteDatabase.ts"
import { num, numOrNull, responseId, text } from "../rows.ts"
import { findSeries } from "../seriesTable.ts"
import { mapStoreError } from "../storeError.ts"
import { fromCells, tableOf } from "./recordCells.ts"
import { statements } from "./recordTables.ts"

const stepRows = 20_000
const stepSeries = 500

export const countRecords = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  series: RecordSeries,
  range: TimeRange
) {
  const table = tableOf[series.kind]
  const found = yield* database.read("count", (db) => findSeries(db, series))
  if (found === null) return 0
  let total = 0
  let from = range.start
  for (;;) {
    const start = from
    const [rows, next] = yield* database.read("count", (db) => {
      const nth = db.prepare(statements[series.kind].nth).get(found.generation, start, range.end, stepRows)
      const end = nth === undefined ? range.end : Math.max(num(nth[0]), start + 1)
      const sql = `select count(*) from ${table} where generation = ? and ts >= ? and ts < ?`
      return [num(db.prepare(sql).get(found.generation, start, end)?.[0]), end] as const
    })
    total += rows
    if (next >= range.end) return total
    from = next
    yield* Effect.yieldNow
  }
}, mapStoreError)

export const lastRecord = <K extends RecordKind>(
  database: SqliteDatabase,
  series: RecordSeries<K>
): Effect.Effect<RecordOf<K> | null, MarketStoreError> =>
  mapStoreError(
    database.read("last record", (db) => {
      const found = findSeries(db, series)
      if (found === null) return null
      const { cells } = statements[series.kind]
      const row = db
        .prepare(
          `select r.ts, r.ns, ${cells("r")} from ${tableOf[series.kind]} r where r.generation = ?
           order by r.ts desc, r.ns desc, r.identity desc limit 1`
        )
        .get(found.generation)
      return row === undefined ? null : fromCells(series.kind, num(row[0]), num(row[1]), row, 2)
    })
  )

const selectVendors = "select distinct vendor from series where tenant = ? order by vendor"

export const vendors = (database: SqliteDatabase): Effect.Effect<ReadonlyArray<string>, MarketStoreError> =>
  mapStoreError(
    database.read("vendors", (db) =>
      db
        .prepare(selectVendors)
        .all(db.tenant)
        .map(([vendor]) => text(vendor))
    )
  )

const tables: Readonly<Record<string, string>> = { ...tableOf, bar: "bars" }

const selectSeries = `select s.canonical, s.kind, g.id, g.row_count,
  (select fetched_at from applied where generation = g.id order by fetched_at desc, response desc limit 1),
  (select response from applied where generation = g.id order by fetched_at desc, response desc limit 1)
  from series s join generations g on g.id = s.generation
  where s.tenant = ? and s.canonical > ? order by s.canonical limit ${stepSeries}`

export const freshness = (database: SqliteDatabase): Effect.Effect<ReadonlyArray<Freshness>, MarketStoreError> =>
  mapStoreError(
    Effect.gen(function* () {
      const all: Array<Freshness> = []
      let after = ""
      for (;;) {
        const from = after
        const rows = yield* database.read("freshness", (db) =>
          db
            .prepare(selectSeries)
            .all(db.tenant, from)
            .map((row): ReadonlyArray<SqlValue> => {
              const table = tables[text(row[1])]
              const bounds =
                table === undefined
                  ? undefined
                  : db
                      .prepare(
                        `select (select min(ts) from ${table} where generation = ?), (select max(ts) from ${table} where generation = ?)`
                      )
                      .get(num(row[2]), num(row[2]))
              return [...row, bounds?.[0] ?? null, bounds?.[1] ?? null]
            })
        )
        for (const row of rows) {
          after = text(row[0])
          const series = parse(after)
          if (Result.isFailure(series)) continue
          const answered = numOrNull(row[4])
          all.push({
            series: series.success,
            rows: num(row[3]),
            first: numOrNull(row[6]),
            last: numOrNull(row[7]),
            answeredAt: answered,
            answeredBy: answered === null ? null : responseId(row[5])
          })
        }
        if (rows.length < stepSeries) return all
        yield* Effect.yieldNow
      }
    })
  )
