/** What is told of a recording: JSON lines, a line that tells how far it is, and what it came to. */

import { isRows } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { RecordedKind, RecordingEvent } from "../../services/Recorder.ts"
import { instant } from "../format/Documents.ts"
import { bytes, counted, duration, grouped } from "../format/Numbers.ts"
import { documentsOf } from "../streams/streamDocuments.ts"

/** `SPY trades`, `SPY bars of 5s`. */
export const streamName = ({ kind, symbol, timeframe }: StreamKey): string =>
  `${symbol} ${kind}${timeframe === null ? "" : ` of ${timeframe}`}`

const streamDocument = ({ kind, symbol, timeframe, vendor }: StreamKey) => ({
  vendor,
  kind,
  symbol,
  ...(timeframe === null ? {} : { timeframe })
})

/** The JSON lines of an event; words of a stream are as those of `trades`, with its kind and, of bars, their timeframe. */
export const recordingDocuments = (event: RecordingEvent, streams: ReadonlyArray<StreamKey>): ReadonlyArray<object> => {
  switch (event._tag) {
    case "Began":
      return [{ event: "Began", session: event.session, streams: event.streams.map(streamDocument) }]
    case "Word": {
      const stream = streams[event.stream]
      if (stream === undefined || isRows(event.event)) return []
      const { kind, timeframe } = stream
      const of = { kind, ...(timeframe === null ? {} : { timeframe }) }
      return documentsOf(event, streams).map((document) => ({ ...of, ...document }))
    }
    case "Progress":
      return [{ event: "Progress", at: instant(event.at), kinds: event.kinds }]
    case "Ended":
      return [{ event: "Ended", session: event.session, kinds: event.kinds, unstored: event.unstored }]
  }
}

const kindText = ({ gaps, kind, missing, rows }: RecordedKind, rate: number | null): string =>
  [
    `${kind} ${counted(rows, "row")}`,
    ...(rate === null ? [] : [`${grouped(Math.round(rate))}/s`]),
    ...(gaps === 0 ? [] : [counted(gaps, "gap")]),
    ...(missing === 0 ? [] : [`${missing} not had`])
  ].join(", ")

/** `recording 2 min  trades 12,345 rows, 210/s, 1 gap  quotes 45,000 rows, 750/s`; rates are those since `before`. */
export const progressText = (
  elapsed: number,
  kinds: ReadonlyArray<RecordedKind>,
  before: ReadonlyArray<RecordedKind>,
  since: number
): string =>
  [
    `recording ${duration(elapsed)}`,
    ...kinds.map((kind) => {
      const rows = before.find((other) => other.kind === kind.kind)?.rows ?? 0
      return kindText(kind, since > 0 ? ((kind.rows - rows) * 1_000) / since : null)
    })
  ].join("  ")

export const endText = (session: number, kinds: ReadonlyArray<RecordedKind>): string => {
  const segments = kinds.reduce((sum, kind) => sum + kind.segments, 0)
  const size = kinds.reduce((sum, kind) => sum + kind.bytes, 0)
  const what = kinds.map((kind) => kindText(kind, null)).join("; ")
  return `session ${session}: ${what}; ${counted(segments, "segment")} of ${bytes(size)} in the archive`
}
