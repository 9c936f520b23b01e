/**
 * Rows taken out of the archive within one transaction, many with each statement, with what they count in the sums taken out at its end:
 * a statement for each row was half of the work, and an update of the sums for each row a third.
 */
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { encodingOf } from "./compression.ts"
import { discard } from "./discardedFiles.ts"
import { hex } from "./hex.ts"
import * as Tallies from "./tallies.ts"

type Ids = ReadonlyArray<number>

/** The ids of a parameter: a list as JSON. */
const these = "(select value from json_each(?))"
const listed = (ids: Ids): string => `[${ids.join()}]`

/** What the payloads with these ids take. */
export const bytesOf = `select coalesce(sum(${Tallies.storedSize}), 0) from payloads where id in ${these}`

const subtract = `update tallies set requests = requests - ?, hits = hits - ?, responses = responses - ?,
  failed_responses = failed_responses - ?, response_bytes = response_bytes - ?, payloads = payloads - ?,
  payload_bytes = payload_bytes - ?, stored_bytes = stored_bytes - ?`

/** Ids of payloads may be used again, so the sums must not stand above the highest. */
const lower = "update tallies set up_to_payload = min(up_to_payload, coalesce((select max(id) from payloads), 0))"

const responsesOf = `select id, request, status <> 'ok', iif(payload is null, 0, size) from responses where id in ${these}`
const unlink = `update main.requests set response = null where id in ${these} and response in ${these}`
const hitsOf = `select count(*), coalesce(sum(outcome = 'hit'), 0) from requests where id in ${these} and id <= ?`
const unusedPayloads = `select id, iif(body is null, sha256, null), encoding, size, ${Tallies.storedSize} from payloads
  where id in ${these} and not exists (select 1 from main.responses where payload = payloads.id)`
const unusedSessions = `delete from main.sessions where id in ${these} and not exists (select 1 from main.requests where session = sessions.id)`

const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null)

/** For the steps of one transaction; `end` is its last. */
export class Removal {
  private readonly db: SyncDatabase
  private readonly upToRequest: number
  private readonly upToResponse: number
  private readonly upToPayload: number
  private payloadsRemoved = false
  private readonly sums = {
    requests: 0,
    hits: 0,
    responses: 0,
    failed: 0,
    responseBytes: 0,
    payloads: 0,
    payloadBytes: 0,
    storedBytes: 0
  }

  constructor(db: SyncDatabase) {
    this.db = db
    const [requests = 0, responses = 0, payloads = 0] =
      db.prepare("select up_to_request, up_to_response, up_to_payload from tallies").get() ?? []
    this.upToRequest = Number(requests)
    this.upToResponse = Number(responses)
    this.upToPayload = Number(payloads)
  }

  /** The call of a response, and what it confirms. */
  linksOf(id: number): { readonly request: number | null; readonly confirmed: number | null } {
    const [request, confirmed] =
      this.db.prepare("select request, revalidated from responses where id = ?").get(id) ?? []
    return { request: numberOrNull(request), confirmed: numberOrNull(confirmed) }
  }

  /** Responses, and each call that goes with one of them; says how many of both there were. */
  responses(
    ids: Ids,
    goesWith: (response: number, request: number) => boolean
  ): { readonly responses: number; readonly requests: number } {
    const { db, sums } = this
    const found = db.prepare(responsesOf).all(listed(ids)) as ReadonlyArray<ReadonlyArray<SqlValue>>
    const calls: Array<number> = []
    const staying: Array<number> = []
    for (const row of found) {
      const id = Number(row[0])
      const request = Number(row[1])
      ;(goesWith(id, request) ? calls : staying).push(request)
      if (id > this.upToResponse) continue
      sums.responses++
      sums.failed += Number(row[2])
      sums.responseBytes += Number(row[3])
    }
    if (staying.length > 0) db.prepare(unlink).run(listed(staying), listed(ids))
    db.prepare(`delete from main.responses where id in ${these}`).run(listed(ids))
    return { responses: found.length, requests: calls.length === 0 ? 0 : this.requests(calls) }
  }

  requests(ids: Ids): number {
    const [requests = 0, hits = 0] = this.db.prepare(hitsOf).get(listed(ids), this.upToRequest) ?? []
    this.sums.requests += Number(requests)
    this.sums.hits += Number(hits)
    return this.db.prepare(`delete from main.requests where id in ${these}`).run(listed(ids)).changes
  }

  sessions(ids: Ids): number {
    return this.db.prepare(unusedSessions).run(listed(ids)).changes
  }

  /** Those of these payloads that no response has: how many, and the bytes that they took. */
  payloads(ids: Ids): { readonly payloads: number; readonly bytes: number } {
    const { db, sums } = this
    let bytes = 0
    const found = db.prepare(unusedPayloads).all(listed(ids))
    const gone: Array<number> = []
    for (const [id, fileHash, code, size, stored] of found) {
      gone.push(Number(id))
      if (fileHash !== null) discard(db, hex(fileHash) ?? "", encodingOf(code))
      bytes += Number(stored)
      if (Number(id) > this.upToPayload) continue
      sums.payloads++
      sums.payloadBytes += Number(size)
      sums.storedBytes += Number(stored)
    }
    if (gone.length > 0) {
      db.prepare(`delete from payloads where id in ${these}`).run(listed(gone))
      this.payloadsRemoved = true
    }
    return { payloads: gone.length, bytes }
  }

  end(): void {
    const { db, sums } = this
    db.prepare(subtract).run(
      sums.requests,
      sums.hits,
      sums.responses,
      sums.failed,
      sums.responseBytes,
      sums.payloads,
      sums.payloadBytes,
      sums.storedBytes
    )
    if (this.payloadsRemoved) db.prepare(lower).run()
  }
}
