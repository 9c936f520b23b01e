/** Bars of a longer timeframe that a store makes of bars of a minute. */
import type { Stream } from "effect"
import type { Bar } from "../domain/Bar.ts"
import type { SeriesKey } from "../domain/SeriesKey.ts"
import type { TimeRange } from "../domain/TimeRange.ts"
import type { GenerationId, MarketStoreError } from "./MarketStore.ts"

/**
 * `generation` and `cuts` are the mark of `source` that they are made of. A range of `bars` begins and ends where such bars do, counted from midnight
 * (UTC); of each that has a bar of a minute in it there is one, whether or not all of its minutes are known: coverage of `source` says that.
 */
export interface DerivedBars {
  readonly source: SeriesKey
  readonly generation: GenerationId
  readonly cuts: number
  readonly bars: (range: TimeRange) => Stream.Stream<Bar, MarketStoreError>
}
