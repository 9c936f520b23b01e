import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { SessionId, SessionOutcome } from "../../domain/Session.ts"
import {
  ImportCheckEvent,
  ImportSegment,
  ImportSpec,
  ImportsError,
  ReplayedSegment,
  SegmentReport
} from "../../services/Imports.ts"

const selection = { vendor: Schema.optionalKey(Schema.String), symbol: Schema.optionalKey(Schema.String) }

/** Rows that come from no vendor, in segments of whole lines. A segment has to fit into a line of the protocol: 640 KiB do. */
export class ImportRpcs extends RpcGroup.make(
  Rpc.make("Import.begin", { success: SessionId, error: ImportsError }),
  /** Archives a segment and stores its rows; safe to repeat. */
  Rpc.make("Import.segment", {
    payload: {
      session: SessionId,
      spec: ImportSpec,
      offset: ImportSegment.fields.offset,
      line: ImportSegment.fields.line,
      bytes: Schema.Uint8ArrayFromBase64
    },
    success: SegmentReport,
    error: ImportsError
  }),
  Rpc.make("Import.end", {
    payload: { session: SessionId, outcome: SessionOutcome, reason: Schema.NullOr(Schema.String) },
    success: Schema.Void,
    error: ImportsError
  }),
  /** Stores again what was imported, and what live streams have left of records, from the archive; told segment by segment. */
  Rpc.make("Import.replay", { payload: selection, success: ReplayedSegment, error: ImportsError, stream: true }),
  /** Compares what is stored of imports with the archive; told series by series. */
  Rpc.make("Import.check", {
    payload: {
      ...selection,
      limit: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))
    },
    success: ImportCheckEvent,
    error: ImportsError,
    stream: true
  })
) {}
