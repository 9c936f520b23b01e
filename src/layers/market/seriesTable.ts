/** The tables `series` and `generations`, as synchronous steps. A series exists from its first commit or generation on. */
import { createHash } from "node:crypto"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { num, numOrNull } from "./rows.ts"

export interface SeriesRow {
  readonly id: number
  /** The generation that readers see. */
  readonly generation: number
}

const selectSeries = "select id, generation from series where tenant = ? and canonical = ?"
/** The generation that readers see, as a part of a statement; takes `tenant` and the canonical key, and is null for an unknown series. */
export const visibleGeneration = "(select generation from series where tenant = ? and canonical = ?)"
const insertSeries = `insert into series
  (tenant, canonical, sha256, vendor, dataset, symbol, kind, timeframe, price, session, currency, adjustment, generation)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`
const pointAt = "update series set generation = ? where id = ?"
const insertGeneration = "insert into generations (series, state, created_at, published_at) values (?, ?, ?, ?)"
const selectGeneration = `select g.series, g.state, g.published_at, g.superseded_at, g.cuts, g.cut_before from generations g
  join series s on s.id = g.series where g.id = ${Planned.number} and s.tenant = ${Planned.text}`
const selectAsOf = `select id from generations
  where series = ${Planned.number} and state in ('current', 'superseded')
  and (published_at is null or published_at <= ?) and (superseded_at is null or superseded_at > ?)
  order by id desc limit 1`
const selectVisible = "select id from generations where series = ? and state in ('current', 'superseded') order by id"

export const findSeries = (db: SyncDatabase, key: SeriesKey): SeriesRow | null => {
  const row = db.prepare(selectSeries).get(db.tenant, canonical(key))
  return row === undefined ? null : { id: num(row[0]), generation: num(row[1]) }
}

export const insertGenerationRow = (
  db: SyncDatabase,
  series: number,
  state: "building" | "current",
  now: number
): number => db.prepare(insertGeneration).run(series, state, now, null).lastInsertRowid

/** Finds a series or makes it, with an empty generation for readers. `now` only dates the generation. */
export const ensureSeries = (db: SyncDatabase, key: SeriesKey, now: number): SeriesRow => {
  const found = findSeries(db, key)
  if (found !== null) return found
  const text = canonical(key)
  const id = db
    .prepare(insertSeries)
    .run(
      db.tenant,
      text,
      createHash("sha256").update(text).digest("hex"),
      key.vendor,
      key.dataset,
      key.symbol,
      key.kind,
      key.timeframe,
      key.price,
      key.session,
      key.currency,
      key.adjustment
    ).lastInsertRowid
  const generation = insertGenerationRow(db, id, "current", now)
  db.prepare(pointAt).run(generation, id)
  return { id, generation }
}

const selectOperation = "select operation from series where tenant = ? and canonical = ?"
const setOperation = "update series set operation = max(operation, ?) where id = ?"

/** The last operation of the archive that a series has. */
export const lastOperation = (db: SyncDatabase, key: SeriesKey): number =>
  num(db.prepare(selectOperation).get(db.tenant, canonical(key))?.[0] ?? 0)

export const operated = (db: SyncDatabase, series: number, operation: number): void => {
  db.prepare(setOperation).run(operation, series)
}

export const showGeneration = (db: SyncDatabase, series: number, generation: number): void => {
  db.prepare(pointAt).run(generation, series)
}

export interface GenerationRow {
  readonly series: number
  readonly state: "building" | "current" | "superseded" | "dropped"
  /** Null for the first one, which was visible from the beginning. */
  readonly publishedAt: number | null
  readonly supersededAt: number | null
  /** How often retention has dropped rows of it, and the highest instant before which it did. */
  readonly cuts: number
  readonly cutBefore: number | null
}

const stateOf = (text: unknown): GenerationRow["state"] =>
  text === "building" || text === "current" || text === "superseded" ? text : "dropped"

/** Generations are numbered over all tenants: one of another tenant is as good as none. */
export const findGeneration = (db: SyncDatabase, generation: number): GenerationRow | null => {
  const row = db.prepare(selectGeneration).get(generation, db.tenant)
  if (row === undefined) return null
  return {
    series: num(row[0]),
    state: stateOf(row[1]),
    publishedAt: numOrNull(row[2]),
    supersededAt: numOrNull(row[3]),
    cuts: num(row[4]),
    cutBefore: numOrNull(row[5])
  }
}

/** The generation that readers saw at an instant. */
export const generationAt = (db: SyncDatabase, series: number, asOf: number): number | null => {
  const row = db.prepare(selectAsOf).get(series, asOf, asOf)
  return row === undefined ? null : num(row[0])
}

/** All generations that readers see or saw, oldest first. */
export const visibleGenerations = (db: SyncDatabase, series: number): ReadonlyArray<number> =>
  db
    .prepare(selectVisible)
    .all(series)
    .map((row) => num(row[0]))
