/**
 * Removing what a generation holds, in steps. A generation is first marked `dropped`, which hides it at once; its rows follow,
 * and what a killed process left is taken up by the next removal.
 */
import { Effect } from "effect"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { tableOf } from "./records/recordCells.ts"
import { num } from "./rows.ts"

const stepRows = 4_000

/** Deletes up to `stepRows` rows of a generation from one table and says how many those were. */
type Sweep = (db: SyncDatabase, generation: number) => number

const byKey =
  (table: string, key: string): Sweep =>
  (db, generation) => {
    const nth = db
      .prepare(`select ${key} from ${table} where generation = ? order by ${key} limit 1 offset ${stepRows - 1}`)
      .get(generation)
    return nth === undefined
      ? db.prepare(`delete from ${table} where generation = ?`).run(generation).changes
      : db.prepare(`delete from ${table} where generation = ? and ${key} <= ?`).run(generation, num(nth[0])).changes
  }

/** Blocks are named by the response that asserted them. */
const echoes: Sweep = (db, generation) =>
  db
    .prepare(
      `delete from echoes where (applied, last_ts, part) in (select e.applied, e.last_ts, e.part from echoes e
       join applied a on a.id = e.applied where a.generation = ? limit ${stepRows / 20})`
    )
    .run(generation).changes

const answers: Sweep = (db, generation) =>
  db
    .prepare(`delete from answers where id in (select id from answers where generation = ? limit ${stepRows})`)
    .run(generation).changes

/** What an answer told goes with the answer. */
const actions: Sweep = (db, generation) => {
  const told = db
    .prepare(`select applied from action_answers where generation = ? limit ${stepRows / 20}`)
    .all(generation)
  for (const [applied] of told) {
    db.prepare("delete from actions where applied = ?").run(num(applied))
    db.prepare("delete from action_answers where applied = ?").run(num(applied))
  }
  return told.length
}

/** `applied` goes last: the others are found through it. */
const tables: ReadonlyArray<Sweep> = [
  byKey("bars", "ts"),
  byKey("revisions", "ts"),
  ...Object.values(tableOf).map((table) => byKey(table, "ts")),
  byKey("record_revisions", "ts"),
  byKey("record_echoes", "applied"),
  byKey("coverage", "start_ts"),
  byKey("refusals", "start_ts"),
  echoes,
  answers,
  actions,
  byKey("applied", "response")
]

const removeGeneration = Effect.fnUntraced(function* (database: SqliteDatabase, generation: number) {
  for (const sweep of tables) {
    for (;;) {
      const removed = yield* database.write("remove generation", (db) => sweep(db, generation))
      if (removed === 0) break
      yield* Effect.yieldNow
    }
  }
  yield* database.write("remove generation", (db) =>
    db.prepare("delete from generations where id = ? and state = 'dropped'").run(generation)
  )
})

/** Empties every generation that is marked as dropped. */
export const removeDropped = Effect.fnUntraced(function* (database: SqliteDatabase) {
  const dropped = yield* database.read("dropped generations", (db) =>
    db
      .prepare("select id from generations where state = 'dropped'")
      .all()
      .map((row) => num(row[0]))
  )
  for (const generation of dropped) yield* removeGeneration(database, generation)
})
