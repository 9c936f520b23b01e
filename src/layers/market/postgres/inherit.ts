/**
 * What a generation takes over from the one it is about to replace: rows that are equal keep the lineage and the time at which
 * they became known; rows that are not leave a revision in the new generation, superseded at the instant of the switch.
 *
 * Runs within the transaction of the switch, which holds the series: readers do not wait for it, and nobody commits meanwhile.
 */
import { Effect } from "effect"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import { int8, int8s } from "../../postgres/values.ts"
import type { Piece } from "../GenerationTables.ts"
import { inheritRows } from "../inheritRows.ts"
import { num, numOrNull, type SqlRow } from "../rows.ts"
import { piecesBetween } from "./coverageRows.ts"
import { barsBetween, RowWindow } from "./RowWindow.ts"

const stepRows = 4_096
const stepPieces = 4_096

const bounds = "select min(ts), max(ts) from tapestry_app.bars where generation = any($1)"
const selectApplied = `select generation, response, decoder_version, id from tapestry_app.applied
  where generation = any($1) and response = any($2)`
const deleteEarlier = `with gone as (
    delete from tapestry_app.revisions where generation = $1 and superseded_at is not null returning 1
  ) update tapestry_app.generations set revision_count = revision_count - (select count(*) from gone) where id = $1`
const addRevisions = "update tapestry_app.generations set revision_count = revision_count + $1 where id = $2"

const keyOf = (generation: number, response: number, decoderVersion: number) =>
  `${generation} ${response} ${decoderVersion}`

/** The ids of the responses that pieces name. */
const appliedIds = Effect.fnUntraced(function* (
  query: Query,
  generations: ReadonlyArray<number>,
  pieces: ReadonlyArray<Piece>
) {
  const responses = [...new Set(pieces.map(({ response }) => response))]
  const ids = new Map<string, number>()
  if (responses.length === 0) return ids
  for (const row of yield* query(selectApplied, [int8s(generations), int8s(responses)])) {
    ids.set(keyOf(num(row[0]), num(row[1]), num(row[2])), num(row[3]))
  }
  return ids
})

/** How far what was read with a limit goes: there may be more behind the last of a full page. */
const reachOf = (pieces: ReadonlyArray<Piece>): number =>
  pieces.length < stepPieces ? Number.POSITIVE_INFINITY : (pieces.at(-1)?.end ?? Number.POSITIVE_INFINITY)
const stampBehind = (rows: ReadonlyArray<SqlRow>): number =>
  rows.length > stepRows ? num(rows[stepRows]?.[0]) : Number.POSITIVE_INFINITY

export const inherit = Effect.fnUntraced(function* (query: Query, from: number, to: number, at: number) {
  yield* query(deleteEarlier, [int8(to)])
  const [row] = yield* query(bounds, [int8s([from, to])])
  const first = numOrNull(row?.[0])
  if (first === null) return
  const end = num(row?.[1]) + 1
  let revisions = 0
  for (let start = first; start < end; ) {
    const olds = yield* barsBetween(query, from, start, end, stepRows + 1)
    const news = yield* barsBetween(query, to, start, end, stepRows + 1)
    const last = Math.min(end, stampBehind(olds), stampBehind(news))
    const oldPieces = yield* piecesBetween(query, "coverage", from, start, last, stepPieces)
    const newPieces = yield* piecesBetween(query, "coverage", to, start, last, stepPieces)
    const stop = Math.min(last, reachOf(oldPieces), reachOf(newPieces))
    const ids = yield* appliedIds(query, [from, to], [...oldPieces, ...newPieces])
    const bars = new Map([
      [from, olds],
      [to, news]
    ])
    const window = new RowWindow({ generation: to, bars })
    revisions += inheritRows(window, {
      from,
      to,
      at,
      start,
      stop,
      oldPieces,
      newPieces,
      appliedOf: (...key) => ids.get(keyOf(...key)) ?? null
    })
    yield* window.changes()(query)
    start = stop
  }
  yield* query(addRevisions, [int8(revisions), int8(to)])
})
