import { Context, type Effect, Schema, type Scope, type Stream } from "effect"
import {
  type CacheMode,
  type CallOutcome,
  type Request,
  RequestId,
  type RequestIdentity,
  type RequestSubject
} from "../domain/Request.ts"
import { Response, ResponseId, type ResponseMetadata, type ResponseStatus } from "../domain/Response.ts"
import type { SeriesChange, SeriesOperation } from "../domain/SeriesOperation.ts"
import type { Session, SessionId, SessionMode, SessionOutcome } from "../domain/Session.ts"
import type { EpochMillis, TimeRange } from "../domain/TimeRange.ts"
import type { AnswerBody, ArchivedBytes, PayloadDraft } from "./PayloadDraft.ts"

/** The database or a payload file failed; `message` names the file and the operation. */
export class ArchiveUnavailable extends Schema.TaggedError<ArchiveUnavailable>()("ArchiveUnavailable", {
  message: Schema.String
}) {}
/** The disk, or the size the database may have, is full; nothing already archived is affected. */
export class ArchiveFull extends Schema.TaggedError<ArchiveFull>()("ArchiveFull", { message: Schema.String }) {}
/** The data directory cannot be written by this user. */
export class ArchiveReadOnly extends Schema.TaggedError<ArchiveReadOnly>()("ArchiveReadOnly", {
  message: Schema.String
}) {}
/** The data directory was written by a newer release, or its migrations were changed. */
export class ArchiveSchemaMismatch extends Schema.TaggedError<ArchiveSchemaMismatch>()("ArchiveSchemaMismatch", {
  message: Schema.String
}) {}
/** The market rows beside it came from another archive: this one was lost, replaced, or put back from an older copy. */
export class ArchiveLost extends Schema.TaggedError<ArchiveLost>()("ArchiveLost", { message: Schema.String }) {}
/** No session, request or response of this id. */
export class RecordNotFound extends Schema.TaggedError<RecordNotFound>()("RecordNotFound", {
  record: Schema.Literals(["session", "request", "response"]),
  id: Schema.Int
}) {}
/** The payload's bytes are gone or do not hash to their name. */
export class PayloadDamaged extends Schema.TaggedError<PayloadDamaged>()("PayloadDamaged", {
  sha256: Schema.String,
  problem: Schema.Literals(["missing", "torn"]),
  message: Schema.String
}) {}
/** The payload is larger than may be held in memory; when it is archived, it stays so. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  sizeBytes: Schema.Int,
  limit: Schema.Int
}) {}
/** Params or body that have no canonical form (NaN, infinities). */
export class NotCanonical extends Schema.TaggedError<NotCanonical>()("NotCanonical", { message: Schema.String }) {}

/** Why the archive refused or failed; what it acknowledged before is not affected. */
export class ProvenanceStoreError extends Schema.TaggedError<ProvenanceStoreError>()("ProvenanceStoreError", {
  reason: Schema.Union([
    ArchiveUnavailable,
    ArchiveFull,
    ArchiveReadOnly,
    ArchiveSchemaMismatch,
    ArchiveLost,
    RecordNotFound,
    PayloadDamaged,
    PayloadTooLarge,
    NotCanonical
  ])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "RecordNotFound":
        return `the archive has no ${reason.record} ${reason.id}`
      case "PayloadTooLarge":
        return `a payload of ${reason.sizeBytes} bytes is over the limit of ${reason.limit}; ask for a smaller range or raise the limit`
      default:
        return reason.message
    }
  }
}

/** A call to be recorded. `identityHash` is computed by the store from `identity`. */
export interface NewRequest {
  readonly session: SessionId
  readonly identity: RequestIdentity
  readonly subject: RequestSubject | null
  readonly cacheMode: CacheMode
  /** True: it survives a loss of power before it is acknowledged, too; for what may be done at a vendor without an answer. */
  readonly durable?: boolean
}

/** What one attempt at a vendor brought. `body` is null when no byte came. */
export interface NewResponse {
  readonly request: RequestId
  readonly attempt: number
  /** When the attempt was sent to the vendor. */
  readonly askedAt: EpochMillis
  readonly status: ResponseStatus
  readonly body: AnswerBody | null
  readonly metadata: ResponseMetadata
  readonly cause: string | null
  readonly waited: number
  /** The response whose bytes this one confirms, and takes for its own; `body` is null then. */
  readonly revalidated?: ResponseId
}

/** A response that answers an identity: the newest `ok` one by (fetchedAt, id). */
export interface ArchivedPayload {
  readonly response: Response
  readonly payload: Uint8Array
}

/**
 * What a replay goes through.
 *
 * - `Identity`: every attempt at that question (64 hex digits), whoever asked; `Request`: the same of the question of that call.
 * - `Session`: the calls of a session in the order in which they were made, each with its attempts, or with the response that it was
 *   served in their place.
 */
export const ReplayOf = Schema.TaggedUnion({
  Identity: { sha256: Schema.String },
  Request: { id: Schema.Int },
  Session: { id: Schema.Int }
})
export type ReplayOf = typeof ReplayOf.Type

/** `asOf`: only what had been fetched by then, in calls made by then. `withBytes`: only what has archived bytes. */
export interface ReplayOptions {
  readonly of: ReplayOf
  readonly asOf?: EpochMillis
  readonly withBytes?: boolean
}

/** One step of a replay: the call, and a response that it got. */
export const ReplayRecord = Schema.Struct({ call: RequestId, response: Response })
export interface ReplayRecord extends Schema.Schema.Type<typeof ReplayRecord> {}

/** A step with its exact bytes, which are read and verified when `bytes` is run; null where none came. */
export interface ReplayedResponse extends ReplayRecord {
  readonly bytes: Effect.Effect<ArchivedBytes | null, ProvenanceStoreError>
}

/** What an answer took: the range that was asked for, and the bytes of its payload as they are kept. */
export interface AnswerSize {
  readonly range: TimeRange
  readonly sha256: string
  readonly storedBytes: number
}

/** A page of a listing. */
export interface Page {
  /** Newest first; only ids below this. */
  readonly before?: number
  readonly limit: number
}

/** One thing that `verify` found wrong. `responses` are those whose payload it is (at most ten are named). */
export const Damage = Schema.Struct({
  sha256: Schema.String,
  problem: Schema.Literals(["missing", "torn"]),
  where: Schema.String,
  responses: Schema.Array(ResponseId)
})
export interface Damage extends Schema.Schema.Type<typeof Damage> {}

/** A call that somebody made: see `everybodys`. */
export interface MadeCall {
  readonly id: RequestId
  readonly own: boolean
  readonly response: ResponseId | null
}

/** How much the archive holds: counts of records, and sizes in bytes. */
export const ArchiveStats = Schema.Struct({
  sessions: Schema.Int,
  requests: Schema.Int,
  hits: Schema.Int,
  responses: Schema.Int,
  failedResponses: Schema.Int,
  payloads: Schema.Int,
  payloadBytes: Schema.Int,
  /** Bytes that identical payloads would have taken again. */
  dedupedBytes: Schema.Int,
  /** What the payloads take as they are kept, compressed or not. */
  storedBytes: Schema.Int,
  databaseBytes: Schema.Int,
  schemaVersion: Schema.Int
})
export interface ArchiveStats extends Schema.Schema.Type<typeof ArchiveStats> {}

/**
 * What may go of that to which nothing points. `age`: what is older than so many milliseconds; `ages`: other ages for single
 * sources; null: no age. `bytes`: of what is younger also the oldest, until the payloads take no more than that. `source`: of this one
 * alone. Nothing younger than an hour goes.
 */
export const Retention = Schema.Struct({
  age: Schema.NullOr(Schema.Int),
  ages: Schema.Record(Schema.String, Schema.Int),
  bytes: Schema.NullOr(Schema.Int),
  source: Schema.NullOr(Schema.String)
})
export interface Retention extends Schema.Schema.Type<typeof Retention> {}

/** What a gc removed, or (`applied` false) would remove. `payloadBytes`: what the payloads took as they were kept. */
export const GcReport = Schema.Struct({
  applied: Schema.Boolean,
  responses: Schema.Int,
  requests: Schema.Int,
  sessions: Schema.Int,
  payloads: Schema.Int,
  payloadBytes: Schema.Int,
  /** Files under responses/ that no record speaks of. */
  orphanFiles: Schema.Int,
  /** Responses that would go, were they not pointed to. */
  keptByReference: Schema.Int
})
export interface GcReport extends Schema.Schema.Type<typeof GcReport> {}

/** What a compaction did. `payloads`: those that were compressed; sizes in bytes. `damaged`: those left as they are, being torn. */
export const CompactReport = Schema.Struct({
  payloads: Schema.Int,
  damaged: Schema.Int,
  storedBefore: Schema.Int,
  storedAfter: Schema.Int,
  databaseBefore: Schema.Int,
  databaseAfter: Schema.Int,
  /** Free pages inside the database that cannot be given back to the disk; later answers use them. */
  freeBytes: Schema.Int
})
export interface CompactReport extends Schema.Schema.Type<typeof CompactReport> {}

/** How far long work on the archive is: `done` of `of` things of this phase. */
export const UpkeepProgress = Schema.Struct({
  phase: Schema.Literals(["looking", "compressing", "removing", "shrinking"]),
  done: Schema.Int,
  of: Schema.Int
})
export interface UpkeepProgress extends Schema.Schema.Type<typeof UpkeepProgress> {}

export type TellsUpkeep = (progress: UpkeepProgress) => Effect.Effect<void>

/** What `gc` is to do. `referenced`: every response that must stay, as MarketStore.referencedResponses gives them. */
export interface GcOptions<E> {
  readonly retention: Retention
  /** False: only says what would go. */
  readonly apply: boolean
  readonly referenced: Stream.Stream<ResponseId, E>
  readonly progress?: TellsUpkeep
}

/**
 * The archive: sessions, the calls made in them, the vendor's answers and their exact bytes. It is the log; every market row
 * is a projection of it. What a method acknowledges survives SIGKILL, except `recordHit`, which is grouped and may be lost.
 */
export class ProvenanceStore extends Context.Service<
  ProvenanceStore,
  {
    readonly openSession: (options: {
      readonly source: string
      readonly mode: SessionMode
      readonly asOf: EpochMillis | null
    }) => Effect.Effect<SessionId, ProvenanceStoreError>
    readonly closeSession: (
      id: SessionId,
      outcome: SessionOutcome,
      reason: string | null
    ) => Effect.Effect<void, ProvenanceStoreError>
    /** sha256 (64 hex digits) of the canonical form of an identity. Fails with NotCanonical. */
    readonly identify: (identity: RequestIdentity) => Effect.Effect<string, ProvenanceStoreError>
    readonly openRequest: (request: NewRequest) => Effect.Effect<RequestId, ProvenanceStoreError>
    readonly closeRequest: (
      id: RequestId,
      outcome: CallOutcome,
      response: ResponseId | null,
      cause: string | null
    ) => Effect.Effect<void, ProvenanceStoreError>
    /** Records a call that the archive answered, in one piece; grouped, best effort in a crash. */
    readonly recordHit: (request: NewRequest, response: ResponseId) => Effect.Effect<void>
    /**
     * A draft for the bytes of an answer that is yet to come: small ones stay in memory, larger ones go to a temporary file at
     * once. What `append` was not given by the end of the scope is removed.
     */
    readonly draft: Effect.Effect<PayloadDraft, never, Scope.Scope>
    /** Durable when it returns. A response that answers (`ok`) closes its request as `fetched` in the same transaction. */
    readonly append: (response: NewResponse) => Effect.Effect<Response, ProvenanceStoreError>
    /** The newest `ok` response of an identity, asked for at or after `notBefore`, with its verified bytes; null when none. */
    readonly lookup: (
      identityHash: string,
      notBefore: EpochMillis
    ) => Effect.Effect<ArchivedPayload | null, ProvenanceStoreError>
    /** The newest `ok` response of an identity, without its bytes; null when none. */
    readonly newest: (identityHash: string) => Effect.Effect<Response | null, ProvenanceStoreError>
    /** Bytes by hash, verified; fails with PayloadTooLarge where they may not be held. */
    readonly payload: (sha256: string) => Effect.Effect<Uint8Array, ProvenanceStoreError>
    /** As `payload`, but what may not be held comes as a stream. */
    readonly open: (sha256: string) => Effect.Effect<ArchivedBytes, ProvenanceStoreError>
    readonly session: (id: number) => Effect.Effect<Session, ProvenanceStoreError>
    readonly request: (id: number) => Effect.Effect<Request, ProvenanceStoreError>
    readonly response: (id: number) => Effect.Effect<Response, ProvenanceStoreError>
    readonly sessions: (page: Page) => Effect.Effect<ReadonlyArray<Session>, ProvenanceStoreError>
    readonly requests: (
      page: Page & { readonly session?: number; readonly identity?: string }
    ) => Effect.Effect<ReadonlyArray<Request>, ProvenanceStoreError>
    /**
     * Calls of an identity (its hash) that did not end as `failed`, whichever tenant made them, oldest first: for what may happen once in a deployment.
     * Of those of other tenants (`own` false) there is the number and nothing else.
     */
    readonly everybodys: (identity: string) => Effect.Effect<ReadonlyArray<MadeCall>, ProvenanceStoreError>
    readonly responses: (
      page: Page & { readonly request?: number; readonly identity?: string }
    ) => Effect.Effect<ReadonlyArray<Response>, ProvenanceStoreError>
    /**
     * Responses in their order, oldest first: with `asOf` the last `ok` one of an identity is what was known then. Fails with
     * RecordNotFound for an unknown call or session. Page by page, bytes only on demand.
     */
    readonly replay: (options: ReplayOptions) => Stream.Stream<ReplayedResponse, ProvenanceStoreError>
    /** Ids, ascending, of the responses about a series (canonical text) above `after` whose answer proves something. */
    readonly answersOf: (
      series: string,
      after: number
    ) => Effect.Effect<ReadonlyArray<ResponseId>, ProvenanceStoreError>
    /**
     * Records what was decided about a series (canonical text); durable when it returns. To be done by the store only then: what is
     * recorded and not done is done by the next plan of the series.
     */
    readonly recordOperation: (
      series: string,
      change: SeriesChange
    ) => Effect.Effect<SeriesOperation, ProvenanceStoreError>
    /** The operations on a series (canonical text) with an id above `after`, in their order. */
    readonly operationsOf: (
      series: string,
      after: number
    ) => Effect.Effect<ReadonlyArray<SeriesOperation>, ProvenanceStoreError>
    /**
     * What the newest `ok` answers with bytes about a series (canonical text) took, at most twenty; where there are none, those about
     * other series of its vendor, kind and timeframe among the newest two hundred of all.
     */
    readonly answerSizes: (series: string) => Effect.Effect<ReadonlyArray<AnswerSize>, ProvenanceStoreError>
    /** Canonical texts, ascending, of the series about which the archive has an answer that proves something. */
    readonly subjects: Effect.Effect<ReadonlyArray<string>, ProvenanceStoreError>
    /** Hashes every payload again, one problem per element as it is found. `checked` grows in `progress`. */
    readonly verify: (progress: (checked: number) => Effect.Effect<void>) => Stream.Stream<Damage, ProvenanceStoreError>
    readonly stats: Effect.Effect<ArchiveStats, ProvenanceStoreError>
    /**
     * Removes responses to which nothing points, with their bytes, calls and sessions, in steps that hold nobody up. What was given
     * out of late, what belongs to an open session, and what a call that stays was served, is kept. Safe to break off and to repeat.
     */
    readonly gc: <E>(options: GcOptions<E>) => Effect.Effect<GcReport, ProvenanceStoreError | E>
    /**
     * Compresses payloads that were archived as they came, and gives free space back to the disk, in steps that hold nobody up.
     * Safe to break off: what is done stays done, and the next one goes on from there.
     */
    readonly compact: (progress?: TellsUpkeep) => Effect.Effect<CompactReport, ProvenanceStoreError>
  }
>()("tapestry/ProvenanceStore") {}
