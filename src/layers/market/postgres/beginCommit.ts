/** How a commit begins, and how it is counted: the mark that the response is applied, in the generation that it goes to. */
import { Effect } from "effect"
import type { Commit } from "../../../services/MarketStore.ts"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { int2s, int8 } from "../../postgres/values.ts"
import type { CommitTarget } from "../CommitTarget.ts"
import { num } from "../rows.ts"
import { findGeneration, operated, type SeriesRow, tenant } from "./seriesRows.ts"

/** Nothing where the response is applied already. */
const insertApplied = (
  unless: string
) => `insert into tapestry_app.applied (tenant, generation, response, decoder_version, fetched_at, keeps_nulls)
  select $1, $2, $3, $4, $5, ($6::int2[])[1] where not exists (${unless}) returning id`
const applyBuilding = insertApplied(
  "select 1 from tapestry_app.applied where generation = $2 and response = $3 and decoder_version = $4"
)
const applyVisible =
  insertApplied(`select 1 from tapestry_app.applied a join tapestry_app.generations g on g.id = a.generation
  where g.series = $7 and a.response = $3 and a.decoder_version = $4
  and (a.generation = $2 or g.state in ('current', 'superseded'))`)
/** Rows and revisions more, of a generation. */
export const addCounts = `update tapestry_app.generations set row_count = row_count + $1, revision_count = revision_count + $2
  where id = $3`

/** What a commit of any kind says of itself. */
type Beginning = Pick<Commit, "response" | "fetchedAt" | "decoderVersion" | "nulls" | "generation" | "operation">

type Begun =
  | { readonly _tag: "Target"; readonly target: CommitTarget }
  | { readonly _tag: "AlreadyApplied" }
  | { readonly _tag: "Gone" }

/** Takes the place of a response in its series, which is held, unless it has one. */
export const begin = Effect.fnUntraced(function* (
  query: Query,
  commit: Beginning,
  series: SeriesRow
): Effect.fn.Return<Begun, PostgresFailure> {
  const generation = commit.generation ?? series.generation
  if (commit.generation !== undefined) {
    const row = yield* findGeneration(query, commit.generation)
    if (row === null || row.series !== series.id || row.state !== "building") return { _tag: "Gone" }
  }
  if (commit.operation !== undefined) yield* operated(query, series.id, commit.operation)
  const { decoderVersion, fetchedAt, response } = commit
  const keepsNulls = commit.nulls === "keep"
  const values = [
    tenant,
    int8(generation),
    int8(response),
    int8(decoderVersion),
    int8(fetchedAt),
    int2s([keepsNulls ? 1 : 0])
  ]
  const [row] =
    commit.generation === undefined
      ? yield* query(applyVisible, [...values, int8(series.id)])
      : yield* query(applyBuilding, values)
  if (row === undefined) return { _tag: "AlreadyApplied" }
  const key = { fetchedAt, response, decoderVersion }
  return { _tag: "Target", target: { generation, applied: num(row[0]), key, keepsNulls } }
})
