/**
 * Retention in market.sqlite: see ../postgres/timescale/retention.ts for what it means.
 *
 * It goes from the oldest rows on in steps of some milliseconds, each a transaction of its own and a small retention in itself: what lies before
 * the step's end is gone with all that claims it, so that nothing has to be undone where the process dies, and commits come in between. A commit of
 * rows that are gone already is dropped again by the next step. Queueing: a connection of its own, beside that of the store in the
 * same process, which takes its turn with the writers of every process by SQLite's lock. It waits without standing in the event loop, for as long as
 * it takes: who fetches has precedence. What it has written goes from the log into the database on a thread.
 */
import { Effect, type Scope } from "effect"
import type { Dropped, Retention } from "../../../services/StorePolicies.ts"
import * as Checkpointer from "../../sqlite/Checkpointer.ts"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { tableOf } from "../records/recordCells.ts"
import { num, RevisionKind } from "../rows.ts"
import { isRefusal, StateCode } from "../stateCode.ts"

const stepRows = 4_000
const dayMillis = 86_400_000

const refusals = Object.values(StateCode).filter(isRefusal).join(", ")

const selectGenerations = `select g.id from generations g join series s on s.id = g.series
  where s.kind = ? and (? is null or s.timeframe = ?) order by g.id`

/** Removes what says that there are rows before an instant. */
const cutOff = (db: SyncDatabase, generation: number, before: number): void => {
  const run = (sql: string, ...more: ReadonlyArray<number>) => db.prepare(sql).run(...more)
  run("delete from coverage where generation = ? and start_ts < ? and end_ts <= ?", generation, before, before)
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
}

/** Blocks of repeated records, which are found by who repeated them: looked for once, and again at the end for what has come since. */
interface RecordEchoes {
  readonly blocks: ReadonlyArray<{ readonly applied: number; readonly part: number; readonly last: number }>
  next: number
}

const echoesBefore = (db: SyncDatabase, generation: number, before: number): RecordEchoes => ({
  blocks: db
    .prepare("select applied, part, last_ts from record_echoes where generation = ? and last_ts < ? order by last_ts")
    .all(generation, before)
    .map(([applied, part, last]) => ({ applied: num(applied), part: num(part), last: num(last) })),
  next: 0
})

const cutEchoes = (db: SyncDatabase, generation: number, echoes: RecordEchoes, before: number): void => {
  const remove = db.prepare("delete from record_echoes where generation = ? and applied = ? and part = ?")
  for (; ; echoes.next++) {
    const block = echoes.blocks[echoes.next]
    if (block === undefined || block.last >= before) return
    remove.run(generation, block.applied, block.part)
  }
}

const mark = `update generations set row_count = row_count - ?, revision_count = revision_count - ?, cuts = cuts + 1,
  cut_before = max(coalesce(cut_before, ?), ?) where id = ?`

interface Tables {
  readonly rows: string
  readonly past: string
}

/** One step, of whole stamps: how many rows went, and the instant before which there are none now. */
const step = (db: SyncDatabase, { past, rows }: Tables, generation: number, echoes: RecordEchoes, before: number) => {
  const nth = (table: string): number => {
    const row = db
      .prepare(`select ts from ${table} where generation = ? and ts < ? order by ts limit 1 offset ${stepRows - 1}`)
      .get(generation, before)
    return row === undefined ? before : num(row[0]) + 1
  }
  const end = Math.min(nth(rows), nth(past))
  cutOff(db, generation, end)
  cutEchoes(db, generation, end === before ? echoesBefore(db, generation, end) : echoes, end)
  const counting = num(
    db
      .prepare(`select count(*) from ${past} where generation = ? and ts < ? and kind <> ${RevisionKind.overwritten}`)
      .get(generation, end)?.[0]
  )
  const revisions = db.prepare(`delete from ${past} where generation = ? and ts < ?`).run(generation, end).changes
  const gone = db.prepare(`delete from ${rows} where generation = ? and ts < ?`).run(generation, end).changes
  if (gone + revisions > 0) db.prepare(mark).run(gone, counting, end, end, generation)
  return { gone, written: gone + revisions, end }
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

/** A lock that is held by others for longer than a transaction waits is waited for again: nothing is lost by it but time. */
const patiently = <A, R>(effect: Effect.Effect<A, SqliteFailure, R>): Effect.Effect<A, SqliteFailure, R> =>
  Effect.retry(effect, { while: ({ code }) => code.startsWith("SQLITE_BUSY") })

export const retain = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  of: Retention,
  instant: number
): Effect.fn.Return<Dropped, SqliteFailure, Scope.Scope> {
  const before = dayOf(instant)
  const tables: Tables = { rows: rowsOf(of.kind), past: of.kind === "bar" ? "revisions" : "record_revisions" }
  const checkpointer = yield* patiently(Checkpointer.make(database))
  let dropped = 0
  for (const generation of yield* generationsOf(database, of)) {
    const echoes = yield* database.read("retention", (db) => echoesBefore(db, generation, before))
    for (;;) {
      yield* checkpointer.room
      const done = yield* patiently(database.write("retention", (db) => step(db, tables, generation, echoes, before)))
      dropped += done.gone
      yield* checkpointer.wrote(done.written)
      if (done.end >= before) break
      yield* Effect.yieldNow
    }
  }
  return { rows: dropped, chunks: 0, before }
}, Effect.scoped)
