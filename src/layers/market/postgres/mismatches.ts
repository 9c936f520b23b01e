/** What two series disagree about; see ../mismatches.ts. */
import { Effect, Option, Stream } from "effect"
import type { Mismatch, StoredMismatch } from "../../../domain/Mismatch.ts"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import { float8s, int2s, int4, int8, int8s, text } from "../../postgres/values.ts"
import { changesOf, steps, toStored } from "../mismatchRows.ts"
import { num } from "../rows.ts"
import { tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

const selectPair =
  "select id from tapestry_app.reconciled_pairs where tenant = $1 and left_series = $2 and right_series = $3"
/** The update makes it return the row of another process, too, and holds it until the transaction ends. */
const holdPair = `insert into tapestry_app.reconciled_pairs (tenant, left_series, right_series) values ($1, $2, $3)
  on conflict (tenant, left_series, right_series) do update set left_series = excluded.left_series returning id`
const selectOpen = `select ts, field, left_value, right_value from tapestry_app.mismatches
  where pair = $1 and ts >= $2 and ts < $3 and resolved_at is null`
const resolve = `update tapestry_app.mismatches m set resolved_at = greatest($1, m.found_at)
  from unnest($3::int8[], $4::int2[]) r(ts, field)
  where m.pair = $2 and m.ts = r.ts and m.field = r.field and m.resolved_at is null`
/** What is found again at the instant at which it was resolved was never gone. */
const insert = `insert into tapestry_app.mismatches (tenant, pair, found_at, ts, field, left_value, right_value)
  select $1, $2, $3, r.* from unnest($4::int8[], $5::int2[], $6::float8[], $7::float8[]) r
  on conflict (pair, ts, field, found_at) do update set
    left_value = excluded.left_value, right_value = excluded.right_value, resolved_at = null`
const selectPage = (open: boolean) => `select ts, field, left_value, right_value, found_at, resolved_at
  from tapestry_app.mismatches where pair = $1 and (ts, field, found_at) > ($2, $3, $4) and ts < $5
  ${open ? "and resolved_at is null" : ""} order by ts, field, found_at limit $6`

const pageRows = 1_000

const pairOf = (query: Query, left: SeriesKey, right: SeriesKey) =>
  Effect.map(query(selectPair, [tenant, text(canonical(left)), text(canonical(right))]), ([row]) =>
    row === undefined ? null : num(row[0])
  )

const settle = Effect.fnUntraced(function* (
  query: Query,
  pair: number,
  window: TimeRange,
  found: ReadonlyArray<Mismatch>,
  at: EpochMillis
) {
  const open = yield* query(selectOpen, [int8(pair), int8(window.start), int8(window.end)])
  const { added, resolved } = changesOf(open, found)
  if (resolved.length > 0) {
    yield* query(resolve, [
      int8(at),
      int8(pair),
      int8s(resolved.map(({ ts }) => ts)),
      int2s(resolved.map(({ field }) => field))
    ])
  }
  if (added.length === 0) return
  yield* query(insert, [
    tenant,
    int8(pair),
    int8(at),
    int8s(added.map(({ ts }) => ts)),
    int2s(added.map(({ field }) => field)),
    float8s(added.map(({ left }) => left)),
    float8s(added.map(({ right }) => right))
  ])
})

export const recordMismatches: (
  database: PostgresDatabase,
  left: SeriesKey,
  right: SeriesKey,
  compared: ReadonlyArray<TimeRange>,
  found: ReadonlyArray<Mismatch>,
  at: EpochMillis
) => Effect.Effect<void, MarketStoreError> = Effect.fnUntraced(function* (database, left, right, compared, found, at) {
  const known = yield* pairOf(database.query("mismatches"), left, right)
  if (known === null && found.length === 0) return
  for (const range of compared) {
    for (const { rows, window } of steps(range, found)) {
      yield* database.transaction("record mismatches", (query) =>
        Effect.flatMap(query(holdPair, [tenant, text(canonical(left)), text(canonical(right))]), ([row]) =>
          settle(query, num(row?.[0]), window, rows, at)
        )
      )
    }
  }
}, mapStoreFailure)

type Cursor = readonly [ts: number, field: number, foundAt: number]

export const readMismatches = (
  database: PostgresDatabase,
  left: SeriesKey,
  right: SeriesKey,
  range: TimeRange,
  open: boolean
): Stream.Stream<StoredMismatch, MarketStoreError> =>
  Stream.paginate<Cursor, StoredMismatch, MarketStoreError>([range.start, -1, 0], (cursor) =>
    Effect.gen(function* () {
      const query = database.query("mismatches")
      const pair = yield* pairOf(query, left, right)
      if (pair === null) return [[], Option.none<Cursor>()] as const
      const rows = yield* query(selectPage(open), [int8(pair), ...cursor.map(int8), int8(range.end), int4(pageRows)])
      const last = rows[rows.length - 1]
      const next: Option.Option<Cursor> =
        last === undefined || rows.length < pageRows
          ? Option.none()
          : Option.some([num(last[0]), num(last[1]), num(last[4])])
      return [rows.map(toStored(left, right)), next] as const
    }).pipe(mapStoreFailure)
  )
