/** Sessions, requests and responses as the database gives them, and as the archive hands them out. */
import { Schema } from "effect"
import { Request } from "../../domain/Request.ts"
import { Response } from "../../domain/Response.ts"
import { Session } from "../../domain/Session.ts"
import type { SqlValue } from "../sqlite/SqliteDatabase.ts"
import { hex } from "./hex.ts"

export type Row = ReadonlyArray<SqlValue>

const decodeSession = Schema.decodeUnknownSync(Session)
const decodeRequest = Schema.decodeUnknownSync(Request)
const decodeResponse = Schema.decodeUnknownSync(Response)
const decodeJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

export const sessionColumns = "select s.id, source, mode, as_of, started_at, ended_at, outcome, reason from sessions s"
export const toSession = ([id, source, mode, asOf, startedAt, endedAt, outcome, reason]: Row): Session =>
  decodeSession({ id, source, mode, asOf, startedAt, endedAt, outcome, reason })

export const requestColumns = `select q.id, q.session, i.sha256, i.source, i.kind, i.method, i.params_json, i.body_json, i.bucket,
    i.cache_tag, s.key, q.range_start, q.range_end, q.mode, q.ttl, q.created_at, q.outcome, q.response, q.cause
  from requests q join identities i on i.id = q.identity left join series s on s.id = q.series`
export const toRequest = (row: Row): Request => {
  const [id, session, sha256, source, kind, method, params, body, bucket, cacheTag, series, start, end, ...rest] = row
  const [cacheMode, ttl, createdAt, outcome, response, cause] = rest
  return decodeRequest({
    id,
    session,
    identity: hex(sha256),
    source,
    kind,
    method,
    params: decodeJson(params),
    body: decodeJson(body),
    bucket,
    cacheTag,
    subject: series === null ? null : { series, range: { start, end } },
    cacheMode,
    ttl,
    createdAt,
    outcome,
    response,
    cause
  })
}

export const responseColumns = `select r.id, r.request, q.session, i.sha256, r.attempt, r.status, p.sha256, r.size, r.asked_at, r.fetched_at,
    r.waited, r.cause, r.metadata, r.revalidated
  from responses r join requests q on q.id = r.request join identities i on i.id = r.identity
  left join payloads p on p.id = r.payload`
export const toResponse = (row: Row): Response => {
  const [
    id,
    request,
    session,
    identity,
    attempt,
    status,
    sha256,
    sizeBytes,
    askedAt,
    fetchedAt,
    waited,
    cause,
    metadata,
    revalidated
  ] = row
  return decodeResponse({
    id,
    request,
    session,
    identity: hex(identity),
    attempt,
    status,
    sha256: hex(sha256),
    sizeBytes,
    askedAt,
    fetchedAt,
    waited,
    cause,
    metadata: decodeJson(metadata),
    ...(revalidated === null ? {} : { revalidated })
  })
}
