import { Schema } from "effect"
import { EpochMillis } from "./TimeRange.ts"

/** Grows with every response of an archive and is never used twice. */
export const ResponseId = Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)), Schema.brand("ResponseId"))
export type ResponseId = typeof ResponseId.Type

/**
 * What the vendor's answer was. `ok` says that it answered the question, also when it had no rows; `error` that there was no
 * usable answer (`cause` says why, and the bytes, if any came, are kept); `partial` that the body broke off.
 */
export const ResponseStatus = Schema.Literals(["ok", "error", "partial", "throttled", "not_entitled", "not_found"])
export type ResponseStatus = typeof ResponseStatus.Type

/** What the adapter knows about an answer beside its bytes. Headers are redacted before they are kept. */
export const ResponseMetadata = Schema.Struct({
  contentType: Schema.NullOr(Schema.String),
  encoding: Schema.NullOr(Schema.String),
  transportStatus: Schema.NullOr(Schema.Int),
  /** Of an answer that confirms another: the status with which that one's bytes came. */
  confirmedStatus: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  url: Schema.NullOr(Schema.String),
  elapsedMillis: Schema.NullOr(Schema.Finite),
  headers: Schema.Record(Schema.String, Schema.String),
  adapter: Schema.Record(Schema.String, Schema.Json)
})
export interface ResponseMetadata extends Schema.Schema.Type<typeof ResponseMetadata> {}

/** Of bytes that no server of HTTP has sent; whoever knows more says it beside this. */
export const bareMetadata: ResponseMetadata = {
  contentType: null,
  encoding: null,
  transportStatus: null,
  url: null,
  elapsedMillis: null,
  headers: {},
  adapter: {}
}

/** The status with which the bytes of an answer came, also where it only confirms them. */
export const statusOfBytes = ({ confirmedStatus, transportStatus }: ResponseMetadata): number | null =>
  confirmedStatus === undefined ? transportStatus : confirmedStatus

/**
 * One attempt at a vendor and what came of it. `sha256` (64 hex digits) names the payload; it is null when no bytes came.
 * `askedAt` is when the attempt was sent: what was final then is final in the answer, however long the answer took.
 * `fetchedAt` never decreases within an archive, whatever the clock does; `(fetchedAt, id)` orders answers. `waited` is the
 * time the quota made the attempt wait, in milliseconds. `revalidated` is there when the vendor said that nothing had changed
 * (a 304): the earlier response whose bytes these are; as an answer it counts from its own `askedAt`.
 */
export const Response = Schema.Struct({
  id: ResponseId,
  request: Schema.Int,
  session: Schema.Int,
  identity: Schema.String,
  attempt: Schema.Int,
  status: ResponseStatus,
  sha256: Schema.NullOr(Schema.String),
  sizeBytes: Schema.Int,
  askedAt: EpochMillis,
  fetchedAt: EpochMillis,
  waited: Schema.Finite,
  cause: Schema.NullOr(Schema.String),
  metadata: ResponseMetadata,
  revalidated: Schema.optionalKey(ResponseId)
})
export interface Response extends Schema.Schema.Type<typeof Response> {}
