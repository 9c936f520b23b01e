/**
 * Sums over the archive, without counting a million rows whenever somebody asks and without a page more in every commit.
 *
 * Ids only grow, so a row of sums says what the records up to certain ids add up to; who asks adds what is above them. The writer
 * moves that row forward now and then, a few thousand records at a time; a removal takes its records out of the sums in its own
 * transaction.
 */
import { Effect, Latch, type Scope } from "effect"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { GroupCommit } from "./GroupCommit.ts"

export interface Tallies {
  readonly sessions: number
  readonly requests: number
  readonly upToRequest: number
  readonly hits: number
  readonly responses: number
  readonly upToResponse: number
  readonly failedResponses: number
  readonly responseBytes: number
  readonly payloads: number
  readonly upToPayload: number
  readonly payloadBytes: number
  readonly storedBytes: number
}

/** Records looked at between two turns of the event loop. */
const stepRows = 2_000

/** What a payload takes as it is kept: `length` reads only the head of a row. */
export const storedSize = "case when body is null then coalesce(stored, size) else length(body) end"

const numbers = (db: SyncDatabase, sql: string, ...params: ReadonlyArray<number>): ReadonlyArray<number> =>
  (db.prepare(sql).get(...params) ?? []).map(Number)

const read = (db: SyncDatabase): Tallies => {
  const [requests = 0, upToRequest = 0, hits = 0, responses = 0, upToResponse = 0, failedResponses = 0, ...rest] =
    numbers(
      db,
      `select requests, up_to_request, hits, responses, up_to_response, failed_responses, response_bytes, payloads,
         up_to_payload, payload_bytes, stored_bytes from tallies`
    )
  const [responseBytes = 0, payloads = 0, upToPayload = 0, payloadBytes = 0, storedBytes = 0] = rest
  const [sessions = 0] = numbers(db, "select count(*) from main.sessions")
  return {
    sessions,
    requests,
    upToRequest,
    hits,
    responses,
    upToResponse,
    failedResponses,
    responseBytes,
    payloads,
    upToPayload,
    payloadBytes,
    storedBytes
  }
}

const openAbove = `select coalesce(min(id), ${Number.MAX_SAFE_INTEGER}) from
  (select id, outcome from main.requests where id > ? order by id limit ${stepRows}) where outcome is null`
const nextRequests = `select count(*), coalesce(sum(outcome = 'hit'), 0), max(id)
  from (select id, outcome from main.requests where id > ? and id < ? order by id limit ${stepRows})`
const nextResponses = `select count(*), coalesce(sum(status <> 'ok'), 0), coalesce(sum(iif(payload is null, 0, size)), 0), max(id)
  from (select status, payload, size, id from main.responses where id > ? order by id limit ${stepRows})`
const nextPayloads = `select count(*), coalesce(sum(size), 0), coalesce(sum(kept), 0), max(id)
  from (select size, ${storedSize} as kept, id from payloads where id > ? order by id limit ${stepRows})`

/** The sums moved over the next records, up to the first call that is still open unless that counts, too. */
const moved = (db: SyncDatabase, at: Tallies, open: "counts" | "stops"): Tallies => {
  const [barrier = 0] = open === "stops" ? numbers(db, openAbove, at.upToRequest) : [Number.MAX_SAFE_INTEGER]
  const [requests = 0, hits = 0, upToRequest = 0] = numbers(db, nextRequests, at.upToRequest, barrier)
  const [responses = 0, failed = 0, responseBytes = 0, upToResponse = 0] = numbers(db, nextResponses, at.upToResponse)
  const [payloads = 0, payloadBytes = 0, storedBytes = 0, upToPayload = 0] = numbers(db, nextPayloads, at.upToPayload)
  return {
    sessions: at.sessions,
    requests: at.requests + requests,
    upToRequest: Math.max(at.upToRequest, upToRequest),
    hits: at.hits + hits,
    responses: at.responses + responses,
    upToResponse: Math.max(at.upToResponse, upToResponse),
    failedResponses: at.failedResponses + failed,
    responseBytes: at.responseBytes + responseBytes,
    payloads: at.payloads + payloads,
    upToPayload: Math.max(at.upToPayload, upToPayload),
    payloadBytes: at.payloadBytes + payloadBytes,
    storedBytes: at.storedBytes + storedBytes
  }
}

const reached = (a: Tallies, b: Tallies): boolean =>
  a.upToRequest === b.upToRequest && a.upToResponse === b.upToResponse && a.upToPayload === b.upToPayload

/** The sums over everything there is now. */
export const total = Effect.fnUntraced(function* (database: SqliteDatabase): Effect.fn.Return<Tallies, SqliteFailure> {
  let at = yield* database.read("stats", read)
  for (;;) {
    const from = at
    at = yield* database.read("stats", (db) => moved(db, from, "counts"))
    if (reached(from, at)) return at
    yield* Effect.yieldNow
  }
})

const keep = `update tallies set requests = ?, up_to_request = ?, hits = ?, responses = ?, up_to_response = ?,
  failed_responses = ?, response_bytes = ?, payloads = ?, up_to_payload = ?, payload_bytes = ?, stored_bytes = ?`

const step = (db: SyncDatabase): boolean => {
  const at = read(db)
  const next = moved(db, at, "stops")
  db.prepare(keep).run(
    next.requests,
    next.upToRequest,
    next.hits,
    next.responses,
    next.upToResponse,
    next.failedResponses,
    next.responseBytes,
    next.payloads,
    next.upToPayload,
    next.payloadBytes,
    next.storedBytes
  )
  return reached(at, next)
}

/** Moves the sums to the end. */
export const advance = Effect.fnUntraced(function* (writer: GroupCommit) {
  while (!(yield* writer.submit("relaxed", step))) yield* Effect.yieldNow
})

/** Writes after which the sums are moved: so many records are added up in a few milliseconds. */
const everyWrites = 4_096

/** Moves the sums forward as the archive grows: at the start over what was missed, then whenever so much was written. */
export const keepUp: (writer: GroupCommit) => Effect.Effect<GroupCommit, never, Scope.Scope> = Effect.fnUntraced(
  function* (writer) {
    const due = Latch.makeUnsafe(true)
    let written = 0
    yield* due.await.pipe(
      Effect.andThen(Effect.sync(() => due.closeUnsafe())),
      Effect.andThen(advance(writer)),
      Effect.catch((failure) => Effect.logDebug(`sums over the archive are behind: ${failure.message}`)),
      Effect.forever,
      Effect.forkScoped
    )
    return {
      ...writer,
      submit: (durability, change) => {
        if (++written % everyWrites === 0) due.openUnsafe()
        return writer.submit(durability, change)
      }
    }
  }
)
