/** The recording of a stream before the one that begins, and where it ended. */
import { Effect } from "effect"
import type { SegmentOpening } from "../../domain/streams/SegmentFrame.ts"
import { canonical, type StreamKey } from "../../domain/streams/StreamKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { readFrames } from "./readFrames.ts"
import { closedIdentity, openIdentity, segmentKind, segmentParams } from "./segmentRequest.ts"
import { passedBy } from "./segmentRows.ts"

type Archive = ProvenanceStore["Service"]

const pageRequests = 1_000

/** The last segment of a stream that a session has; null where it has none. */
const lastSegment = Effect.fnUntraced(function* (archive: Archive, session: number, stream: StreamKey) {
  const wanted = canonical(stream)
  let before: number | undefined
  for (;;) {
    const page = yield* archive.requests({ session, limit: pageRequests, ...(before === undefined ? {} : { before }) })
    for (const { kind, params, response } of page) {
      if (kind !== segmentKind || response === null) continue
      const segment = segmentParams(params)
      if (segment !== null && canonical(segment.stream) === wanted) return { segment, response }
    }
    before = page.at(-1)?.id
    if (before === undefined || page.length < pageRequests) return null
  }
})

/** Up to where the frames of a payload say that all has come. */
const throughIn = Effect.fnUntraced(function* (
  archive: Archive,
  stream: StreamKey,
  response: number,
  from: EpochMillis | null
) {
  const { sha256 } = yield* archive.response(response)
  const payload = sha256 === null ? null : yield* Effect.option(archive.payload(sha256))
  if (payload === null || payload._tag === "None") return from
  const frames = yield* Effect.orElseSucceed(readFrames(stream.kind, payload.value), () => [])
  let through = from
  for (const { closed, event, through: to } of frames) {
    const passed = to ?? closed?.through ?? passedBy(event)
    if (passed !== null) through = Math.max(through ?? passed, passed)
  }
  return through
})

export const recordingBefore = Effect.fnUntraced(function* (
  archive: Archive,
  stream: StreamKey
): Effect.fn.Return<SegmentOpening["before"], ProvenanceStoreError> {
  const opened = yield* archive.newest(yield* archive.identify(openIdentity(stream)))
  if (opened === null) return null
  const { session } = opened
  const closed = yield* archive.newest(yield* archive.identify(closedIdentity(stream, session)))
  if (closed !== null) {
    return { session, through: yield* throughIn(archive, stream, closed.id, null), closed: true }
  }
  const last = yield* lastSegment(archive, session, stream)
  const through = last === null ? null : yield* throughIn(archive, stream, last.response, last.segment.from)
  return { session, through, closed: false }
})
