import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { ConsumerPolicy } from "../../domain/streams/ConsumerPolicy.ts"
import { StreamItem } from "../../domain/streams/StreamEvent.ts"
import { StreamKey } from "../../domain/streams/StreamKey.ts"
import { MarketStreamsError, StreamSelection, StreamState } from "../../services/MarketStreams.ts"
import { RecorderError, RecordingEvent, SegmentAge } from "../../services/Recorder.ts"
import { OnShutdown } from "./Border.ts"

/** Live data of vendors, with what becomes of it in band. */
export class StreamRpcs extends RpcGroup.make(
  /** The identities of streams of one vendor, in their order; asks for none of them. */
  Rpc.make("Streams.keys", {
    payload: StreamSelection.fields,
    success: Schema.Array(StreamKey),
    error: MarketStreamsError
  }),
  /**
   * Streams of one vendor, until all have closed or the client goes. Each chunk is what came since the client took the last one, up to about
   * 4,000 rows; what becomes of rows that it has not taken yet is up to `policy`, so that one who is slow may fail with SlowConsumer.
   */
  Rpc.make("Streams.subscribe", {
    payload: { ...StreamSelection.fields, policy: Schema.optionalKey(ConsumerPolicy) },
    success: StreamItem,
    error: MarketStreamsError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /**
   * Records streams of one vendor until all have ended, `Streams.endRecording`, or the client goes; it is ended in order each time. `segmentAge` is
   * in milliseconds.
   */
  Rpc.make("Streams.record", {
    payload: { ...StreamSelection.fields, segmentAge: Schema.optionalKey(SegmentAge) },
    success: RecordingEvent,
    error: RecorderError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** Ends a recording in order; who reads it is told the rest. False where none of that session is under way. */
  Rpc.make("Streams.endRecording", { payload: { session: Schema.Int }, success: Schema.Boolean }),
  /** Every upstream that there is. */
  Rpc.make("Streams.states", { success: Schema.Array(StreamState), error: MarketStreamsError })
) {}
