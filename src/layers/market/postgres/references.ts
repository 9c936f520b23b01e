/**
 * Every response that something in the store points to; see ../references.ts for what does. Each step is one statement over the next
 * rows of a table of a generation.
 */
import { Effect, Option, Stream } from "effect"
import type { ResponseId } from "../../../domain/Response.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { instantOf, int8, type SqlParameter } from "../../postgres/values.ts"
import { tableOf } from "../records/recordCells.ts"
import { num, numOrNull, RevisionKind, responseId } from "../rows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

/** Rows looked at in one statement. */
const stepRows = 50_000

const generationsAfter =
  "select id from tapestry_app.generations where id > $1 and state <> 'dropped' order by id limit 1"

/** One table of a generation, walked along its key: which responses the next rows name. */
interface Walk {
  readonly sql: string
  readonly keyed: (key: number) => SqlParameter
}

/** The next rows are `w`, all of a key or none of it; `named` is a query of the responses they name, one a row. What comes first is the key of the last of them. */
const walk = (table: string, key: string, columns: string, named: string, keyed: Walk["keyed"]): Walk => ({
  sql: `with w as materialized (
      select ${columns} from tapestry_app.${table} where generation = $1 and ${key} > $2 order by ${key} fetch first ${stepRows} rows with ties
    )
    select null, max(${key}) from w
    union all select response, null from (${named}) named`,
  keyed
})

const ofApplied = (ids: string) => `select distinct a.response from tapestry_app.applied a where a.id in (${ids})`

/** Instants of the corporate actions of a symbol, over all its series, as anybody told them. */
const actionInstants = `select distinct x.ts from tapestry_app.generations g join tapestry_app.series s on s.id = g.series
  join tapestry_app.series t on t.symbol = s.symbol and t.vendor = s.vendor and t.tenant = s.tenant
  join tapestry_app.generations h on h.series = t.id
  join tapestry_app.action_answers a on a.generation = h.id join tapestry_app.actions x on x.applied = a.applied
  where g.id = $1`

const walks: ReadonlyArray<Walk> = [
  walk("bars", "ts", "ts, applied, shown", ofApplied("select applied from w union select shown from w"), instantOf),
  walk(
    "revisions",
    "ts",
    "ts, kind, applied, shown, superseded_by",
    ofApplied(
      [`applied`, `shown`, `superseded_by`]
        .map((column) => `select ${column} from w where kind <> ${RevisionKind.overwritten}`)
        .join(" union ")
    ),
    instantOf
  ),
  ...Object.values(tableOf).map((table) =>
    walk(table, "ts", "ts, applied", ofApplied("select applied from w"), instantOf)
  ),
  walk(
    "record_revisions",
    "ts",
    "ts, applied, superseded_by",
    ofApplied("select applied from w union select superseded_by from w"),
    instantOf
  ),
  // Those that told of an action, or could have contradicted one.
  walk(
    "action_answers",
    "applied",
    "applied, start_ts, end_ts",
    `select distinct p.response from w join tapestry_app.applied p on p.id = w.applied
      where exists (select 1 from tapestry_app.actions x where x.applied = w.applied)
      or exists (select 1 from (${actionInstants}) i where i.ts >= w.start_ts and i.ts < w.end_ts)`,
    int8
  ),
  walk("coverage", "start_ts", "start_ts, response", "select distinct response from w", int8),
  walk("refusals", "start_ts", "start_ts, response", "select distinct response from w", int8)
]

interface At {
  readonly generation: number
  readonly walk: number
  readonly key: number
}

const begin = Number.MIN_SAFE_INTEGER
const first: At = { generation: 0, walk: walks.length, key: begin }

type Next = readonly [ReadonlyArray<ResponseId>, Option.Option<At>]

const step = Effect.fnUntraced(function* (database: PostgresDatabase, at: At): Effect.fn.Return<Next, PostgresFailure> {
  const query = database.query("references")
  const here = walks[at.walk]
  if (here === undefined) {
    const [next] = yield* query(generationsAfter, [int8(at.generation)])
    return [[], next === undefined ? Option.none() : Option.some({ generation: num(next[0]), walk: 0, key: begin })]
  }
  const [end, ...named] = yield* query(here.sql, [int8(at.generation), here.keyed(at.key)])
  const last = numOrNull(end?.[1])
  return [
    named.map(([response]) => responseId(response)),
    Option.some(last === null ? { ...at, walk: at.walk + 1, key: begin } : { ...at, key: last })
  ]
})

/** In chunks; an id may come more than once. */
export const referencedResponses = (database: PostgresDatabase): Stream.Stream<ResponseId, MarketStoreError> =>
  Stream.paginate(first, (at) => mapStoreFailure(step(database, at)))
