import { Data, Effect, Result } from "effect"
import { frameDecoder, type SegmentFrame } from "../../domain/streams/SegmentFrame.ts"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"

/** Bytes that are no segment; `line` counts from 1. */
export class UnreadableSegment extends Data.TaggedError("UnreadableSegment")<{ readonly message: string }> {}

const newline = 10
/** Between two turns of the event loop. */
const sliceLines = 1_024

/** The frames of a segment, in order; frame i stands in line i + 1. */
export const readFrames = Effect.fnUntraced(function* (
  kind: StreamKind,
  bytes: Uint8Array
): Effect.fn.Return<ReadonlyArray<SegmentFrame>, UnreadableSegment> {
  const decode = frameDecoder(kind)
  const utf8 = new TextDecoder()
  const frames: Array<SegmentFrame> = []
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(newline, at)
    const end = found < 0 ? bytes.length : found
    const frame = decode(utf8.decode(bytes.subarray(at, end)))
    if (Result.isFailure(frame)) {
      return yield* new UnreadableSegment({
        message: `line ${frames.length + 1} is no frame: ${frame.failure.message}`
      })
    }
    frames.push(frame.success)
    at = end + 1
    if (frames.length % sliceLines === 0) yield* Effect.yieldNow
  }
  return frames
})
