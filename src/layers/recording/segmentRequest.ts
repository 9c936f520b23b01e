/** Under which requests a recorded stream is archived: one that opens it, one for each segment, and one that closes it. */
import { Option, Schema } from "effect"
import type { RequestIdentity } from "../../domain/Request.ts"
import { segmentForm } from "../../domain/streams/SegmentFrame.ts"
import { StreamKey } from "../../domain/streams/StreamKey.ts"
import { EpochMillis } from "../../domain/TimeRange.ts"

export const openKind = "stream.open"
export const segmentKind = "stream.segment"
export const closedKind = "stream.closed"

/** What of a segment is not in its frames. */
export const SegmentParams = Schema.Struct({
  form: Schema.Literal(segmentForm),
  stream: StreamKey,
  /** The session that records. */
  recording: Schema.Int,
  /** From 1. */
  segment: Schema.Int,
  /** The number of its first frame that no segment before has. */
  first: Schema.Int,
  /** Up to where the recording was complete when the segment began; null before the stream had begun. */
  from: Schema.NullOr(EpochMillis)
})
export interface SegmentParams extends Schema.Schema.Type<typeof SegmentParams> {}

const decodeParams = Schema.decodeUnknownOption(SegmentParams)
export const segmentParams = (params: unknown): SegmentParams | null => Option.getOrNull(decodeParams(params))

const decodeStream = Schema.decodeUnknownOption(Schema.Struct({ form: Schema.Literal(segmentForm), stream: StreamKey }))
/** The stream that a call of a recording is about; null where it is none. */
export const streamOf = (params: unknown): StreamKey | null =>
  Option.getOrNull(Option.map(decodeStream(params), ({ stream }) => stream))

const identity = (stream: StreamKey, kind: string, params: RequestIdentity["params"]): RequestIdentity => ({
  source: stream.vendor,
  kind,
  method: "SUBSCRIBE",
  params,
  body: null,
  bucket: null,
  cacheTag: null
})

const plain = ({ kind, params, symbol, timeframe, vendor }: StreamKey) => ({
  vendor,
  symbol,
  kind,
  timeframe,
  params: { ...params }
})

/** The same for every recording of a stream, so that the one before is found. */
export const openIdentity = (stream: StreamKey): RequestIdentity =>
  identity(stream, openKind, { form: segmentForm, stream: plain(stream) })

export const segmentIdentity = ({ stream, ...rest }: SegmentParams): RequestIdentity =>
  identity(stream, segmentKind, { ...rest, stream: plain(stream) })

export const closedIdentity = (stream: StreamKey, recording: number): RequestIdentity =>
  identity(stream, closedKind, { form: segmentForm, stream: plain(stream), recording })
