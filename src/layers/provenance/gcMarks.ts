/**
 * What of the archive may go: decided by walking over its records in pages, with a bit for each id.
 *
 * A response goes when nothing points to it and the retention lets it. A call stays when it is young, open, the newest of all, or has
 * a response that stays; what a call that stays was served stays with it, and so does the call that this came from. All of these
 * have one identity, so no page has to wait for another. A session goes when none of its calls stays, a payload when no response does
 * (also one whose responses an earlier gc had taken away when it was killed).
 */
import { Effect } from "effect"
import type { Retention, TellsUpkeep } from "../../services/ProvenanceStore.ts"
import type { SqliteDatabase, SqliteFailure, SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { Bits } from "./Bits.ts"
import { storedSize } from "./tallies.ts"

/** Records between two turns of the event loop: a few milliseconds. */
const pageRows = 2_000
/** Records looked up one by one between two turns. */
const stepLinks = 500
/** Nothing younger goes: its rows may be on their way into the market store. */
export const youngMillis = 3_600_000

export interface Marks {
  readonly responses: Bits
  readonly requests: Bits
  /** Of the calls those that made no attempt of their own. */
  readonly served: Bits
  readonly sessions: Bits
  readonly payloads: Bits
  /** Of each call the first response: with it the call goes, since responses go from the last to the first. */
  readonly firsts: Bits
  readonly keptByReference: number
}

/** The latest instant of what may go, by source; before all time where none may. */
const cutoffOf = (retention: Retention, now: number) => {
  const latest = now - youngMillis
  return (source: string): number => {
    if (retention.source !== null && retention.source !== source) return Number.NEGATIVE_INFINITY
    const age = retention.ages[source] ?? retention.age
    return age === null ? Number.NEGATIVE_INFINITY : Math.min(latest, now - age)
  }
}

const responsesPage = `select r.id, r.fetched_at, i.source, r.request from responses r join identities i on i.id = r.identity
  where r.id > ? and r.id < ? order by r.id limit ${pageRows}`
const shares = `select r.id, r.fetched_at, i.source, r.request, coalesce((select ${storedSize} from payloads p where p.id = r.payload), 0) * 1.0
    / max(1, (select count(*) from main.responses o where o.payload = r.payload))
  from responses r join identities i on i.id = r.identity where r.id > ? and r.id < ? order by r.id limit ${pageRows}`
const links = `select id, request, payload, revalidated from responses where id < ? order by id desc limit ${pageRows}`
const requestsPage = `select q.id, q.session, q.created_at, q.response, i.source, s.outcome is null or q.outcome is null,
    q.outcome in ('hit', 'shared')
  from requests q join identities i on i.id = q.identity join sessions s on s.id = q.session
  where q.id > ? order by q.id limit ${pageRows}`
const sessionsPage = `select id, source, ended_at from sessions where id > ? and outcome is not null order by id limit ${pageRows}`
/** Those that another tenant has are not one's own to count. */
const payloadsPage = `select id from payloads p where id > ?
  and not exists (select 1 from main.responses o where o.payload = p.id and o.tenant <> ?) order by id limit ${pageRows}`
const operationsPage = `select id, response from operations where id > ? order by id limit ${pageRows}`

interface Pages {
  readonly database: SqliteDatabase
  /** The id comes first in each row, and in its parameters. */
  readonly sql: string
  /** 0 for a statement that ascends. */
  readonly from?: number
  readonly params?: ReadonlyArray<SqlValue>
  /** Between two pages, and after the last. */
  readonly between?: Effect.Effect<void, SqliteFailure>
}

/** Reads a statement page by page. */
const pages = Effect.fnUntraced(function* (
  { between = Effect.void, database, from = 0, params = [], sql }: Pages,
  use: (row: ReadonlyArray<SqlValue>) => void
) {
  for (let last = from; ; ) {
    const page = yield* database.read("gc", (db) => {
      const rows = db.prepare(sql).all(last, ...params)
      for (const row of rows) use(row)
      return { count: rows.length, last: Number(rows.at(-1)?.[0] ?? last) }
    })
    last = page.last
    yield* Effect.yieldNow
    yield* between
    if (page.count < pageRows) return
  }
})

/** The responses that somebody's decision about a series names: they are needed to come to the same again. */
export const admitted = (database: SqliteDatabase, add: (response: number) => void) =>
  pages({ database, sql: operationsPage }, ([, response]) => {
    if (typeof response === "number") add(response)
  })

const callOfResponse = "select q.id, q.session from responses r join requests q on q.id = r.request where r.id = ?"
const linkOf = "select request, payload, revalidated from responses where id = ?"
const callOf = "select session, response from requests where id = ?"

/** A call that stays, its session, and what it was served. */
type Kept = readonly [call: number, session: number, served: number | null]

/**
 * Keeps calls, what they were served, and the calls that this came from. Confirmations make chains of any length, so what is still to be
 * followed waits in `left` for the next turn.
 */
const keeper = (marks: {
  readonly doomed: Bits
  readonly calls: Bits
  readonly sessions: Bits
  readonly payloads: Bits
}) => {
  const left: Array<Kept> = []
  /** Says whether it had to look. */
  const follow = (db: SyncDatabase, [call, session, served]: Kept): boolean => {
    marks.calls.delete(call)
    marks.sessions.add(session)
    if (served === null || !marks.doomed.has(served)) return false
    marks.doomed.delete(served)
    const [request, payload, confirmed] = db.prepare(linkOf).get(served) ?? []
    if (typeof payload === "number") marks.payloads.add(payload)
    if (typeof confirmed === "number" && marks.doomed.has(confirmed)) {
      const [confirmedCall, confirmedSession] = db.prepare(callOfResponse).get(confirmed) ?? []
      left.push([Number(confirmedCall), Number(confirmedSession), confirmed])
    }
    if (typeof request !== "number" || request === call) return true
    const [ofSession, response] = db.prepare(callOf).get(request) ?? []
    if (typeof ofSession === "number") left.push([request, ofSession, typeof response === "number" ? response : null])
    return true
  }
  const followSome = (db: SyncDatabase): void => {
    for (let looked = 0; looked < stepLinks; ) {
      const next = left.pop()
      if (next === undefined) return
      if (follow(db, next)) looked++
    }
  }
  return {
    keep: (kept: Kept): void => void left.push(kept),
    followed: (database: SqliteDatabase) =>
      Effect.gen(function* () {
        while (left.length > 0) {
          yield* database.read("gc", followSome)
          yield* Effect.yieldNow
        }
      })
  }
}

export const mark = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  { retention, tell }: { readonly retention: Retention; readonly tell: TellsUpkeep },
  pointedTo: Bits,
  now: number,
  storedBytes: number
) {
  const cutoff = cutoffOf(retention, now)
  const [newest = 0, newestCall = 0] = yield* database.read("gc", (db) =>
    ["responses", "requests"].map((table) => Number(db.prepare(`select max(id) from ${table}`).get()?.[0] ?? 0))
  )
  const doomed = new Bits()
  const firsts = new Bits()
  const answeredCalls = new Bits()
  let keptByReference = 0
  let freed = 0
  const sql = retention.bytes === null ? responsesPage : shares
  yield* tell({ phase: "looking", done: 0, of: newest })
  yield* pages({ database, sql, params: [newest] }, ([id, fetchedAt, source, request, share]) => {
    if (!answeredCalls.has(Number(request))) {
      answeredCalls.add(Number(request))
      firsts.add(Number(id))
    }
    if (Number(fetchedAt) > cutoff(String(source))) return
    if (pointedTo.has(Number(id))) keptByReference++
    else {
      doomed.add(Number(id))
      freed += Number(share ?? 0)
    }
  })

  // Ids ascend with time, so what goes for its size is what comes first.
  let sizeCutoff = Number.NEGATIVE_INFINITY
  const most = retention.bytes
  if (most !== null && storedBytes - freed > most) {
    yield* pages({ database, sql: shares, params: [newest] }, ([id, fetchedAt, source, , share]) => {
      const at = Number(fetchedAt)
      if (storedBytes - freed <= most || at > now - youngMillis || doomed.has(Number(id))) return
      if (retention.source !== null && retention.source !== source) return
      if (pointedTo.has(Number(id))) keptByReference++
      else {
        doomed.add(Number(id))
        freed += Number(share ?? 0)
        sizeCutoff = at
      }
    })
  }

  const calls = new Bits()
  const served = new Bits()
  const keptCalls = new Bits()
  const keptSessions = new Bits()
  const payloads = new Bits()
  const keptPayloads = new Bits()
  // What a response that stays confirmed stays, too. That is an earlier one, which comes after it when the ids descend.
  yield* pages({ database, sql: links, from: Number.MAX_SAFE_INTEGER }, ([id, request, payload, confirmed]) => {
    if (doomed.has(Number(id))) return
    keptCalls.add(Number(request))
    if (typeof payload === "number") keptPayloads.add(payload)
    if (typeof confirmed === "number") doomed.delete(confirmed)
  })

  yield* tell({ phase: "looking", done: newest, of: newest })
  const { followed, keep } = keeper({ doomed, calls, sessions: keptSessions, payloads: keptPayloads })
  yield* pages(
    { database, sql: requestsPage, between: followed(database) },
    ([id, session, createdAt, answer, source, open, isServed]) => {
      const call = Number(id)
      const elsewhere = retention.source !== null && retention.source !== source
      const young =
        Number(createdAt) > Math.max(cutoff(String(source)), elsewhere ? Number.NEGATIVE_INFINITY : sizeCutoff)
      if (open === 1 || young || call === newestCall || keptCalls.has(call)) {
        keep([call, Number(session), typeof answer === "number" ? answer : null])
      } else {
        calls.add(call)
        if (isServed === 1) served.add(call)
      }
    }
  )

  const sessions = new Bits()
  yield* pages({ database, sql: sessionsPage }, ([id, source, endedAt]) => {
    const latest = Math.max(cutoff(String(source)), sizeCutoff)
    if (Number(endedAt) <= latest && !keptSessions.has(Number(id))) sessions.add(Number(id))
  })
  yield* pages({ database, sql: payloadsPage, params: [database.tenant] }, ([id]) => {
    if (!keptPayloads.has(Number(id))) payloads.add(Number(id))
  })
  const marks: Marks = { responses: doomed, requests: calls, served, sessions, payloads, firsts, keptByReference }
  return marks
})
