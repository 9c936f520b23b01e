import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Bar } from "../../domain/Bar.ts"
import { StoredAction } from "../../domain/CorporateAction.ts"
import { CoverageInterval } from "../../domain/Coverage.ts"
import { OnMissing, Plan, RangePolicy } from "../../domain/Plan.ts"
import { Revision } from "../../domain/Revision.ts"
import { Moment, RowDifference } from "../../domain/RowDifference.ts"
import { Quote } from "../../domain/records/Quote.ts"
import { Trade } from "../../domain/records/Trade.ts"
import { SeriesKey } from "../../domain/SeriesKey.ts"
import { AskedMillis, TimeRange } from "../../domain/TimeRange.ts"
import { SeriesQuery } from "../../services/Adapter.ts"
import { GenerationId, LatestPrice, MarketStoreError, SeriesSummary } from "../../services/MarketStore.ts"
import { RebuildEvent } from "../../services/RebuildEvent.ts"
import { StitchingCacheError } from "../../services/StitchingCache.ts"
import { OnShutdown } from "./Border.ts"
import { BarPage, pageRows, RangeReport, ReadEvent, RowReceipt } from "./RangeReport.ts"

const asOf = { asOf: Schema.optionalKey(AskedMillis) }
const ranged = { series: SeriesKey, range: TimeRange }
const query = { ...ranged, policy: Schema.optionalKey(RangePolicy) }
/** `cuts` is 0 unless given: who does not say what the report said is told of everything that was ever dropped of the range. */
const generation = { generation: Schema.optionalKey(GenerationId), cuts: Schema.optionalKey(Schema.Int) }
const onMissing = { onMissing: Schema.optionalKey(OnMissing) }
const ticks = { ...query, ...onMissing, ...asOf }
/** Where the vendor's own bars are not to be had: bars made of those of a minute. The report and a page say so; false unless given. */
const derived = { derived: Schema.optionalKey(Schema.Boolean) }

/**
 * Ranges of series. A series is named by its key, as `Series.resolve` or `Series.list` gives it. Instants are UTC epoch
 * milliseconds, ranges half-open; `policy` is `cacheFirst` and `onMissing` `fail` unless given.
 */
export class SeriesRpcs extends RpcGroup.make(
  /** The identity of the series that a user means, as the vendor's adapter spells it. */
  Rpc.make("Series.resolve", {
    payload: { vendor: Schema.String, query: SeriesQuery },
    success: SeriesKey,
    error: StitchingCacheError
  }),
  /** What having the range would take; spends nothing at the vendor. */
  Rpc.make("Series.plan", { payload: query, success: Plan, error: StitchingCacheError }),
  /** Has the range: fetches what is missing and tells of it. The rows are read with `Series.bars`, `Series.trades` or `Series.quotes`. */
  Rpc.make("Series.read", {
    payload: { ...query, ...onMissing, ...asOf, ...generation, ...derived },
    success: ReadEvent,
    error: StitchingCacheError,
    stream: true
  }),
  /** As `Series.read`, by exactly this plan. */
  Rpc.make("Series.execute", {
    payload: { plan: Plan, ...onMissing, ...derived },
    success: ReadEvent,
    error: StitchingCacheError,
    stream: true
  }),
  /**
   * The bars of the range, ascending; fetches what is missing first. A first chunk of up to 1,000, then of up to 4,000. With the
   * `generation` and the `cuts` of a report they are the rows that the report is about, whatever came since, or a GenerationGone; with `derived`,
   * too, where the report says so.
   */
  Rpc.make("Series.bars", {
    payload: { ...query, ...onMissing, ...asOf, ...generation, ...derived },
    success: Bar,
    error: StitchingCacheError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** The rows of a range of a series of trades, ascending; fetches what is missing first. */
  Rpc.make("Series.trades", {
    payload: ticks,
    success: Trade,
    error: StitchingCacheError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** As `Series.trades`, of a series of quotes. */
  Rpc.make("Series.quotes", {
    payload: ticks,
    success: Quote,
    error: StitchingCacheError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /**
   * As `Series.bars` for small ranges, in one message each way: up to `limit` bars (1,000 at most, and unless given). It counts
   * among a connection's calls and not among its streams.
   */
  Rpc.make("Series.page", {
    payload: {
      ...query,
      ...onMissing,
      ...asOf,
      ...derived,
      limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageRows })))
    },
    success: BarPage,
    error: StitchingCacheError
  }),
  /** What is known of the range, without asking anyone: sorted, disjoint, and without a hole. */
  Rpc.make("Series.coverage", {
    payload: { ...ranged, ...asOf },
    success: CoverageInterval,
    error: StitchingCacheError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** What the vendor has told of splits, dividends and capital gains in a range of ex-dates, ascending; asks nobody. */
  Rpc.make("Series.actions", {
    payload: { ...ranged, ...asOf },
    success: Schema.Array(StoredAction),
    error: StitchingCacheError
  }),
  /** What the vendor changed between two instants, ascending; asks nobody. */
  Rpc.make("Series.diff", {
    payload: { ...ranged, between: Schema.Tuple([Moment, Moment]) },
    success: RowDifference,
    error: StitchingCacheError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  Rpc.make("Series.explain", {
    payload: { series: SeriesKey, ts: AskedMillis, ...asOf },
    success: RowReceipt,
    error: StitchingCacheError
  }),
  Rpc.make("Series.invalidate", { payload: ranged, error: StitchingCacheError }),
  /** Fetches everything that is covered again and makes it visible at once. */
  Rpc.make("Series.refetch", { payload: { series: SeriesKey }, success: RangeReport, error: StitchingCacheError }),
  /** Removes a series from the store and answers with the rows removed. */
  Rpc.make("Series.forget", { payload: { series: SeriesKey }, success: Schema.Int, error: StitchingCacheError }),
  /** Makes the store again from the archive, or compares the two; tells of it while it goes on. */
  Rpc.make("Series.rebuild", {
    payload: {
      vendor: Schema.optionalKey(Schema.String),
      symbol: Schema.optionalKey(Schema.String),
      check: Schema.optionalKey(Schema.Boolean),
      moved: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })))
    },
    success: RebuildEvent,
    error: StitchingCacheError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** Superseded values in order of (ts, recordedAt). */
  Rpc.make("Series.revisions", { payload: ranged, success: Revision, error: MarketStoreError, stream: true }).annotate(
    OnShutdown,
    "cut"
  ),
  Rpc.make("Series.list", { success: SeriesSummary, error: MarketStoreError, stream: true }).annotate(
    OnShutdown,
    "cut"
  ),
  /** The last close of each series. */
  Rpc.make("Series.latest", {
    payload: {
      vendor: Schema.optionalKey(Schema.String),
      symbols: Schema.optionalKey(Schema.Array(Schema.String))
    },
    success: Schema.Array(LatestPrice),
    error: MarketStoreError
  })
) {}
