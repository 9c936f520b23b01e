/** How a commit begins: its series, its generation, and the mark that the response is applied. */
import type { Commit } from "../../services/MarketStore.ts"
import * as Planned from "../sqlite/planned.ts"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { CommitTarget } from "./CommitTarget.ts"
import { ensureSeries, findGeneration, operated } from "./seriesTable.ts"

const insertApplied =
  "insert into applied (generation, response, decoder_version, fetched_at, keeps_nulls) values (?, ?, ?, ?, ?)"
const selectAppliedHere = "select 1 from applied where generation = ? and response = ? and decoder_version = ?"
/** The generations of the series come first, which are few: `cross join` keeps SQLite from beginning with all that was ever applied. */
const selectApplied = `select 1 from generations g cross join applied a on a.generation = g.id
  where g.series = ${Planned.number} and a.response = ${Planned.number} and a.decoder_version = ${Planned.number}
  and (g.id = ${Planned.number} or g.state in ('current', 'superseded'))`

/** What a commit of any kind says of itself. */
type Beginning = Pick<
  Commit,
  "series" | "response" | "fetchedAt" | "decoderVersion" | "nulls" | "generation" | "operation"
>

export type Begun =
  | { readonly _tag: "Target"; readonly target: CommitTarget }
  | { readonly _tag: "AlreadyApplied" }
  | { readonly _tag: "Gone" }

/** Takes the place of a response in its series, unless it has one. `now` only dates a series that is new. */
export const begin = (db: SyncDatabase, commit: Beginning, now: number): Begun => {
  const series = ensureSeries(db, commit.series, now)
  const generation = commit.generation ?? series.generation
  if (commit.generation !== undefined) {
    const row = findGeneration(db, commit.generation)
    if (row === null || row.series !== series.id || row.state !== "building") return { _tag: "Gone" }
  }
  if (commit.operation !== undefined) operated(db, series.id, commit.operation)
  const { response, decoderVersion, fetchedAt } = commit
  const applies =
    commit.generation === undefined
      ? db.prepare(selectApplied).get(series.id, response, decoderVersion, generation)
      : db.prepare(selectAppliedHere).get(generation, response, decoderVersion)
  if (applies !== undefined) return { _tag: "AlreadyApplied" }
  const keepsNulls = commit.nulls === "keep"
  const applied = db
    .prepare(insertApplied)
    .run(generation, response, decoderVersion, fetchedAt, keepsNulls ? 1 : 0).lastInsertRowid
  return {
    _tag: "Target",
    target: { generation, applied, key: { fetchedAt, response, decoderVersion }, keepsNulls }
  }
}
