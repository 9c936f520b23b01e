import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Request } from "../../domain/Request.ts"
import { Response } from "../../domain/Response.ts"
import { Session } from "../../domain/Session.ts"
import { EpochMillis } from "../../domain/TimeRange.ts"
import { MaintenanceError } from "../../services/Maintenance.ts"
import {
  ArchiveStats,
  CompactReport,
  Damage,
  GcReport,
  ProvenanceStoreError,
  ReplayOf,
  ReplayRecord,
  Retention,
  UpkeepProgress
} from "../../services/ProvenanceStore.ts"
import { OnShutdown, TooBusy } from "./Border.ts"

/** Newest first: only ids below `before`, and at most `limit` of them; all when they are not given. */
const listing = {
  before: Schema.optionalKey(Schema.Int),
  limit: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
}
const id = { id: Schema.Int }

/** What is told while payloads are hashed again: how many were, each that is wrong, and the end of it. */
export const VerifyEvent = Schema.TaggedUnion({
  Progress: { checked: Schema.Int },
  Damaged: { damage: Damage },
  Verified: { checked: Schema.Int, damaged: Schema.Int }
})
export type VerifyEvent = typeof VerifyEvent.Type

const progress = { phase: UpkeepProgress.fields.phase, done: Schema.Int, of: Schema.Int }

/** What is told while a gc runs, and what it removed, once, last. */
export const GcEvent = Schema.TaggedUnion({ Progress: progress, Done: { report: GcReport } })
export type GcEvent = typeof GcEvent.Type

/** What is told while a compaction runs, and what it did, once, last. */
export const CompactEvent = Schema.TaggedUnion({ Progress: progress, Done: { report: CompactReport } })
export type CompactEvent = typeof CompactEvent.Type

/** The archive: sessions, calls, answers, and their exact bytes. */
export class ArchiveRpcs extends RpcGroup.make(
  Rpc.make("Archive.sessions", {
    payload: listing,
    success: Session,
    error: ProvenanceStoreError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  Rpc.make("Archive.requests", {
    payload: { ...listing, session: Schema.optionalKey(Schema.Int), identity: Schema.optionalKey(Schema.String) },
    success: Request,
    error: ProvenanceStoreError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  Rpc.make("Archive.responses", {
    payload: { ...listing, request: Schema.optionalKey(Schema.Int), identity: Schema.optionalKey(Schema.String) },
    success: Response,
    error: ProvenanceStoreError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  Rpc.make("Archive.session", { payload: id, success: Session, error: ProvenanceStoreError }),
  Rpc.make("Archive.request", { payload: id, success: Request, error: ProvenanceStoreError }),
  Rpc.make("Archive.response", { payload: id, success: Response, error: ProvenanceStoreError }),
  /** Responses in their order, oldest first, without their bytes, which Archive.payload gives. */
  Rpc.make("Archive.replay", {
    payload: {
      of: ReplayOf,
      asOf: Schema.optionalKey(EpochMillis),
      withBytes: Schema.optionalKey(Schema.Boolean)
    },
    success: ReplayRecord,
    error: ProvenanceStoreError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /**
   * The bytes of that sha256 (64 hex digits), verified, in pieces of up to 64 KiB; as JSON, each in base64. TooBusy for who takes
   * nothing for seconds while others wait for their turn, and for who waited half a minute.
   */
  Rpc.make("Archive.payload", {
    payload: { sha256: Schema.String },
    success: Schema.Uint8Array,
    error: Schema.Union([ProvenanceStoreError, TooBusy]),
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** Hashes every payload again. */
  Rpc.make("Archive.verify", { success: VerifyEvent, error: ProvenanceStoreError, stream: true }).annotate(
    OnShutdown,
    "cut"
  ),
  /** Removes what nothing points to; with `apply` false it only says what would go. A client that leaves ends it between two steps. */
  Rpc.make("Archive.gc", {
    payload: { retention: Retention, apply: Schema.Boolean },
    success: GcEvent,
    error: MaintenanceError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** Compresses what was archived as it came. A client that leaves ends it between two steps. */
  Rpc.make("Archive.compact", { success: CompactEvent, error: MaintenanceError, stream: true }).annotate(
    OnShutdown,
    "cut"
  ),
  Rpc.make("Archive.stats", { success: ArchiveStats, error: ProvenanceStoreError })
) {}
