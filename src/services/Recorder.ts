import { Context, type Effect, Schema, type Stream } from "effect"
import { StreamEvent } from "../domain/streams/StreamEvent.ts"
import { StreamKey } from "../domain/streams/StreamKey.ts"
import { StreamKind } from "../domain/streams/StreamKind.ts"
import { EpochMillis } from "../domain/TimeRange.ts"
import { MarketStreamsError, type StreamSelection } from "./MarketStreams.ts"
import { ProvenanceStoreError } from "./ProvenanceStore.ts"

/**
 * Only of a recorder in another process: it could not be reached, went away in the middle, or refused the call. `again`: worth repeating against it
 * or its successor. It has ended in order what it could.
 */
export class RecorderUnavailable extends Schema.TaggedError<RecorderUnavailable>()("RecorderUnavailable", {
  again: Schema.Boolean,
  message: Schema.String
}) {}

/** Why nothing is recorded, or no more of it. What was archived before stays. */
export class RecorderError extends Schema.TaggedError<RecorderError>()("RecorderError", {
  reason: Schema.Union([RecorderUnavailable, MarketStreamsError, ProvenanceStoreError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** What was recorded of the streams of a kind. */
export const RecordedKind = Schema.Struct({
  kind: StreamKind,
  streams: Schema.Int,
  rows: Schema.Int,
  gaps: Schema.Int,
  /** Parts of gaps that could not be had. */
  missing: Schema.Int,
  segments: Schema.Int,
  /** Of the segments, before they are compressed. */
  bytes: Schema.Int
})
export interface RecordedKind extends Schema.Schema.Type<typeof RecordedKind> {}

/**
 * Told by a recording. `Began`: the streams, by their place in the request. `Word`: what has become of one of them (never rows). `Progress`: once a
 * second. `Ended`: the last, when all that came is archived; `unstored`: series of which the store does not have all of it yet.
 */
export const RecordingEvent = Schema.TaggedUnion({
  Began: { session: Schema.Int, streams: Schema.Array(StreamKey) },
  Word: { stream: Schema.Int, event: StreamEvent },
  Progress: { at: EpochMillis, kinds: Schema.Array(RecordedKind) },
  Ended: { session: Schema.Int, kinds: Schema.Array(RecordedKind), unstored: Schema.Array(Schema.String) }
})
export type RecordingEvent = typeof RecordingEvent.Type

/** Milliseconds: a segment is archived when it is so old. */
export const SegmentAge = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 86_400_000 }))

export interface RecordingOptions {
  /** The recording is ended in order when this is done; never unless given. */
  readonly until?: Effect.Effect<unknown>
  /** A segment is archived when it has so many bytes, or is so many milliseconds old; 4 MiB and a minute unless given. */
  readonly segmentBytes?: number
  readonly segmentAge?: number
}

/**
 * Records live streams. All that a consumer is told, rows and words, is archived in segments, as answers of the vendor; what of it the store
 * has a place for is stored from them, with the segment as where it came from.
 *
 * What was archived survives SIGKILL; what had come since is lost with the process, and the next recording of the stream tells it as missing.
 * A stream that its vendor has ended is not recorded any more; the recording goes on while there is another.
 */
export class Recorder extends Context.Service<
  Recorder,
  {
    /** Until all streams have ended or `until` is done. Who stops reading ends it in order, too. */
    readonly record: (
      selection: StreamSelection,
      options?: RecordingOptions
    ) => Stream.Stream<RecordingEvent, RecorderError>
    /** Ends a recording of this process in order, as its `until` does, by its session; false where none of that session is under way. */
    readonly end: (session: number) => Effect.Effect<boolean>
  }
>()("tapestry/Recorder") {}
