/**
 * Every response that something in the store points to: current coverage, the values that are shown, those that were superseded, and
 * what superseded them; and of corporate actions every answer that told of one or could have contradicted one. Of all generations
 * but the dropped ones, also of those that are being built.
 *
 * An answer that only repeated what was known (an echo), and a provisional value that another provisional one overwrote, are not
 * pointed to: taking them away changes no row, no revision, and no coverage as it is now.
 */
import { Effect, Option, Stream } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { tableOf } from "./records/recordCells.ts"
import { num, RevisionKind, responseId } from "./rows.ts"
import { mapStoreError } from "./storeError.ts"

/** Rows looked at between two turns of the event loop. */
const stepRows = 10_000

const generationsAfter = `select g.id from generations g join series s on s.id = g.series
  where g.id > ? and g.state <> 'dropped' and s.tenant = ? order by g.id limit 1`

/** One table of a generation, walked along its key: which responses the next rows name. */
interface Walk {
  readonly table: string
  readonly key: string
  /** The responses that the rows of a generation name whose key is above one and up to another. */
  readonly named: (db: SyncDatabase, generation: number, above: number, upTo: number) => ReadonlyArray<ResponseId>
}

const query =
  (sql: string): Walk["named"] =>
  (db, generation, above, upTo) =>
    db
      .prepare(sql)
      .all(generation, above, upTo)
      .map(([id]) => responseId(id))

const applied = "join applied a on a.id in"
const between = (key: string) => `generation = ? and ${key} > ? and ${key} <= ?`

/** Instants of the corporate actions of a symbol, over all its series, as anybody told them. */
const actionInstants = `select distinct x.ts from generations g join series s on s.id = g.series
  join series t on t.symbol = s.symbol and t.vendor = s.vendor and t.tenant = s.tenant
  join generations h on h.series = t.id join action_answers a on a.generation = h.id join actions x on x.applied = a.applied
  where g.id = ?`
const actionAnswers = `select p.response, a.start_ts, a.end_ts, exists (select 1 from actions x where x.applied = a.applied)
  from action_answers a join applied p on p.id = a.applied where a.generation = ? and a.applied > ? and a.applied <= ?`

/** Answers that told of an action, or could have contradicted one. */
const aboutActions = (db: SyncDatabase, generation: number, from: number, upTo: number): ReadonlyArray<ResponseId> => {
  const answers = db.prepare(actionAnswers).all(generation, from, upTo)
  if (answers.length === 0) return []
  const instants = db
    .prepare(actionInstants)
    .all(generation)
    .map(([ts]) => num(ts))
  return answers.flatMap(([response, start, end, told]) =>
    told === 1 || (start !== null && instants.some((ts) => ts >= num(start) && ts < num(end)))
      ? [responseId(response)]
      : []
  )
}

const walks: ReadonlyArray<Walk> = [
  {
    table: "bars",
    key: "ts",
    named: query(`select distinct a.response from (select distinct applied, shown from bars where ${between("ts")}) r
      ${applied} (r.applied, r.shown)`)
  },
  {
    table: "revisions",
    key: "ts",
    named: query(`select distinct a.response from
      (select distinct applied, shown, superseded_by from revisions where ${between("ts")} and kind <> ${RevisionKind.overwritten}) r
      ${applied} (r.applied, r.shown, r.superseded_by)`)
  },
  ...Object.values(tableOf).map(
    (table): Walk => ({
      table,
      key: "ts",
      named: query(`select distinct a.response from (select distinct applied from ${table} where ${between("ts")}) r
        ${applied} (r.applied)`)
    })
  ),
  {
    table: "record_revisions",
    key: "ts",
    named: query(`select distinct a.response from
      (select distinct applied, superseded_by from record_revisions where ${between("ts")}) r
      ${applied} (r.applied, r.superseded_by)`)
  },
  { table: "action_answers", key: "applied", named: aboutActions },
  {
    table: "coverage",
    key: "start_ts",
    named: query(`select distinct response from coverage where ${between("start_ts")}`)
  },
  {
    table: "refusals",
    key: "start_ts",
    named: query(`select distinct response from refusals where ${between("start_ts")}`)
  }
]

interface At {
  readonly generation: number
  readonly walk: number
  readonly key: number
}

const first: At = { generation: 0, walk: walks.length, key: Number.MIN_SAFE_INTEGER }

const step = (db: SyncDatabase, at: At): readonly [ReadonlyArray<ResponseId>, Option.Option<At>] => {
  const walk = walks[at.walk]
  if (walk === undefined) {
    const next = db.prepare(generationsAfter).get(at.generation, db.tenant)
    return [
      [],
      next === undefined
        ? Option.none()
        : Option.some({ generation: num(next[0]), walk: 0, key: Number.MIN_SAFE_INTEGER })
    ]
  }
  const { key, named, table } = walk
  const nth = db
    .prepare(
      `select ${key} from ${table} where generation = ? and ${key} > ? order by ${key} limit 1 offset ${stepRows - 1}`
    )
    .get(at.generation, at.key)
  const upTo = nth === undefined ? Number.MAX_SAFE_INTEGER : num(nth[0])
  const ids = named(db, at.generation, at.key, upTo)
  const next =
    nth === undefined
      ? { generation: at.generation, walk: at.walk + 1, key: Number.MIN_SAFE_INTEGER }
      : { ...at, key: upTo }
  return [ids, Option.some(next)]
}

/** In chunks; an id may come more than once. */
export const referencedResponses = (database: SqliteDatabase): Stream.Stream<ResponseId, MarketStoreError> =>
  Stream.paginate(first, (at) =>
    Effect.yieldNow.pipe(Effect.andThen(database.read("references", (db) => step(db, at))), mapStoreError)
  )
