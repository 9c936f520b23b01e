/**
 * Removing what a generation holds, in statements that each take a moment. A generation is first marked `dropped`, which hides it at
 * once; its rows follow, and what a killed process left is taken up by the next removal, here or in another process: who finds
 * nothing left goes on.
 */
import { Effect } from "effect"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { instantOf, int8 } from "../../postgres/values.ts"
import { tableOf } from "../records/recordCells.ts"
import { num, numOrNull } from "../rows.ts"

/** Deletes rows and says how many those were. */
const counted = (table: string, condition: string) => `with gone as (
    delete from tapestry_app.${table} where ${condition} returning 1
  ) select count(*) from gone`

/** The first rows of a generation along its key, and all that share the last key with them. */
const ofGeneration = (table: string, key: string, rows: number) =>
  counted(
    table,
    `generation = $1 and ${key} <= (select max(${key}) from (
      select ${key} from tapestry_app.${table} where generation = $1 order by ${key} limit ${rows}) first)`
  )

/** What belongs to the first answers of a generation that have anything of it. */
const ofAnswers = (table: string, rows: number) =>
  counted(
    table,
    `applied = any (array(select t.applied from tapestry_app.applied a
      cross join lateral (select applied from tapestry_app.${table} where applied = a.id limit ${rows}) t
      where a.generation = $1 limit ${rows}))`
  )

const many = 20_000

type Sweep = (query: Query, generation: number) => Effect.Effect<number, PostgresFailure>

const step =
  (sql: string): Sweep =>
  (query, generation) =>
    Effect.map(query(sql, [int8(generation)]), ([row]) => num(row?.[0]))

/**
 * From the oldest on, by time: rows of a hypertable are found by that in their chunks, and batches that are compressed are looked into
 * only where it meets them.
 */
const byTime = (table: string): Sweep => {
  const upTo = `select max(ts) from (select ts from tapestry_app.${table} where generation = $1 order by ts limit ${many}) first`
  const remove = `with gone as (delete from tapestry_app.${table} where generation = $1 and ts <= $2 returning 1)
    select count(*) from gone`
  return Effect.fnUntraced(function* (query, generation) {
    const [bound] = yield* query(upTo, [int8(generation)])
    const last = numOrNull(bound?.[0])
    if (last === null) return 0
    const [row] = yield* query(remove, [int8(generation), instantOf(last)])
    return num(row?.[0])
  })
}

/** `applied` goes last: blocks and actions are found through it. */
const sweeps: ReadonlyArray<Sweep> = [
  byTime("bars"),
  byTime("revisions"),
  ...Object.values(tableOf).map(byTime),
  byTime("record_revisions"),
  step(ofGeneration("record_echoes", "last_ts", many / 20)),
  step(ofGeneration("coverage", "start_ts", many)),
  step(ofGeneration("refusals", "start_ts", many)),
  step(ofGeneration("answers", "end_ts", many)),
  // A block has thousands of stamps.
  step(ofAnswers("echoes", many / 20)),
  step(ofAnswers("actions", many)),
  step(ofGeneration("action_answers", "applied", many)),
  step(ofGeneration("applied", "response", many))
]

const removeGeneration = Effect.fnUntraced(function* (database: PostgresDatabase, generation: number) {
  const query = database.query("remove generation")
  for (const sweep of sweeps) {
    while ((yield* sweep(query, generation)) > 0);
  }
  yield* query("delete from tapestry_app.generations where id = $1 and state = 'dropped'", [int8(generation)])
})

/** Empties every generation that is marked as dropped. */
export const removeDropped = Effect.fnUntraced(function* (database: PostgresDatabase) {
  const dropped = yield* database.query("dropped generations")(
    "select id from tapestry_app.generations where state = 'dropped' order by id"
  )
  for (const [id] of dropped) yield* removeGeneration(database, num(id))
})
