/**
 * Every response that something in the store points to: current coverage, the values that are shown, those that were superseded, and
 * what superseded them. Of all generations but the dropped ones, also of those that are being built.
 *
 * An answer that only repeated what was known (an echo), and a provisional value that another provisional one overwrote, are not
 * pointed to: taking them away changes no row, no revision, and no coverage as it is now.
 */
import { Effect, Option, Stream } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { num, RevisionKind, responseId } from "./rows.ts"
import { mapStoreError } from "./storeError.ts"

/** Rows looked at between two turns of the event loop. */
const stepRows = 10_000

const generationsAfter = "select id from generations where id > ? and state <> 'dropped' order by id limit 1"

/** One table of a generation, walked along its key: which responses the next rows name. */
interface Walk {
  readonly table: string
  readonly key: string
  /** A query for distinct response ids over the rows of `?` above `?` up to `?`. */
  readonly named: string
}

const applied = "join applied a on a.id in"
const between = (key: string) => `generation = ? and ${key} > ? and ${key} <= ?`

const walks: ReadonlyArray<Walk> = [
  {
    table: "bars",
    key: "ts",
    named: `select distinct a.response from (select distinct applied, shown from bars where ${between("ts")}) r
      ${applied} (r.applied, r.shown)`
  },
  {
    table: "revisions",
    key: "ts",
    named: `select distinct a.response from
      (select distinct applied, shown, superseded_by from revisions where ${between("ts")} and kind <> ${RevisionKind.overwritten}) r
      ${applied} (r.applied, r.shown, r.superseded_by)`
  },
  {
    table: "coverage",
    key: "start_ts",
    named: `select distinct response from coverage where ${between("start_ts")}`
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
    const next = db.prepare(generationsAfter).get(at.generation)
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
  const ids = db
    .prepare(named)
    .all(at.generation, at.key, upTo)
    .map(([id]) => responseId(id))
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
