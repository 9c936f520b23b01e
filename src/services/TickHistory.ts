import type { Effect } from "effect"
import type { Tick, TickSeries } from "../domain/records/TickSeries.ts"
import type { EpochMillis, TimeRange } from "../domain/TimeRange.ts"
import type { SeriesQuery, VendorError, VendorRequest } from "./Adapter.ts"

/**
 * What a page of history has. The rows, ascending, are all that there are in the range that it proves, and lie in it; null: it has none and
 * proves nothing. `positions[i]` is where `rows[i]` is in the payload, from 0. `next` goes on where that range ends; null: this is the last page.
 */
export interface TickPage {
  readonly rows: ReadonlyArray<Tick>
  readonly positions: ReadonlyArray<number>
  readonly proves: TimeRange | null
  readonly next: VendorRequest | null
}

/**
 * The capability to answer ranges of single trades or quotes of the past, for adapters that can fetch: how many there are in a range nobody
 * knows before, so an answer is as many pages as it takes, each an exchange of its own. Pure, but for `delay` which is none.
 */
export interface TickHistory {
  /** How long after an instant the history has all of it, in milliseconds. */
  readonly delay: number
  /** Nothing before this can be had; null: not known. */
  readonly earliest: EpochMillis | null
  /** The identity of the series that a user means; fails with Unsupported, or NotFound where the vendor cannot have it. */
  readonly series: (query: SeriesQuery) => Effect.Effect<TickSeries, VendorError>
  /** The first page of a range, whose bounds are whole seconds. */
  readonly request: (series: TickSeries, range: TimeRange) => Effect.Effect<VendorRequest, VendorError>
  /** Reads an archived page of a range; what lies outside of it is left out. */
  readonly decode: (
    series: TickSeries,
    payload: Uint8Array,
    request: Pick<VendorRequest, "kind" | "params">,
    range: TimeRange
  ) => Effect.Effect<TickPage, VendorError>
  /** Raised whenever the same bytes may decode to other rows than before. */
  readonly decoderVersion: number
}
