/** What two series disagree about, as comparisons found it. A comparison speaks of the stamps that it compared and of no others. */
import { Effect, Option, Stream } from "effect"
import type { Mismatch, StoredMismatch } from "../../domain/Mismatch.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { changesOf, steps, toStored } from "./mismatchRows.ts"
import { num } from "./rows.ts"
import { mapStoreError } from "./storeError.ts"

const selectPair = "select id from reconciled_pairs where tenant = ? and left_series = ? and right_series = ?"
const insertPair = "insert into reconciled_pairs (tenant, left_series, right_series) values (?, ?, ?)"
const selectOpen = `select ts, field, left_value, right_value from mismatches
  where pair = ? and ts >= ? and ts < ? and resolved_at is null`
const resolve = `update mismatches set resolved_at = max(?, found_at)
  where pair = ? and ts = ? and field = ? and resolved_at is null`
/** What is found again at the instant at which it was resolved was never gone. */
const insert = `insert into mismatches (pair, ts, field, left_value, right_value, found_at, resolved_at)
  values (?, ?, ?, ?, ?, ?, null)
  on conflict (pair, ts, field, found_at) do update set
    left_value = excluded.left_value, right_value = excluded.right_value, resolved_at = null`
const selectPage = (open: boolean) => `select ts, field, left_value, right_value, found_at, resolved_at from mismatches
  where pair = ? and (ts, field, found_at) > (?, ?, ?) and ts < ? ${open ? "and resolved_at is null" : ""}
  order by ts, field, found_at limit ?`

const pageRows = 1_000

const pairOf = (db: SyncDatabase, left: SeriesKey, right: SeriesKey): number | null => {
  const row = db.prepare(selectPair).get(db.tenant, canonical(left), canonical(right))
  return row === undefined ? null : num(row[0])
}

/** Stamps of the window that were compared and do not disagree any more are resolved; new disagreements are added. */
const settle = (
  db: SyncDatabase,
  pair: number,
  window: TimeRange,
  found: ReadonlyArray<Mismatch>,
  at: EpochMillis
): void => {
  const { added, resolved } = changesOf(db.prepare(selectOpen).all(pair, window.start, window.end), found)
  for (const { field, ts } of resolved) db.prepare(resolve).run(at, pair, ts, field)
  for (const { field, left, right, ts } of added) db.prepare(insert).run(pair, ts, field, left, right, at)
}

export const recordMismatches: (
  database: SqliteDatabase,
  left: SeriesKey,
  right: SeriesKey,
  compared: ReadonlyArray<TimeRange>,
  found: ReadonlyArray<Mismatch>,
  at: EpochMillis
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, left, right, compared, found, at) {
  const known = yield* database.read("mismatches", (db) => pairOf(db, left, right))
  if (known === null && found.length === 0) return
  for (const range of compared) {
    for (const { rows, window } of steps(range, found)) {
      yield* database.write("record mismatches", (db) => {
        const pair =
          pairOf(db, left, right) ??
          db.prepare(insertPair).run(db.tenant, canonical(left), canonical(right)).lastInsertRowid
        settle(db, pair, window, rows, at)
      })
      yield* Effect.yieldNow
    }
  }
}, mapStoreError)

type Cursor = readonly [ts: number, field: number, foundAt: number]

export const readMismatches = (
  database: SqliteDatabase,
  left: SeriesKey,
  right: SeriesKey,
  range: TimeRange,
  open: boolean
): Stream.Stream<StoredMismatch, MarketStoreError> =>
  Stream.paginate<Cursor, StoredMismatch, MarketStoreError>([range.start, -1, 0], (cursor) =>
    mapStoreError(
      database.read("mismatches", (db) => {
        const pair = pairOf(db, left, right)
        return pair === null ? [] : db.prepare(selectPage(open)).all(pair, ...cursor, range.end, pageRows)
      })
    ).pipe(
      Effect.tap(Effect.yieldNow),
      Effect.map((rows) => {
        const last = rows[rows.length - 1]
        const next: Option.Option<Cursor> =
          last === undefined || rows.length < pageRows
            ? Option.none()
            : Option.some([num(last[0]), num(last[1]), num(last[4])])
        return [rows.map(toStored(left, right)), next] as const
      })
    )
  )
