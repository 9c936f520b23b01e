/**
 * Rows taken out of the archive within one transaction, with what they count in the sums taken out at its end: an update of the sums
 * for each row was a third of the work.
 */
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { encodingOf } from "./compression.ts"
import { discard } from "./discardedFiles.ts"
import { hex } from "./hex.ts"
import * as Tallies from "./tallies.ts"

export const bytesOf = `select sha256, body is null, encoding, size, ${Tallies.storedSize} from payloads where id = ?`

const subtract = `update tallies set requests = requests - ?, hits = hits - ?, responses = responses - ?,
  failed_responses = failed_responses - ?, response_bytes = response_bytes - ?, payloads = payloads - ?,
  payload_bytes = payload_bytes - ?, stored_bytes = stored_bytes - ?`

/** Ids of payloads may be used again, so the sums must not stand above the highest. */
const lower = "update tallies set up_to_payload = min(up_to_payload, coalesce((select max(id) from payloads), 0))"

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

  response(id: number): boolean {
    const { db, sums } = this
    const found = db
      .prepare("select status <> 'ok', iif(payload is null, 0, size), request from responses where id = ?")
      .get(id)
    if (found === undefined) return false
    // The call that it answered goes after it.
    db.prepare("update requests set response = null where id = ? and response = ?").run(Number(found[2]), id)
    db.prepare("delete from responses where id = ?").run(id)
    if (id <= this.upToResponse) {
      sums.responses++
      sums.failed += Number(found[0])
      sums.responseBytes += Number(found[1])
    }
    return true
  }

  request(id: number): boolean {
    const found = this.db.prepare("select outcome = 'hit' from requests where id = ?").get(id)
    if (found === undefined) return false
    this.removeRequest(id, Number(found[0]))
    return true
  }

  /** A call that made no attempt of its own. */
  servedRequest(id: number): boolean {
    const found = this.db
      .prepare("select outcome = 'hit' from requests where id = ? and outcome in ('hit', 'shared')")
      .get(id)
    if (found === undefined) return false
    this.removeRequest(id, Number(found[0]))
    return true
  }

  session(id: number): boolean {
    return (
      this.db
        .prepare(
          "delete from sessions where id = ? and not exists (select 1 from requests where session = sessions.id)"
        )
        .run(id).changes > 0
    )
  }

  /** The bytes that it took; null where it stays. */
  payload(id: number): number | null {
    const { db, sums } = this
    if (db.prepare("select 1 from responses where payload = ?").get(id) !== undefined) return null
    const found = db.prepare(bytesOf).get(id)
    if (found === undefined) return null
    const [hash, isFile, code, size, stored] = found
    if (isFile === 1) discard(db, hex(hash) ?? "", encodingOf(code))
    db.prepare("delete from payloads where id = ?").run(id)
    this.payloadsRemoved = true
    if (id <= this.upToPayload) {
      sums.payloads++
      sums.payloadBytes += Number(size)
      sums.storedBytes += Number(stored)
    }
    return Number(stored)
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

  private removeRequest(id: number, hit: number): void {
    this.db.prepare("delete from requests where id = ?").run(id)
    if (id > this.upToRequest) return
    this.sums.requests++
    this.sums.hits += hit
  }
}
