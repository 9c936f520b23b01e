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
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { Bits } from "./Bits.ts"
import { storedSize } from "./tallies.ts"

/** Records between two turns of the event loop: a few milliseconds. */
const pageRows = 2_000
/** Nothing younger goes: its rows may be on their way into the market store. */
export const youngMillis = 3_600_000

export interface Marks {
  readonly responses: Bits
  readonly requests: Bits
  readonly sessions: Bits
  readonly payloads: Bits
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

const responsesPage = `select r.id, r.fetched_at, i.source from responses r join identities i on i.id = r.identity
  where r.id > ? and r.id < ? order by r.id limit ${pageRows}`
const shares = `select r.id, r.fetched_at, i.source, coalesce((select ${storedSize} from payloads p where p.id = r.payload), 0) * 1.0
    / max(1, (select count(*) from responses o where o.payload = r.payload))
  from responses r join identities i on i.id = r.identity where r.id > ? and r.id < ? order by r.id limit ${pageRows}`
const links = `select id, request, payload, revalidated from responses where id > ? order by id limit ${pageRows}`
const requestsPage = `select q.id, q.session, q.created_at, q.response, i.source, s.outcome is null or q.outcome is null
  from requests q join identities i on i.id = q.identity join sessions s on s.id = q.session
  where q.id > ? order by q.id limit ${pageRows}`
const sessionsPage = `select id, source, ended_at from sessions where id > ? and outcome is not null order by id limit ${pageRows}`

/** Reads a statement page by page; the id comes first in each row, and the other parameters last. */
const pages = (database: SqliteDatabase, sql: string, ...params: ReadonlyArray<number>) => {
  let after = 0
  return Effect.fnUntraced(function* (use: (row: ReadonlyArray<unknown>, db: SyncDatabase) => void) {
    for (;;) {
      const from = after
      const count = yield* database.read("gc", (db) => {
        const rows = db.prepare(sql).all(from, ...params)
        for (const row of rows) use(row, db)
        after = Number(rows.at(-1)?.[0] ?? after)
        return rows.length
      })
      if (count < pageRows) return
      yield* Effect.yieldNow
    }
  })
}

const confirmation = (db: SyncDatabase, id: number): [unknown, unknown, unknown] => {
  const [request, payload, confirmed] =
    db.prepare("select request, payload, revalidated from responses where id = ?").get(id) ?? []
  return [request, payload, confirmed]
}

const callOfResponse = "select q.id, q.session from responses r join requests q on q.id = r.request where r.id = ?"
const linkOf = "select request, payload, revalidated from responses where id = ?"
const callOf = "select session, response from requests where id = ?"

/** Keeps a call, what it was served, and the call that this came from. Confirmations make chains of any length: no recursion. */
const keeper = (doomed: Bits, calls: Bits, keptSessions: Bits, keptPayloads: Bits) => {
  const keep = (db: SyncDatabase, first: number, itsSession: number, itsResponse: number | null): void => {
    const left: Array<readonly [number, number, number | null]> = [[first, itsSession, itsResponse]]
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [call, session, served] = next
      calls.delete(call)
      keptSessions.add(session)
      if (served === null || !doomed.has(served)) continue
      doomed.delete(served)
      const [request, payload, confirmed] = db.prepare(linkOf).get(served) ?? []
      if (typeof payload === "number") keptPayloads.add(payload)
      if (typeof confirmed === "number" && doomed.has(confirmed)) {
        const [confirmedCall, confirmedSession] = db.prepare(callOfResponse).get(confirmed) ?? []
        left.push([Number(confirmedCall), Number(confirmedSession), confirmed])
      }
      if (typeof request !== "number" || request === call) continue
      const [ofSession, response] = db.prepare(callOf).get(request) ?? []
      if (typeof ofSession === "number") left.push([request, ofSession, typeof response === "number" ? response : null])
    }
  }
  return keep
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
  let keptByReference = 0
  let freed = 0
  const bySize = retention.bytes !== null
  yield* tell({ phase: "looking", done: 0, of: newest })
  yield* pages(
    database,
    bySize ? shares : responsesPage,
    newest
  )(([id, fetchedAt, source, share]) => {
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
    yield* pages(
      database,
      shares,
      newest
    )(([id, fetchedAt, source, share]) => {
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
  const keptCalls = new Bits()
  const keptSessions = new Bits()
  const payloads = new Bits()
  const keptPayloads = new Bits()
  /** What a response that stays confirmed stays, too. Such chains point to lower ids, which have been passed. */
  const stay = (db: SyncDatabase, ...from: readonly [unknown, unknown, unknown]): void => {
    for (let link = from; ; ) {
      const [request, payload, confirmed] = link
      keptCalls.add(Number(request))
      if (typeof payload === "number") keptPayloads.add(payload)
      if (typeof confirmed !== "number" || !doomed.has(confirmed)) return
      doomed.delete(confirmed)
      link = confirmation(db, confirmed)
    }
  }
  yield* pages(
    database,
    links
  )(([id, request, payload, confirmed], db) => {
    if (!doomed.has(Number(id))) stay(db, request, payload, confirmed)
  })

  yield* tell({ phase: "looking", done: newest, of: newest })
  const keep = keeper(doomed, calls, keptSessions, keptPayloads)
  yield* pages(
    database,
    requestsPage
  )(([id, session, createdAt, served, source, open], db) => {
    const call = Number(id)
    const elsewhere = retention.source !== null && retention.source !== source
    const young =
      Number(createdAt) > Math.max(cutoff(String(source)), elsewhere ? Number.NEGATIVE_INFINITY : sizeCutoff)
    if (open === 1 || young || call === newestCall || keptCalls.has(call)) {
      keep(db, call, Number(session), typeof served === "number" ? served : null)
    } else calls.add(call)
  })

  const sessions = new Bits()
  yield* pages(
    database,
    sessionsPage
  )(([id, source, endedAt]) => {
    const latest = Math.max(cutoff(String(source)), sizeCutoff)
    if (Number(endedAt) <= latest && !keptSessions.has(Number(id))) sessions.add(Number(id))
  })
  yield* pages(
    database,
    `select id from payloads where id > ? order by id limit ${pageRows}`
  )(([id]) => {
    if (!keptPayloads.has(Number(id))) payloads.add(Number(id))
  })
  const marks: Marks = { responses: doomed, requests: calls, sessions, payloads, keptByReference }
  return marks
})
