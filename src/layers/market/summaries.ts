/** Counts, the list of series, latest prices, and which responses are applied. */
import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { LatestPrice, MarketStoreError, SeriesSummary } from "../../services/MarketStore.ts"
import type { SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { byInstrument, keyOf } from "./priceOrder.ts"
import { tableOf } from "./records/recordCells.ts"
import { num, responseId, text } from "./rows.ts"
import { findGeneration, findSeries, visibleGeneration } from "./seriesTable.ts"
import { mapStoreError } from "./storeError.ts"

/** Rows counted, and series looked at, between two turns of the event loop. */
const stepRows = 50_000
const stepSeries = 500

const countPage = `select count(*), max(ts) from
  (select ts from bars where generation = ? and ts >= ? and ts < ? order by ts limit ${stepRows})`
const selectBounds = `select g.row_count,
  (select min(ts) from bars where generation = g.id),
  (select max(ts) from bars where generation = g.id)
  from generations g where g.id = ?`

/** Up to so many are counted at once: most ranges are small, and then nothing else has to be looked at. */
const fewRows = 1_000
const countFew = (generation: string) => `select count(*) from
  (select 1 from bars where generation = ${generation} and ts >= ? and ts < ? limit ${fewRows})`
const countFewVisible = countFew(visibleGeneration)
const countFewPinned = countFew("?")

/** The whole series is counted already; a part of it is counted in pages. */
export const countRows: (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  pinned?: number
) => Effect.Effect<number, MarketStoreError> = Effect.fnUntraced(function* (database, key, range, pinned) {
  const found = yield* database.read("count", (db) => {
    if (pinned !== undefined) {
      if (findGeneration(db, pinned) === null) return { whole: 0, generation: pinned }
      const few = num(db.prepare(countFewPinned).get(pinned, range.start, range.end)?.[0] ?? 0)
      return { whole: few < fewRows ? few : null, generation: pinned }
    }
    const few = num(db.prepare(countFewVisible).get(db.tenant, canonical(key), range.start, range.end)?.[0] ?? 0)
    if (few < fewRows) return { whole: few, generation: 0 }
    const series = findSeries(db, key)
    if (series === null) return { whole: 0, generation: 0 }
    const row = db.prepare(selectBounds).get(series.generation) ?? [0, null, null]
    const all = row[1] === null || (num(row[1]) >= range.start && num(row[2]) < range.end)
    return { whole: all ? num(row[0]) : null, generation: series.generation }
  })
  if (found.whole !== null) return found.whole
  let total = 0
  let from = range.start
  for (;;) {
    const start = from
    const [rows, last] = yield* database.read("count", (db) => {
      const row = db.prepare(countPage).get(found.generation, start, range.end) ?? [0, null]
      return [num(row[0]), num(row[1])] as const
    })
    total += rows
    if (rows < stepRows) return total
    from = last + 1
    yield* Effect.yieldNow
  }
}, mapStoreError)

const selectApplied = `select distinct a.response from applied a join generations g on g.id = a.generation
  where g.series = ? and a.decoder_version >= ? and (g.state in ('current', 'superseded') or
  (g.state = 'building' and g.id in (select value from json_each(?))))`

/** `building`: the generations of this process whose responses count; what went into an abandoned one counts as not applied. */
export const appliedResponses = (
  database: SqliteDatabase,
  key: SeriesKey,
  decoderVersion: number,
  building: ReadonlySet<number>
): Effect.Effect<ReadonlySet<ResponseId>, MarketStoreError> =>
  mapStoreError(
    database.read("applied", (db) => {
      const series = findSeries(db, key)
      if (series === null) return new Set()
      const rows = db.prepare(selectApplied).all(series.id, decoderVersion, JSON.stringify([...building]))
      return new Set(rows.map((row) => responseId(row[0])))
    })
  )

const selectIn = "select distinct response from applied where generation = ? and decoder_version >= ?"

/** As {@link appliedResponses}, of one generation whatever its state. */
export const responsesIn = (
  database: SqliteDatabase,
  generation: number,
  decoderVersion: number
): Effect.Effect<ReadonlySet<ResponseId>, MarketStoreError> =>
  mapStoreError(
    database.read("applied", (db) => {
      const rows = findGeneration(db, generation) === null ? [] : db.prepare(selectIn).all(generation, decoderVersion)
      return new Set(rows.map((row) => responseId(row[0])))
    })
  )

const ofTenant = "generation in (select g.id from generations g join series s on s.id = g.series where s.tenant = ?)"
const selectNewest = `select response from answers where applied is not null and ${ofTenant} order by id desc limit 1`

export const newestResponse = (database: SqliteDatabase): Effect.Effect<ResponseId | null, MarketStoreError> =>
  mapStoreError(
    database.read("newest response", (db) => {
      const found = db.prepare(selectNewest).get(db.tenant)?.[0]
      return found === undefined ? null : responseId(found)
    })
  )

const selectWitnesses = `select response, fetched_at from (select * from applied where ${ofTenant} order by id limit 2)
  union select response, fetched_at from (select * from applied where ${ofTenant} order by id desc limit 2)`

export const witnesses = (database: SqliteDatabase) =>
  mapStoreError(
    database.read("witnesses", (db) =>
      db
        .prepare(selectWitnesses)
        .all(db.tenant, db.tenant)
        .map((row) => ({ response: responseId(row[0]), fetchedAt: num(row[1]) }))
    )
  )

/** The rows of a series are all in the table of its kind. */
const bound = (which: "min" | "max"): string =>
  `coalesce(${["bars", ...Object.values(tableOf)]
    .map((table) => `(select ${which}(ts) from ${table} where generation = g.id)`)
    .join(", ")})`

const selectSeries = `select s.id, s.canonical, g.row_count,
  ${bound("min")}, ${bound("max")},
  (select sum(revision_count) from generations where series = s.id and state in ('current', 'superseded'))
  from series s join generations g on g.id = s.generation
  where s.tenant = ? and s.canonical > ? order by s.canonical limit ${stepSeries}`

export const listSeries = (database: SqliteDatabase): Effect.Effect<ReadonlyArray<SeriesSummary>, MarketStoreError> =>
  mapStoreError(
    Effect.gen(function* () {
      const summaries: Array<SeriesSummary> = []
      let after = ""
      for (;;) {
        const from = after
        const rows = yield* database.read("series", (db) => db.prepare(selectSeries).all(db.tenant, from))
        for (const row of rows) {
          after = text(row[1])
          const series = keyOf(after)
          const instant = (at: number) => (row[at] === null ? null : num(row[at]))
          if (series === null) continue
          summaries.push({ series, rows: num(row[2]), first: instant(3), last: instant(4), revisions: num(row[5]) })
        }
        if (rows.length < stepSeries) return summaries
        yield* Effect.yieldNow
      }
    })
  )

const selectLatest = `select s.canonical, b.ts, b.close from
  (select canonical, generation from series where tenant = ? and kind = 'bar' and canonical > ?
    and (? is null or vendor = ?) and (? is null or symbol in (select value from json_each(?)))
    order by canonical limit ${stepSeries}) s
  left join bars b on b.generation = s.generation
    and b.ts = (select max(ts) from bars where generation = s.generation)
  order by s.canonical`

/** One price a series, by vendor and symbol; within a symbol those of trades come first, then the newest. */
export const latestPrices = (
  database: SqliteDatabase,
  options?: { readonly vendor?: string; readonly symbols?: ReadonlyArray<string> }
): Effect.Effect<ReadonlyArray<LatestPrice>, MarketStoreError> =>
  mapStoreError(
    Effect.gen(function* () {
      const vendor = options?.vendor ?? null
      const symbols = options?.symbols === undefined ? null : JSON.stringify(options.symbols)
      const prices: Array<LatestPrice> = []
      let after = ""
      for (;;) {
        const from = after
        const rows = yield* database.read("latest", (db) =>
          db.prepare(selectLatest).all(db.tenant, from, vendor, vendor, symbols, symbols)
        )
        for (const row of rows) {
          after = text(row[0])
          const series = keyOf(after)
          if (series === null || row[1] === null || row[2] === null) continue
          prices.push({ series, ts: num(row[1]), price: num(row[2]) })
        }
        if (rows.length < stepSeries) return prices.sort(byInstrument)
        yield* Effect.yieldNow
      }
    })
  )
