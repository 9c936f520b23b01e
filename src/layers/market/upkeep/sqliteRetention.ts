/**
 * Retention in market.sqlite: see ../postgres/timescale/retention.ts for what it means. A transaction a generation, in steps between which
 * everything goes on that does not write: a commit comes before all of it or after.
 */
import { Effect } from "effect"
import type { Dropped, Retention } from "../../../services/StorePolicies.ts"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { tableOf } from "../records/recordCells.ts"
import { num, RevisionKind } from "../rows.ts"
import { isRefusal, StateCode } from "../stateCode.ts"

const stepRows = 4_000
const dayMillis = 86_400_000

const refusals = Object.values(StateCode).filter(isRefusal).join(", ")

const selectGenerations = `select g.id from generations g join series s on s.id = g.series
  where s.kind = ? and (? is null or s.timeframe = ?) order by g.id`

const cutOff = (db: SyncDatabase, generation: number, before: number): void => {
  const run = (sql: string, ...more: ReadonlyArray<number>) => db.prepare(sql).run(...more)
  run("delete from coverage where generation = ? and end_ts <= ?", generation, before)
  run("update coverage set start_ts = ? where generation = ? and start_ts < ?", before, generation, before)
  run(`delete from answers where generation = ? and end_ts <= ? and state not in (${refusals})`, generation, before)
  run(
    `update answers set start_ts = ? where generation = ? and start_ts < ? and end_ts > ? and state not in (${refusals})`,
    before,
    generation,
    before,
    before
  )
  run(
    "delete from echoes where last_ts < ? and applied in (select id from applied where generation = ?)",
    before,
    generation
  )
  run("delete from record_echoes where generation = ? and last_ts < ?", generation, before)
}

interface Sweep {
  readonly table: string
  /** What of a generation counts them. */
  readonly column: "row_count" | "revision_count"
  readonly counted: string
}

/** Deletes the oldest, whole stamps at a time, and says how many those were. */
const step = (db: SyncDatabase, { column, counted, table }: Sweep, generation: number, before: number): number => {
  const nth = db
    .prepare(`select ts from ${table} where generation = ? and ts < ? order by ts limit 1 offset ${stepRows - 1}`)
    .get(generation, before)
  const end = nth === undefined ? before : num(nth[0]) + 1
  const [rows = 0, counting = 0] =
    db
      .prepare(`select count(*), coalesce(sum(${counted}), 0) from ${table} where generation = ? and ts < ?`)
      .get(generation, end)
      ?.map(num) ?? []
  if (rows === 0) return 0
  db.prepare(`delete from ${table} where generation = ? and ts < ?`).run(generation, end)
  db.prepare(`update generations set ${column} = ${column} - ? where id = ?`).run(counting, generation)
  return rows
}

const dayOf = (instant: number): number => Math.floor(instant / dayMillis) * dayMillis

const rowsOf = (kind: Retention["kind"]): string => (kind === "bar" ? "bars" : tableOf[kind])

const generationsOf = (database: SqliteDatabase, { kind, timeframe }: Retention) =>
  database.read("retention", (db) =>
    db
      .prepare(selectGenerations)
      .all(kind, timeframe, timeframe)
      .map(([id]) => num(id))
  )

/** What {@link retain} would drop. */
export const wouldGo = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  of: Retention,
  instant: number
): Effect.fn.Return<Dropped, SqliteFailure> {
  const before = dayOf(instant)
  const count = `select count(*) from ${rowsOf(of.kind)} where generation = ? and ts < ?`
  let rows = 0
  for (const generation of yield* generationsOf(database, of)) {
    rows += yield* database.read("retention", (db) => num(db.prepare(count).get(generation, before)?.[0]))
  }
  return { rows, chunks: 0, before }
})

export const retain = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  of: Retention,
  instant: number
): Effect.fn.Return<Dropped, SqliteFailure> {
  const before = dayOf(instant)
  const rows: Sweep = { table: rowsOf(of.kind), column: "row_count", counted: "1" }
  const past: Sweep = {
    table: of.kind === "bar" ? "revisions" : "record_revisions",
    column: "revision_count",
    counted: `kind <> ${RevisionKind.overwritten}`
  }
  let dropped = 0
  for (const generation of yield* generationsOf(database, of)) {
    dropped += yield* database.transaction("retention", (run) =>
      Effect.gen(function* () {
        yield* run((db) => cutOff(db, generation, before))
        let gone = 0
        for (const sweep of [past, rows]) {
          for (;;) {
            const removed = yield* run((db) => step(db, sweep, generation, before))
            if (removed === 0) break
            if (sweep === rows) gone += removed
            yield* Effect.yieldNow
          }
        }
        return gone
      })
    )
  }
  return { rows: dropped, chunks: 0, before }
})
