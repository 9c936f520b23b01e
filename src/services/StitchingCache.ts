import { Context, type Effect, Schema, type Stream } from "effect"
import type { Bar } from "../domain/Bar.ts"
import type { StoredAction } from "../domain/CorporateAction.ts"
import { CoverageInterval, type Refused } from "../domain/Coverage.ts"
import type { Lineage } from "../domain/Lineage.ts"
import type { OnMissing, Plan, RangePolicy } from "../domain/Plan.ts"
import type { Request } from "../domain/Request.ts"
import type { Response } from "../domain/Response.ts"
import type { Moment, RowDifference } from "../domain/RowDifference.ts"
import type { Tick } from "../domain/records/TickSeries.ts"
import type { SeriesKey } from "../domain/SeriesKey.ts"
import { type EpochMillis, iso, type TimeRange } from "../domain/TimeRange.ts"
import { type Excerpt, type SeriesQuery, Unsupported, VendorError } from "./Adapter.ts"
import { AdapterRegistryError } from "./AdapterRegistry.ts"
import { CalendarError } from "./Calendar.ts"
import { IngestSessionError } from "./IngestSession.ts"
import { type GenerationId, MarketStoreError } from "./MarketStore.ts"
import { ProvenanceStoreError } from "./ProvenanceStore.ts"
import { QuotaError } from "./Quota.ts"
import type { RebuildEvent, RebuildOptions } from "./RebuildEvent.ts"

/** `onMissing: "fail"` and parts of the range could not be had: `holes` says which and why. What was fetched is kept. */
export class RangeIncomplete extends Schema.TaggedError<RangeIncomplete>()("RangeIncomplete", {
  holes: Schema.Array(CoverageInterval)
}) {}
/** The answer would have more rows than one answer may. */
export class TooManyRows extends Schema.TaggedError<TooManyRows>()("TooManyRows", {
  rows: Schema.Int,
  limit: Schema.Int
}) {}
/** The range would take more requests to the vendor than one plan may have; nothing was asked. */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()("TooManyRequests", { limit: Schema.Int }) {}
const units = ["KiB", "MiB", "GiB", "TiB"]
const sized = (bytes: number): string => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10) - 1))
  return `${(bytes / 1024 ** (power + 1)).toFixed(1)} ${units[power]}`
}

/**
 * What the vendor would be asked for is forecast to need more than the disk has free beyond the reserve that is always left; nothing
 * was asked. Bytes; `freeBytes` is all that is free.
 */
export class DiskTooFull extends Schema.TaggedError<DiskTooFull>()("DiskTooFull", {
  directory: Schema.String,
  freeBytes: Schema.Int,
  neededBytes: Schema.Int,
  reserveBytes: Schema.Int
}) {
  override get message(): string {
    const { directory, freeBytes, neededBytes, reserveBytes } = this
    return `the disk of ${directory} is too full: the fetch is forecast to need ${sized(neededBytes)}, and ${sized(freeBytes)} are free, of which ${sized(reserveBytes)} are kept in reserve (limits.minFree); free some space (archive gc says what could go), ask for a smaller range, or lower the reserve`
  }
}

/** No row at that instant. */
export class NoSuchRow extends Schema.TaggedError<NoSuchRow>()("NoSuchRow", {
  ts: Schema.Finite,
  series: Schema.String
}) {}
/** Nothing is stored of that series: most likely a mistyped key. */
export class UnknownSeries extends Schema.TaggedError<UnknownSeries>()("UnknownSeries", { series: Schema.String }) {}
/**
 * Only of a cache in another process: it could not be reached, went away in the middle, or refused the call. `again`: worth
 * repeating against it or its successor; what was fetched is kept.
 */
export class CacheUnavailable extends Schema.TaggedError<CacheUnavailable>()("CacheUnavailable", {
  again: Schema.Boolean,
  message: Schema.String
}) {}

/** Why a range could not be had; what was fetched before it failed is kept. */
export class StitchingCacheError extends Schema.TaggedError<StitchingCacheError>()("StitchingCacheError", {
  reason: Schema.Union([
    RangeIncomplete,
    TooManyRows,
    TooManyRequests,
    DiskTooFull,
    NoSuchRow,
    UnknownSeries,
    CacheUnavailable,
    VendorError,
    AdapterRegistryError,
    CalendarError,
    IngestSessionError,
    ProvenanceStoreError,
    QuotaError,
    MarketStoreError
  ])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "RangeIncomplete": {
        const [first] = reason.holes
        const cause =
          first?.state._tag === "Missing"
            ? first.state.cause?.message
            : first?.state._tag === "Throttled"
              ? (first.state.cause ?? `throttled; try again in ${Math.ceil(first.state.retryAfter / 1000)} s`)
              : first?.state._tag
        return `${reason.holes.length} part(s) of the range could not be had${
          first === undefined ? "" : `, the first from ${iso(first.start)}: ${cause ?? "missing"}`
        }`
      }
      case "TooManyRows":
        return `the answer has ${reason.rows} rows, more than ${reason.limit}; ask for a smaller range or raise the limit`
      case "TooManyRequests":
        return `the range takes more than ${reason.limit} requests to the vendor; ask for a smaller one`
      case "NoSuchRow":
        return `no row of ${reason.series} at ${iso(reason.ts)}`
      case "UnknownSeries":
        return `nothing is stored of ${reason.series}; series list names what is`
      case "CacheUnavailable":
      case "DiskTooFull":
      case "VendorError":
      case "AdapterRegistryError":
      case "CalendarError":
      case "IngestSessionError":
      case "ProvenanceStoreError":
      case "QuotaError":
      case "MarketStoreError":
        return reason.message
    }
  }
}

/** Which rows are wanted, and whom may be asked for them. */
export interface RangeQuery {
  readonly series: SeriesKey
  readonly range: TimeRange
  /** `cacheFirst` unless given. */
  readonly policy?: RangePolicy
}

/** Told while a range is being had. `rows` counts what has been committed, `of` the requests of the plan. */
export interface ReadProgress {
  readonly done: number
  readonly of: number
  readonly rows: number
}

/** How a range is read. */
export interface ReadOptions {
  /** `fail` unless given. */
  readonly onMissing?: OnMissing
  /** Reads the range as it was known then; fetches nothing. */
  readonly asOf?: EpochMillis
  /**
   * Reads what this generation of the series has, as {@link RangeAnswer} named it, also after it was replaced; fetches nothing. One
   * that is gone (the series was forgotten or rebuilt) fails with GenerationGone.
   */
  readonly generation?: GenerationId
  /**
   * With `generation`, the `cuts` of the same answer: rows of the range that retention has dropped since are a GenerationGone, and no gap. Absent: 0.
   */
  readonly cuts?: number
  /**
   * Where nothing of the vendor's own bars is to be had of the range: bars made of the stored ones of a minute, where the store keeps
   * such aggregates. The answer says so, and is never of both. With `generation` it is one of the series of a minute.
   */
  readonly derived?: boolean
  readonly progress?: (progress: ReadProgress) => Effect.Effect<void>
}

/**
 * An answered range. `bars` is read from the store when it is run, ascending, in chunks. `coverage` is sorted, disjoint and
 * covers `range`. `rowCount` is how many bars it will give; of those `rowsFromVendor` came with this answer's own fetches.
 * `requests` counts what this answer asked the vendor for; `sharedRequests` what it waited for together with others.
 */
export interface RangeAnswer {
  readonly series: SeriesKey
  readonly range: TimeRange
  readonly plan: Plan
  readonly coverage: ReadonlyArray<CoverageInterval>
  readonly rowCount: number
  readonly rowsFromVendor: number
  readonly requests: number
  readonly sharedRequests: number
  /** Rows that a lenient vendor dropped from what this answer fetched; absent: none. */
  readonly rowsRejected?: number
  /** The generation that all of it is about, and that `bars` reads; absent where nothing is stored. */
  readonly generation?: GenerationId
  /**
   * How often retention had dropped rows of the generation by then. Where it drops more before `bars` has read them, that fails with
   * GenerationGone; the same question, asked again, says what is missing. Absent where `generation` is.
   */
  readonly cuts?: number
  /**
   * Of an adjusted series: instants at which rows before and behind could never be compared, because the vendor did not give the
   * older ones any more when the newer ones came. A split in between would not show. Absent: none.
   */
  readonly seams?: ReadonlyArray<EpochMillis>
  /**
   * The bars are no vendor's: they were made of these, and so is the coverage, bar by bar; `generation` is one of theirs. A bar of a day is
   * made of the minutes of its date in UTC, whatever a session is. Absent: they are the vendor's own.
   */
  readonly derived?: { readonly from: SeriesKey }
  readonly bars: Stream.Stream<Bar, StitchingCacheError>
}

/** What a series is told that has none. */
export const noTicks = ({ kind, vendor }: SeriesKey): VendorError =>
  new VendorError({
    vendor,
    reason: new Unsupported({ message: `a series of kind ${kind} has no such single trades or quotes` })
  })

/** How a range of single trades or quotes is read. */
export type TickReadOptions = Pick<ReadOptions, "onMissing" | "asOf" | "progress">

/**
 * An answered range of single trades or quotes: as a {@link RangeAnswer}, but for its rows, which are read from the store when they are run, ascending,
 * in chunks; what is stored by then. Stamps are whole milliseconds for `range` and `coverage`, and nanoseconds in the rows.
 */
export interface TickAnswer
  extends Pick<
    RangeAnswer,
    "series" | "range" | "plan" | "coverage" | "rowCount" | "rowsFromVendor" | "requests" | "sharedRequests"
  > {
  readonly rows: Stream.Stream<Tick, StitchingCacheError>
}

/**
 * The chain behind one row, from the value back to the exact bytes. `request` is the call that fetched `response`, and `attempts`
 * are all that it took, in order, `response` among them: what failed before it says why in its `cause`, and each says how long the
 * quota made it wait. The newest 100, where a call took more.
 */
export interface Receipt {
  readonly series: SeriesKey
  readonly bar: Bar
  readonly final: boolean
  readonly lineage: Lineage
  readonly response: Response
  readonly request: Request
  /** The symbol that was asked for, where it was another one then than the series has now. */
  readonly symbol?: string
  readonly attempts: ReadonlyArray<Response>
  readonly excerpt: Excerpt
  /** The vendor was asked for the bar again and said no. */
  readonly refusal?: Refused
}

/** Answers ranges from the store, fetches only what is missing, once, and knows why the rest is not there. */
export class StitchingCache extends Context.Service<
  StitchingCache,
  {
    /** The identity of the series that a user means, as the vendor's adapter spells it. */
    readonly resolve: (vendor: string, query: SeriesQuery) => Effect.Effect<SeriesKey, StitchingCacheError>
    /**
     * What `read`, or of trades and quotes `ticks`, would do. Applies archived answers that are not applied yet; spends nothing at the
     * vendor.
     */
    readonly plan: (query: RangeQuery) => Effect.Effect<Plan, StitchingCacheError>
    readonly read: (query: RangeQuery, options?: ReadOptions) => Effect.Effect<RangeAnswer, StitchingCacheError>
    /**
     * As `read`, of a series of trades or quotes of which the vendor has a history. It is fetched page by page as far as it is missing, and
     * what each page proves is kept when a later one fails. What is not over, or not in the history yet, is not asked for (`NotYet`).
     */
    readonly ticks: (query: RangeQuery, options?: TickReadOptions) => Effect.Effect<TickAnswer, StitchingCacheError>
    /** Executes exactly this plan of bars and answers. */
    readonly execute: (plan: Plan, options?: ReadOptions) => Effect.Effect<RangeAnswer, StitchingCacheError>
    /** What is known of a range, without asking anyone. */
    readonly coverage: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly asOf?: EpochMillis }
    ) => Effect.Effect<ReadonlyArray<CoverageInterval>, StitchingCacheError>
    /**
     * What the vendor has told of splits, dividends and capital gains of the symbol in the range of ex-dates, ascending, as far
     * as bars of it were fetched. Asks nobody.
     */
    readonly actions: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly asOf?: EpochMillis }
    ) => Effect.Effect<ReadonlyArray<StoredAction>, StitchingCacheError>
    /**
     * What the vendor changed between two instants, ascending; asks nobody. Provisional values that provisional ones replaced
     * are not kept: where one is missing the difference is `unknown`.
     */
    readonly diff: (
      series: SeriesKey,
      range: TimeRange,
      between: readonly [Moment, Moment]
    ) => Stream.Stream<RowDifference, StitchingCacheError>
    readonly invalidate: (series: SeriesKey, range: TimeRange) => Effect.Effect<void, StitchingCacheError>
    /**
     * Fetches everything that is covered again into a new generation and makes it visible at once. Until then, and when any
     * piece fails, readers see the old one.
     */
    readonly refetch: (series: SeriesKey) => Effect.Effect<RangeAnswer, StitchingCacheError>
    readonly explain: (
      series: SeriesKey,
      ts: EpochMillis,
      options?: { readonly asOf?: EpochMillis }
    ) => Effect.Effect<Receipt, StitchingCacheError>
    /**
     * Removes a series from the store, with its rows, coverage and revisions, and returns how many rows that were; fails with
     * UnknownSeries. The archive keeps the answers, so that asking for it again costs the vendor nothing.
     */
    readonly forget: (series: SeriesKey) => Effect.Effect<number, StitchingCacheError>
    /**
     * Makes the store again from the archive alone, series by series, or with `check` compares it with what it would be. Each
     * series is built beside the one that readers see and takes its place at once. A rebuild that ends early leaves each as it
     * was or as it was rebuilt. Asks no vendor.
     */
    readonly rebuild: (options?: RebuildOptions) => Stream.Stream<RebuildEvent, StitchingCacheError>
  }
>()("tapestry/StitchingCache") {}
