/**
 * What was answered, again, in its order: of one question, or of a session.
 *
 * A page of records is read at a time and no transaction stays open between two, so that a replay of any length neither grows nor
 * holds up the writer. Ids grow with the time of fetching, so they are the order. What is handed out is left alone by a gc for
 * a while (see HandedOut); what was removed before its turn is not there any more, which its bytes say.
 */
import { Effect, Option, Stream } from "effect"
import { RequestId } from "../../domain/Request.ts"
import type { ArchivedBytes } from "../../services/PayloadDraft.ts"
import {
  type ProvenanceStore,
  ProvenanceStoreError,
  RecordNotFound,
  type ReplayedResponse,
  type ReplayOptions,
  type ReplayRecord
} from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
import type { HandedOut } from "./HandedOut.ts"
import { responseColumns, toResponse } from "./recordRows.ts"

/** Records a page: a few milliseconds. */
const pageRows = 200
/** A page of calls ends early after so long: the attempts of one are found among all at its question, which may be many. */
const pageMillis = 8

interface Page {
  readonly records: ReadonlyArray<ReplayRecord>
  /** Where the next page goes on; null: nowhere. */
  readonly next: number | null
}

type Reads = (db: SyncDatabase, after: number) => Page

const ever = Number.MAX_SAFE_INTEGER
const bounds = (withBytes: boolean) => `r.fetched_at <= ?${withBytes ? " and r.payload is not null" : ""}`

/** Every attempt at a question, by id. */
const ofIdentity = (identity: Uint8Array, asOf: number, withBytes: boolean): Reads => {
  const sql = `${responseColumns} where r.identity = (select id from identities where sha256 = ?) and r.id > ?
    and ${bounds(withBytes)} order by r.id limit ${pageRows}`
  return (db, after) => {
    const records = db
      .prepare(sql)
      .all(identity, after, asOf)
      .map(toResponse)
      .map((response) => ({ call: RequestId.make(response.request), response }))
    const last = records.at(-1)
    return { records, next: last === undefined || records.length < pageRows ? null : last.response.id }
  }
}

/** The calls of a session by id, each with its attempts, through the index of identities, and with what another call had fetched. */
const ofSession = (session: number, asOf: number, withBytes: boolean): Reads => {
  const calls = `select id, identity, response from requests where session = ? and id > ? and created_at <= ?
    order by id limit ${pageRows}`
  const attempts = `${responseColumns} where r.identity = ? and r.request = ? and ${bounds(withBytes)} order by r.id`
  const served = `${responseColumns} where r.id = ? and r.request <> ? and ${bounds(withBytes)}`
  return (db, after) => {
    const page = db.prepare(calls).all(session, after, asOf)
    const records: Array<ReplayRecord> = []
    const until = performance.now() + pageMillis
    for (const [index, [id, identity, response]] of page.entries()) {
      const call = Number(id)
      if (index > 0 && performance.now() > until) return { records, next: Number(page[index - 1]?.[0]) }
      const own = db.prepare(attempts).all(Number(identity), call, asOf)
      const others = response === null ? [] : db.prepare(served).all(Number(response), call, asOf)
      for (const row of [...own, ...others]) records.push({ call: RequestId.make(call), response: toResponse(row) })
    }
    return { records, next: page.length < pageRows ? null : Number(page.at(-1)?.[0]) }
  }
}

const notThere = (record: "request" | "session", id: number) =>
  new ProvenanceStoreError({ reason: new RecordNotFound({ record, id }) })

/** `settle` is run first, so that what lies in buffers is replayed too; `open` reads the bytes of a sha256. */
export const make = (
  database: SqliteDatabase,
  settle: Effect.Effect<void>,
  handedOut: HandedOut,
  open: (sha256: string) => Effect.Effect<ArchivedBytes, ProvenanceStoreError>
): ProvenanceStore["Service"]["replay"] => {
  const read = <A>(f: (db: SyncDatabase) => A) => Effect.mapError(database.read("replay", f), archiveError)

  const readsOf = Effect.fnUntraced(function* ({ asOf = ever, of, withBytes = false }: ReplayOptions) {
    if (of._tag === "Identity") return ofIdentity(Buffer.from(of.sha256, "hex"), asOf, withBytes)
    if (of._tag === "Session") {
      const known = yield* read((db) => db.prepare("select 1 from sessions where id = ?").get(of.id))
      return known === undefined ? yield* notThere("session", of.id) : ofSession(of.id, asOf, withBytes)
    }
    const identity = yield* read((db) =>
      db.prepare("select i.sha256 from requests q join identities i on i.id = q.identity where q.id = ?").get(of.id)
    )
    return identity?.[0] instanceof Uint8Array
      ? ofIdentity(identity[0], asOf, withBytes)
      : yield* notThere("request", of.id)
  })

  const step = (record: ReplayRecord): ReplayedResponse => {
    handedOut.add(record.response.id)
    const { sha256 } = record.response
    return { ...record, bytes: sha256 === null ? Effect.succeed(null) : Effect.suspend(() => open(sha256)) }
  }

  return (options) =>
    Stream.unwrap(
      Effect.gen(function* () {
        yield* settle
        const reads = yield* readsOf(options)
        return Stream.paginate(0, (after: number) =>
          Effect.map(
            read((db) => reads(db, after)),
            ({ next, records }) => [records.map(step), Option.fromNullOr(next)] as const
          )
        )
      }).pipe(Effect.withSpan("ProvenanceStore.replay"))
    )
}
