import { Context, type Effect, Schema, type Scope } from "effect"
import type { CacheMode, RequestId, RequestSubject } from "../domain/Request.ts"
import type { Response } from "../domain/Response.ts"
import type { SessionId, SessionMode } from "../domain/Session.ts"
import type { EpochMillis } from "../domain/TimeRange.ts"
import { type SendCapability, VendorError, type VendorRequest } from "./Adapter.ts"
import { AdapterRegistryError } from "./AdapterRegistry.ts"
import type { ArchivedBytes } from "./PayloadDraft.ts"
import { ProvenanceStoreError } from "./ProvenanceStore.ts"
import { QuotaError } from "./Quota.ts"

/** `onlyIfCached` and the archive has nothing (fresh enough) for this identity. */
export class CacheMiss extends Schema.TaggedError<CacheMiss>()("CacheMiss", {
  source: Schema.String,
  identity: Schema.String
}) {
  override get message(): string {
    return `the archive has no answer for ${this.source} request ${this.identity.slice(0, 12)}; allow a fetch or ask for something archived`
  }
}

/**
 * Something was sent under this key before, and nothing is sent now. `request` is the call in the archive, null where it is another tenant's or just under
 * way; `response` its acknowledgement, null where there is none to be seen: it may have been done all the same.
 */
export class AlreadySent extends Schema.TaggedError<AlreadySent>()("AlreadySent", {
  source: Schema.String,
  key: Schema.String,
  request: Schema.NullOr(Schema.Int),
  response: Schema.NullOr(Schema.Int)
}) {
  override get message(): string {
    const known =
      this.response === null
        ? "no acknowledgement of it is archived, and it may be at work all the same: look at the open orders"
        : `what ${this.source} said to it is response ${this.response} of the archive`
    return `${this.key} was sent to ${this.source} before, and is not sent again; ${known}`
  }
}

/** Reasons: a miss, or what the vendor, the quota, the registry or the archive said. */
export class IngestSessionError extends Schema.TaggedError<IngestSessionError>()("IngestSessionError", {
  reason: Schema.Union([CacheMiss, VendorError, QuotaError, AdapterRegistryError, ProvenanceStoreError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** How one call may be answered, and what it is for. */
export interface FetchOptions {
  readonly cacheMode: CacheMode
  readonly bucket?: string | null
  readonly cacheTag?: string | null
  readonly subject?: RequestSubject | null
  /** Higher goes first among those who wait for the quota; 0 by default. */
  readonly priority?: number
}

/** Bytes and where they came from: this call's own fetch, the archive, or an identical call that was in flight. */
export interface FetchedPayload {
  readonly response: Response
  readonly payload: Uint8Array
  readonly served: "vendor" | "archive" | "flight"
}

/** What `ask` brings: `payload` in memory, or as a stream where it is too large for that. */
export interface AskedPayload extends Omit<FetchedPayload, "payload"> {
  readonly payload: ArchivedBytes
  readonly refusal: "NotFound" | "NotEntitled" | null
}

/** What was sent, and what the vendor acknowledged, archived. */
export interface SentExchange {
  readonly request: RequestId
  readonly response: Response
  readonly payload: Uint8Array
}

/** A session that is open; its calls end with its scope. */
export interface OpenIngestSession {
  readonly id: SessionId
  readonly source: string
  /**
   * One call through the archive. A refusal (NotFound, NotEntitled, Throttled, Rejected) fails with VendorError after its
   * bytes are archived; a payload that may not be held in memory fails with PayloadTooLarge after it was.
   */
  readonly fetch: (request: VendorRequest, options: FetchOptions) => Effect.Effect<FetchedPayload, IngestSessionError>
  /**
   * As `fetch`, but a refusal that the vendor put in writing (NotFound, NotEntitled) is an answer too: its Response is what
   * proves it. Other failures fail. A payload that may not be held in memory comes as a stream.
   */
  readonly ask: (request: VendorRequest, options: FetchOptions) => Effect.Effect<AskedPayload, IngestSessionError>
  /**
   * Sends once what `prepare` makes: never from the archive, never again, not under the quota. The request is on the disk before anything
   * goes out, and from then on nothing interrupts until what became of it is archived, too. Of a `key` (null: none) under which this
   * archive has something sent, nothing is sent; what failed before anything went out does not count. A refusal, OutcomeUnknown among
   * them, fails with VendorError.
   */
  readonly send: (
    prepare: (vendor: SendCapability) => Effect.Effect<VendorRequest, VendorError>,
    key: string | null
  ) => Effect.Effect<SentExchange, IngestSessionError | AlreadySent>
}

/** Audited runs against vendors: everything that is asked passes the archive, the quota and the single flight. */
export class IngestSession extends Context.Service<
  IngestSession,
  {
    /** A session until the scope closes; its outcome follows from its calls and from how the scope ends. */
    readonly open: (options: {
      readonly source: string
      readonly mode: SessionMode
      readonly asOf?: EpochMillis | null
    }) => Effect.Effect<OpenIngestSession, IngestSessionError, Scope.Scope>
  }
>()("tapestry/IngestSession") {}
