/**
 * A recorded stream told again as its vendor told it, in the Clock's time.
 *
 * Responsibilities: frames become what an upstream tells, at the instants at which they were received, at a speed. Queueing: none; it waits for
 * consumers that are behind, so that a replay makes nobody too slow. Segments are read one at a time.
 *
 * Hard cases: rows of a repaired gap stand between `Resumed` and the words about its parts, and are told with these as one; a gap that another followed
 * before it was repaired (what was gathered of the first is none: nobody had been told); frames that are missing (a segment that retention has
 * removed, or whose bytes are damaged: told as a gap that cannot be had); a recording that broke off (the stream ends there, and says so).
 */
import { Clock, Duration, Effect } from "effect"
import type { SegmentFrame } from "../../domain/streams/SegmentFrame.ts"
import { isRows } from "../../domain/streams/StreamEvent.ts"
import { isTape } from "../../domain/streams/StreamKind.ts"
import { millisOf, type StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { Rejected } from "../../services/Adapter.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { StreamSink, ToldGap } from "../../services/StreamCapability.ts"
import { framesOf, type RecordedSession, type RecordedStreamFiles } from "./RecordedSession.ts"
import { passedBy } from "./segmentRows.ts"

/** Rows that are told before consumers have a turn. */
const sliceRows = 1_024
/** More rows than this wait for nobody. */
const mostWaiting = 32_768
/** Milliseconds until a consumer that is behind is looked at again. */
const pause = 1

type Part = ToldGap["parts"][number]

/** Tells all of a stream. `speed`: how many seconds of the recording pass in one; infinite: no pause at all. */
export const replayStream = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  { session, startedAt }: Pick<RecordedSession, "session" | "startedAt">,
  { closed, opening, segments }: RecordedStreamFiles,
  speed: number,
  sink: StreamSink
) {
  const { stream } = opening
  const tape = isTape(stream.kind)
  const began = yield* Clock.currentTimeMillis
  let last = 1
  let through: EpochMillis | null = null
  /** Between `Resumed` and the last part of its gap. */
  let filling: {
    readonly from: EpochMillis
    readonly to: EpochMillis
    rows: Array<StreamRow>
    parts: Array<Part>
  } | null = null
  let gap: EpochMillis | null = null
  let rows: Array<StreamRow> = []

  const flush = () => {
    if (rows.length === 0) return
    sink.rows(rows)
    rows = []
  }

  const due = Effect.fnUntraced(function* (at: EpochMillis) {
    while ((sink.waiting?.() ?? 0) > mostWaiting) yield* Effect.sleep(Duration.millis(pause))
    if (speed === Number.POSITIVE_INFINITY) return
    const now = yield* Clock.currentTimeMillis
    const wait = began + (at - startedAt) / speed - now
    if (wait > 0) yield* Effect.sleep(Duration.millis(Math.ceil(wait)))
  })

  const passed = (to: EpochMillis | null) => {
    if (to !== null) through = Math.max(through ?? to, to)
  }

  /** Frames up to this one are not there. */
  const missing = (frame: SegmentFrame) => {
    flush()
    const from = through
    if (from === null || filling !== null || gap !== null) return
    const to = Math.max(from + 1, frame.row === undefined ? frame.at : millisOf(frame.row))
    const why = `a part of the recording (session ${session}) is not in the archive any more`
    sink.event({ _tag: "Gap", from, reason: why })
    sink.event({ _tag: "Resumed", to })
    sink.event({ _tag: "Filled", rows: [], parts: [{ start: from, end: to, why, rows: 0, job: null }] })
    passed(to)
  }

  const word = (event: NonNullable<SegmentFrame["event"]>) => {
    if (isRows(event)) return
    flush()
    switch (event._tag) {
      case "Started":
        if (through === null) sink.event({ _tag: "Started", at: event.through })
        break
      case "Gap":
        filling = null
        gap = Math.min(gap ?? event.from, event.from)
        sink.event({ _tag: "Gap", from: event.from, reason: event.reason })
        break
      case "Resumed":
        sink.event({ _tag: "Resumed", to: event.at })
        if (gap !== null) filling = { from: gap, to: event.at, rows: [], parts: [] }
        gap = null
        break
      case "Repaired":
      case "Unrepairable": {
        if (filling === null) break
        const why = event._tag === "Repaired" ? null : event.why
        const brought = event._tag === "Repaired" ? event.rows : 0
        filling.parts.push({ start: event.from, end: event.to, why, rows: brought, job: null })
        if (event.to < filling.to) break
        sink.event({ _tag: "Filled", rows: filling.rows, parts: filling.parts })
        filling = null
        break
      }
      case "DataType":
        sink.event({ _tag: "DataType", dataType: event.dataType })
        break
      case "SnapshotComplete":
        sink.event({ _tag: "SnapshotComplete" })
        break
      case "Closed":
        sink.event({ _tag: "Closed", retryable: false, cause: new Rejected({ message: event.cause }) })
        break
    }
    passed(passedBy(event))
  }

  const tell = (frame: SegmentFrame) => {
    if (frame.n <= last) return
    if (frame.n > last + 1) missing(frame)
    last = frame.n
    if (frame.event !== undefined) return word(frame.event)
    if (frame.row === undefined) return
    // How things stood: who wants a tape has it from there on, and who wants what holds has to know it.
    if (frame.snapshot === true && tape) return
    if (filling !== null) filling.rows.push(frame.row)
    else rows.push(frame.row)
    passed(frame.through ?? null)
  }

  for (const response of segments) {
    const frames = yield* framesOf(archive, stream, response).pipe(
      Effect.catch(({ message }) =>
        Effect.as(Effect.logWarning(`a segment of session ${session} cannot be replayed: ${message}`), [])
      )
    )
    let at = Number.NEGATIVE_INFINITY
    for (const frame of frames) {
      if (frame.again === true) continue
      if (frame.at > at || rows.length >= sliceRows) {
        flush()
        yield* Effect.yieldNow
        yield* due(frame.at)
        at = frame.at
      }
      tell(frame)
    }
    flush()
  }
  const why =
    closed === null
      ? `the recording (session ${session}) broke off here`
      : `the recording (session ${session}) ends here`
  sink.event({ _tag: "Closed", retryable: false, cause: new Rejected({ message: why }) })
})
