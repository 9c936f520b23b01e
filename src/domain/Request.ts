import { Schema } from "effect"
import { ResponseId } from "./Response.ts"
import { SessionId } from "./Session.ts"
import { EpochMillis, TimeRange } from "./TimeRange.ts"

/** The number of a call in its archive; they grow and are never used twice. */
export const RequestId = Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)), Schema.brand("RequestId"))
export type RequestId = typeof RequestId.Type

/** How the vendor is addressed; for those without verbs of their own, what kind of exchange it is. */
export const RequestMethod = Schema.Literals(["GET", "POST", "SEND", "SUBSCRIBE", "COMMAND"])
export type RequestMethod = typeof RequestMethod.Type

/**
 * What makes two requests the same: `identityText` of these parts, hashed. Credentials never belong here. `bucket` and
 * `cacheTag` partition the archive on purpose (a date for "as it was that day", a tag for an experiment).
 */
export interface RequestIdentity {
  /** The vendor's name in the registry. */
  readonly source: string
  /** The adapter's word for what is asked: `bars`, `contract-details`. */
  readonly kind: string
  readonly method: RequestMethod
  readonly params: Schema.Json
  readonly body: Schema.Json
  readonly bucket: string | null
  readonly cacheTag: string | null
}

/** The series and range that a request is for; what lets an archived response be found and decoded again. */
export interface RequestSubject {
  /** Canonical text of the SeriesKey. */
  readonly series: string
  readonly range: TimeRange
}

/**
 * How the archive may answer a request.
 *
 * - `default`: any successful response, or one younger than `ttl` milliseconds when that is given; else fetch.
 * - `maxAge`: only a response asked for at or after `notBefore`; else fetch.
 * - `onlyIfCached`: the newest response whatever its age (unless `ttl` is given); else fail with CacheMiss.
 * - `bypass`: always fetch; the answer is archived.
 * - `revalidate`: always ask, but only whether the newest response still holds where the vendor can tell; one that does is
 *   archived as a response of its own over the earlier bytes.
 */
export const CacheMode = Schema.TaggedUnion({
  default: { ttl: Schema.NullOr(Schema.Finite) },
  maxAge: { notBefore: EpochMillis },
  onlyIfCached: { ttl: Schema.NullOr(Schema.Finite) },
  bypass: {},
  revalidate: {}
})
export type CacheMode = typeof CacheMode.Type

/** How a recorded call ended: answered from the archive, by the vendor, or not at all. Null while it is under way. */
export const CallOutcome = Schema.Literals(["hit", "fetched", "shared", "failed", "cancelled"])
export type CallOutcome = typeof CallOutcome.Type

/**
 * One recorded call. Every call has a row, also a repeated one, a hit and a failure; `identity` (sha256, 64 hex digits)
 * joins the calls that ask the same. `response` is what it was served, whichever call fetched it.
 */
export const Request = Schema.Struct({
  id: RequestId,
  session: SessionId,
  identity: Schema.String,
  source: Schema.String,
  kind: Schema.String,
  method: RequestMethod,
  params: Schema.Json,
  body: Schema.Json,
  bucket: Schema.NullOr(Schema.String),
  cacheTag: Schema.NullOr(Schema.String),
  subject: Schema.NullOr(Schema.Struct({ series: Schema.String, range: TimeRange })),
  cacheMode: Schema.Literals(["default", "maxAge", "onlyIfCached", "bypass", "revalidate"]),
  ttl: Schema.NullOr(Schema.Finite),
  createdAt: EpochMillis,
  outcome: Schema.NullOr(CallOutcome),
  response: Schema.NullOr(ResponseId),
  cause: Schema.NullOr(Schema.String)
})
export interface Request extends Schema.Schema.Type<typeof Request> {}
