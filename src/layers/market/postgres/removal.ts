/**
 * Removing what a generation holds, in statements that each take a moment. A generation is first marked `dropped`, which hides it at
 * once; its rows follow, and what a killed process left is taken up by the next removal, here or in another process: who finds
 * nothing left goes on.
 */
import { Effect } from "effect"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { int8 } from "../../postgres/values.ts"
import { tableOf } from "../records/recordCells.ts"
import { num } from "../rows.ts"

/** Deletes some rows and says how many those were. */
const counted = (table: string, chosen: string) => `with gone as (
    delete from tapestry.${table} where ctid = any (array(${chosen})) returning 1
  ) select count(*) from gone`

const ofGeneration = (table: string, rows: number) =>
  counted(table, `select ctid from tapestry.${table} where generation = $1 limit ${rows}`)

const ofResponses = (table: string, rows: number) =>
  counted(
    table,
    `select t.ctid from tapestry.applied a join tapestry.${table} t on t.applied = a.id where a.generation = $1 limit ${rows}`
  )

const many = 20_000

/** `applied` goes last: blocks and actions are found through it. */
const sweeps = [
  ofGeneration("bars", many),
  ofGeneration("revisions", many),
  ...Object.values(tableOf).map((table) => ofGeneration(table, many)),
  ofGeneration("record_revisions", many),
  ofGeneration("record_echoes", many / 20),
  ofGeneration("coverage", many),
  ofGeneration("refusals", many),
  ofGeneration("answers", many),
  // A block has thousands of stamps.
  ofResponses("echoes", many / 20),
  ofResponses("actions", many),
  ofGeneration("action_answers", many),
  ofGeneration("applied", many)
]

const removeGeneration = Effect.fnUntraced(function* (database: PostgresDatabase, generation: number) {
  const query = database.query("remove generation")
  for (const sweep of sweeps) {
    for (let left = 1; left > 0; ) {
      const [row] = yield* query(sweep, [int8(generation)])
      left = num(row?.[0])
    }
  }
  yield* query("delete from tapestry.generations where id = $1 and state = 'dropped'", [int8(generation)])
})

/** Empties every generation that is marked as dropped. */
export const removeDropped = Effect.fnUntraced(function* (database: PostgresDatabase) {
  const dropped = yield* database.query("dropped generations")(
    "select id from tapestry.generations where state = 'dropped' order by id"
  )
  for (const [id] of dropped) yield* removeGeneration(database, num(id))
})
