import type { SeriesKey } from "../SeriesKey.ts"
import type { RecordOf, RecordSeries } from "./RecordKind.ts"

/** Kinds of which each row is one event of the market, and of which a vendor's history is had page by page. */
export type TickKind = "trade" | "quote"
export type TickSeries = RecordSeries<TickKind>
export type Tick = RecordOf<TickKind>

export const isTickKind = (kind: SeriesKey["kind"]): kind is TickKind => kind === "trade" || kind === "quote"

export const isTickSeries = (series: SeriesKey): series is TickSeries => isTickKind(series.kind)
