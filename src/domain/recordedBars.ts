import type { SeriesKey } from "./SeriesKey.ts"
import type { Timeframe } from "./Timeframe.ts"

/**
 * Where recorded bars come from: `recorded` are those that the vendor streams, `built` are made here of shorter ones of its stream. Each is the
 * dataset of a series of its own; of a vendor that has datasets, with the vendor's behind it (`recorded.XNAS`).
 */
export type RecordedDataset = "recorded" | "built"

const datasets = /^(recorded|built)(\.|$)/

/** Which of the two a dataset is; null where it is the vendor's own. */
export const recordedDataset = (dataset: string | null | undefined): RecordedDataset | null =>
  (datasets.exec(dataset ?? "")?.[1] as RecordedDataset | undefined) ?? null

/**
 * The series of recorded bars. `bars` is the one under which the vendor has bars of its stream. A live bar says what was traded by then, and no
 * split that comes later is in it, so it is raw whatever the vendor's history is.
 */
export const recordedBars = (bars: SeriesKey, dataset: RecordedDataset, timeframe: Timeframe): SeriesKey => ({
  ...bars,
  dataset: bars.dataset === null ? dataset : `${dataset}.${bars.dataset}`,
  timeframe,
  adjustment: "raw"
})

/** True of a series that only recordings tell of: no vendor can be asked for it. */
export const isRecordedBars = ({ dataset, kind }: SeriesKey): boolean =>
  kind === "bar" && recordedDataset(dataset) !== null
