/** Under which series what is recorded of a stream is stored. */
import { Effect } from "effect"
import { recordedBars, recordedDataset } from "../../domain/recordedBars.ts"
import { isRecordSeries } from "../../domain/records/RecordKind.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { type SeriesQuery, Unsupported, VendorError } from "../../services/Adapter.ts"
import type { StreamCapability } from "../../services/StreamCapability.ts"
import { builtFrom } from "../streams/builtStream.ts"

/** Null: the store has no place for them. */
export const recordedSeries = (stream: StreamCapability, key: StreamKey): SeriesKey | null => {
  const { timeframe } = key
  if (timeframe === null) {
    const series = stream.series(key)
    return series !== null && isRecordSeries(series) ? series : null
  }
  const part = builtFrom(stream, timeframe)
  const bars = stream.series({ ...key, timeframe: part ?? timeframe })
  return bars?.kind === "bar" ? recordedBars(bars, part === null ? "recorded" : "built", timeframe) : null
}

const parts = ["price", "session", "adjustment", "currency"] as const

/** The series of recorded bars that a query means; its dataset is one of those of recorded bars. */
export const namedRecording = Effect.fnUntraced(function* (
  vendor: string,
  stream: StreamCapability,
  { dataset, timeframe, ...query }: SeriesQuery
): Effect.fn.Return<SeriesKey, VendorError> {
  const refuse = (message: string) => Effect.fail(new VendorError({ vendor, reason: new Unsupported({ message }) }))
  if (query.kind !== "bar" || timeframe === null) return yield* refuse(`the dataset ${dataset} is one of bars`)
  const part = builtFrom(stream, timeframe)
  const has = part === null ? "recorded" : "built"
  if (recordedDataset(dataset) !== has) {
    const why =
      part === null ? `streams bars of ${timeframe} itself` : `streams bars of ${part}, of which those are made`
    return yield* refuse(`it ${why}; what was recorded of them is in the dataset ${has}`)
  }
  const key = yield* stream.key({ symbol: query.symbol, kind: "bars", timeframe: part ?? timeframe })
  const series = recordedSeries(stream, { ...key, timeframe })
  if (series === null) return yield* refuse("bars of its streams are not stored")
  for (const name of parts) {
    const wanted = query[name]
    if (wanted !== undefined && wanted !== series[name]) {
      return yield* refuse(
        `bars that are recorded of its streams have the ${name} ${series[name] ?? "of none"}, not ${wanted}`
      )
    }
  }
  return series
})
