/** A recorded session as the archive has it: which streams, and the answers that each consists of. */
import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { SegmentFrame, SegmentOpening } from "../../domain/streams/SegmentFrame.ts"
import { canonical, type StreamKey } from "../../domain/streams/StreamKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { readFrames, UnreadableSegment } from "./readFrames.ts"
import { closedKind, openKind, segmentKind, segmentParams, streamOf } from "./segmentRequest.ts"

export interface RecordedStreamFiles {
  readonly opening: SegmentOpening
  readonly segments: ReadonlyArray<ResponseId>
  /** Null: the recording broke off. */
  readonly closed: ResponseId | null
}

export interface RecordedSession {
  readonly session: number
  readonly vendor: string
  readonly startedAt: EpochMillis
  readonly streams: ReadonlyArray<RecordedStreamFiles>
}

const pageRequests = 1_000

interface Found {
  stream: StreamKey | null
  open: ResponseId | null
  segments: Array<{ readonly segment: number; readonly response: ResponseId }>
  closed: ResponseId | null
}

/** The frames of an archived answer of a recording. */
export const framesOf = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  { kind }: Pick<StreamKey, "kind">,
  id: ResponseId
): Effect.fn.Return<ReadonlyArray<SegmentFrame>, ProvenanceStoreError | UnreadableSegment> {
  const { sha256 } = yield* archive.response(id)
  if (sha256 === null) return yield* new UnreadableSegment({ message: `response ${id} has no bytes` })
  return yield* readFrames(kind, yield* archive.payload(sha256))
})

/** Fails with UnreadableSegment where the session has recorded nothing. */
export const recordedSession = Effect.fn("Recording.session")(function* (
  archive: ProvenanceStore["Service"],
  id: number
): Effect.fn.Return<RecordedSession, ProvenanceStoreError | UnreadableSegment> {
  const { source, startedAt } = yield* archive.session(id)
  const found = new Map<string, Found>()
  const of = (stream: StreamKey): Found => {
    const text = canonical(stream)
    const known = found.get(text)
    if (known !== undefined) return known
    const fresh: Found = { stream, open: null, segments: [], closed: null }
    found.set(text, fresh)
    return fresh
  }
  let before: number | undefined
  for (;;) {
    const page = yield* archive.requests({
      session: id,
      limit: pageRequests,
      ...(before === undefined ? {} : { before })
    })
    for (const { kind, params, response } of page) {
      if (response === null) continue
      const stream = streamOf(params)
      if (stream === null) continue
      if (kind === openKind) of(stream).open = response
      else if (kind === closedKind) of(stream).closed = response
      else if (kind === segmentKind) {
        const segment = segmentParams(params)?.segment
        if (segment !== undefined) of(stream).segments.push({ segment, response })
      }
    }
    before = page.at(-1)?.id
    if (before === undefined || page.length < pageRequests) break
    yield* Effect.yieldNow
  }
  const streams: Array<RecordedStreamFiles> = []
  // In one order, whichever of them was heard first and last.
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [, { closed, open, segments, stream }] of sorted) {
    if (open === null || stream === null) continue
    const [first] = yield* framesOf(archive, stream, open)
    if (first?.open === undefined) continue
    segments.sort((a, b) => a.segment - b.segment)
    streams.push({ opening: first.open, segments: segments.map(({ response }) => response), closed })
  }
  if (streams.length === 0) {
    return yield* new UnreadableSegment({
      message: `session ${id} has recorded no stream; 'tapestry archive sessions' lists sessions, and those of the mode stream that tapestry record has made can be replayed`
    })
  }
  return { session: id, vendor: source, startedAt, streams }
})
