/** What the archive holds, page by page, newest first. */
import { Effect } from "effect"
import { RequestId } from "../../domain/Request.ts"
import { ResponseId } from "../../domain/Response.ts"
import {
  type ArchiveStats,
  type MadeCall,
  type Page,
  type ProvenanceStore,
  ProvenanceStoreError,
  RecordNotFound
} from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SqlValue } from "../sqlite/SqliteDatabase.ts"
import { archiveError } from "./archiveError.ts"
import type { HandedOut } from "./HandedOut.ts"
import {
  type Row,
  requestColumns,
  responseColumns,
  sessionColumns,
  toRequest,
  toResponse,
  toSession
} from "./recordRows.ts"
import * as Tallies from "./tallies.ts"

type Listing = Pick<
  ProvenanceStore["Service"],
  | "session"
  | "request"
  | "response"
  | "newest"
  | "sessions"
  | "requests"
  | "everybodys"
  | "responses"
  | "answersOf"
  | "subjects"
  | "stats"
>
const beginning = Number.MAX_SAFE_INTEGER

/** `where` of a page: ids below `before`, and what else is asked. */
const conditions = (alias: string, page: Page, filters: ReadonlyArray<readonly [string, SqlValue | undefined]>) => {
  const given = filters.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  return {
    sql: [`${alias}.id < ?`, ...given.map(({ sql }) => sql)].join(" and "),
    params: [page.before ?? beginning, ...given.map(({ value }) => value), page.limit]
  }
}

/** Through the index of identities; there is none of requests. */
const attemptsOf = "(r.identity, r.request) = (select identity, id from requests where id = ?)"
const identityIs = (alias: string) => `${alias}.identity = (select id from identities where sha256 = ?)`
const hash = (identity: string | undefined) => (identity === undefined ? undefined : Buffer.from(identity, "hex"))

/** Of the table, and not of the tenant's view of it; of others there is the number alone. */
const everybodysCalls = `select q.id, q.tenant = ?, case when q.tenant = ? then q.response end from main.requests q
  where q.identity = (select id from identities where sha256 = ?) and coalesce(q.outcome, '') <> 'failed' order by q.id`

/** Ids read between two turns of the event loop: a series that is refreshed every minute has half a million answers a year. */
const stepAnswers = 4_000
const nextAnswers = `select id from responses
  where series = (select id from series where key = ?) and id > ? and status in ('ok', 'not_found', 'not_entitled')
  order by id limit ${stepAnswers}`

/** `settle` is run first, so that what lies in buffers is listed too. */
export const make = (
  database: SqliteDatabase,
  settle: Effect.Effect<void>,
  handedOut: HandedOut,
  schemaVersion: number
): Listing => {
  const read = <A>(operation: string, f: Parameters<typeof database.read<A>>[1]) =>
    Effect.andThen(settle, Effect.mapError(database.read(operation, f), archiveError))

  const one = <A>(record: "session" | "request" | "response", sql: string, id: number, convert: (row: Row) => A) =>
    Effect.flatMap(
      read(record, (db) => {
        const row = db.prepare(sql).get(id)
        return row === undefined ? null : convert(row)
      }),
      (found) =>
        found === null
          ? Effect.fail(new ProvenanceStoreError({ reason: new RecordNotFound({ record, id }) }))
          : Effect.succeed(found)
    )

  const session: Listing["session"] = Effect.fn("ProvenanceStore.session")((id) =>
    one("session", `${sessionColumns} where s.id = ?`, id, toSession)
  )
  const request: Listing["request"] = Effect.fn("ProvenanceStore.request")((id) =>
    one("request", `${requestColumns} where q.id = ?`, id, toRequest)
  )
  const response: Listing["response"] = Effect.fn("ProvenanceStore.response")((id) =>
    Effect.tap(one("response", `${responseColumns} where r.id = ?`, id, toResponse), () =>
      Effect.sync(() => handedOut.add(id))
    )
  )

  const newest: Listing["newest"] = Effect.fn("ProvenanceStore.newest")((identity) =>
    Effect.mapError(
      database.read("newest", (db) => {
        const row = db
          .prepare(
            `${responseColumns} where r.identity = (select id from identities where sha256 = ?) and r.status = 'ok'
             order by r.fetched_at desc, r.id desc limit 1`
          )
          .get(Buffer.from(identity, "hex"))
        if (row === undefined) return null
        handedOut.add(Number(row[0]))
        return toResponse(row)
      }),
      archiveError
    )
  )

  const sessions: Listing["sessions"] = Effect.fn("ProvenanceStore.sessions")((page) => {
    const where = conditions("s", page, [])
    return read("sessions", (db) =>
      db
        .prepare(`${sessionColumns} where ${where.sql} order by s.id desc limit ?`)
        .all(...where.params)
        .map(toSession)
    )
  })

  const requests: Listing["requests"] = Effect.fn("ProvenanceStore.requests")((page) => {
    const where = conditions("q", page, [
      ["q.session = ?", page.session],
      [identityIs("q"), hash(page.identity)]
    ])
    return read("requests", (db) =>
      db
        .prepare(`${requestColumns} where ${where.sql} order by q.id desc limit ?`)
        .all(...where.params)
        .map(toRequest)
    )
  })

  const responses: Listing["responses"] = Effect.fn("ProvenanceStore.responses")((page) => {
    const where = conditions("r", page, [
      [attemptsOf, page.request],
      [identityIs("r"), hash(page.identity)]
    ])
    return read("responses", (db) =>
      db
        .prepare(`${responseColumns} where ${where.sql} order by r.id desc limit ?`)
        .all(...where.params)
        .map(toResponse)
    )
  })

  const answersOf: Listing["answersOf"] = Effect.fnUntraced(function* (series: string, after: number) {
    const found: Array<ResponseId> = []
    for (let last = after; ; last = found.at(-1) ?? last) {
      const from = last
      const page = yield* Effect.mapError(
        database.read("answersOf", (db) => db.prepare(nextAnswers).all(series, from)),
        archiveError
      )
      for (const [id] of page) found.push(ResponseId.make(Number(id)))
      if (page.length < stepAnswers) return found
      yield* Effect.yieldNow
    }
  })

  const subjects = Effect.mapError(
    database.read("subjects", (db) =>
      db
        .prepare(
          `select key from series s where exists (select 1 from responses r
             where r.series = s.id and r.status in ('ok', 'not_found', 'not_entitled')) order by key`
        )
        .all()
        .map(([key]) => String(key))
    ),
    archiveError
  ).pipe(Effect.withSpan("ProvenanceStore.subjects"))

  const stats = Effect.gen(function* () {
    yield* settle
    const sums = yield* Tallies.total(database)
    const databaseBytes = yield* database.read("stats", (db) =>
      Number(db.prepare("select page_count * page_size from pragma_page_count, pragma_page_size").get()?.[0] ?? 0)
    )
    const stats: ArchiveStats = {
      sessions: sums.sessions,
      requests: sums.requests,
      hits: sums.hits,
      responses: sums.responses,
      failedResponses: sums.failedResponses,
      payloads: sums.payloads,
      payloadBytes: sums.payloadBytes,
      dedupedBytes: sums.responseBytes - sums.payloadBytes,
      storedBytes: sums.storedBytes,
      databaseBytes,
      schemaVersion
    }
    return stats
  }).pipe(Effect.mapError(archiveError), Effect.withSpan("ProvenanceStore.stats"))

  const everybodys: Listing["everybodys"] = Effect.fn("ProvenanceStore.everybodys")((identity) =>
    read("everybodys", (db) =>
      db
        .prepare(everybodysCalls)
        .all(db.tenant, db.tenant, Buffer.from(identity, "hex"))
        .map(
          ([id, own, answer]): MadeCall => ({
            id: RequestId.make(Number(id)),
            own: own === 1,
            response: answer === null || answer === undefined ? null : ResponseId.make(Number(answer))
          })
        )
    )
  )

  return { session, request, response, newest, sessions, requests, everybodys, responses, answersOf, subjects, stats }
}
