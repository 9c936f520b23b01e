import { Context, type Effect, Schema, type Stream } from "effect"
import type { Bar } from "../domain/Bar.ts"
import type { StoredAction } from "../domain/CorporateAction.ts"
import type { StoredCoverage } from "../domain/Coverage.ts"
import type { DerivedTimeframe } from "../domain/derivedTimeframes.ts"
import type { JobSpec } from "../domain/Job.ts"
import type { Lineage } from "../domain/Lineage.ts"
import type { Mismatch, StoredMismatch } from "../domain/Mismatch.ts"
import type { ResponseId } from "../domain/Response.ts"
import type { Revision } from "../domain/Revision.ts"
import { SeriesKey } from "../domain/SeriesKey.ts"
import type { SeriesOperation } from "../domain/SeriesOperation.ts"
import { EpochMillis, type TimeRange } from "../domain/TimeRange.ts"
import type { DecodedActions } from "./Adapter.ts"
import type { DerivedBars } from "./DerivedBars.ts"

/**
 * The database failed, or cannot be reached; `message` names it and the operation. Where it got no answer to its COMMIT it says so: the
 * commit may be there, whole, and the same commit again does nothing twice.
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  message: Schema.String
}) {}
/**
 * The same may succeed in a moment, and was tried several times: another transaction was in its way, the server has no connection
 * left, stops or starts, or the connection broke before COMMIT.
 */
export class StoreRetryable extends Schema.TaggedError<StoreRetryable>()("StoreRetryable", {
  message: Schema.String
}) {}
/** The database gave it up: it took longer than the statement timeout, or waited longer than the lock timeout. */
export class StoreTimeout extends Schema.TaggedError<StoreTimeout>()("StoreTimeout", { message: Schema.String }) {}
/** The user of the database lacks a right, or rows are another tenant's. */
export class StoreTenantDenied extends Schema.TaggedError<StoreTenantDenied>()("StoreTenantDenied", {
  message: Schema.String
}) {}
/**
 * A constraint of the database, one of its owner's own, refused a row; it does so again. `index` counts from 0 within the commit's bars; it
 * and `ts`, the row's stamp, are null where the database does not say which row it was.
 */
export class StoreConstraintViolation extends Schema.TaggedError<StoreConstraintViolation>()(
  "StoreConstraintViolation",
  {
    constraint: Schema.NullOr(Schema.String),
    index: Schema.NullOr(Schema.Int),
    ts: Schema.NullOr(Schema.Finite),
    message: Schema.String
  }
) {}
/** The disk, or the size the database may have, is full; what was committed stays. */
export class StoreFull extends Schema.TaggedError<StoreFull>()("StoreFull", { message: Schema.String }) {}
/** The data directory cannot be written by this user. */
export class StoreReadOnly extends Schema.TaggedError<StoreReadOnly>()("StoreReadOnly", { message: Schema.String }) {}
/** Written by a newer release, or with changed migrations. */
export class StoreSchemaMismatch extends Schema.TaggedError<StoreSchemaMismatch>()("StoreSchemaMismatch", {
  message: Schema.String
}) {}
/** A row that cannot be accepted; nothing of the commit was stored. `index` counts from 0 within the commit's bars. */
export class InvalidRow extends Schema.TaggedError<InvalidRow>()("InvalidRow", {
  index: Schema.Int,
  ts: Schema.Finite,
  message: Schema.String
}) {}
/** Coverage that does not fit its commit: overlapping, or naming another response. */
export class InvalidCoverage extends Schema.TaggedError<InvalidCoverage>()("InvalidCoverage", {
  message: Schema.String
}) {}
/** The generation was published or dropped already, or retention has dropped rows of it that were still to be read: ask again. */
export class GenerationGone extends Schema.TaggedError<GenerationGone>()("GenerationGone", {
  message: Schema.String
}) {}

/**
 * Why the store refused or failed; nothing of the commit that failed is stored, but where a StoreUnavailable says that the answer to
 * its COMMIT was lost.
 */
export class MarketStoreError extends Schema.TaggedError<MarketStoreError>()("MarketStoreError", {
  reason: Schema.Union([
    StoreUnavailable,
    StoreRetryable,
    StoreTimeout,
    StoreTenantDenied,
    StoreConstraintViolation,
    StoreFull,
    StoreReadOnly,
    StoreSchemaMismatch,
    InvalidRow,
    InvalidCoverage,
    GenerationGone
  ])
}) {
  override get message(): string {
    return "index" in this.reason && this.reason.index !== null
      ? `row ${this.reason.index}: ${this.reason.message}`
      : this.reason.message
  }
}

/** A set of rows and coverage built beside the one that readers see, until it is published. */
export const GenerationId = Schema.Int.pipe(Schema.brand("GenerationId"))
export type GenerationId = typeof GenerationId.Type

/**
 * What somebody has seen of a series: a generation, and how often retention had dropped rows of it by then. What is taken from a store before
 * coverage is read and given when rows are, holds the two together: rows that the coverage speaks of and that are gone by then are a GenerationGone.
 */
export interface SeriesMark {
  readonly generation: GenerationId
  readonly cuts: number
}

/** What a null in `volume`, `vwap` or `count` means where the store has a value: `overwrite` it, or `keep` what is stored. */
export type NullPolicy = "overwrite" | "keep"

/**
 * The projection of one Response, whole: a response is committed once. `bars` ascend or not, as the decoder gave them; of two
 * with one stamp the last wins. `positions[i]` is the position of `bars[i]` in the payload. `coverage` is what the Response
 * proves: its intervals are disjoint and name `response`. Each bar lies inside a Covered or Provisional interval, which also
 * says whether it is final; a bar anywhere else is an InvalidRow, so cut off what a vendor sends beyond what was asked. A
 * stored row inside covered or provisional or empty coverage that `bars` does not have is withdrawn (kept as a revision): the
 * vendor no longer has it.
 */
export interface Commit {
  readonly series: SeriesKey
  readonly response: ResponseId
  /** When the Response was asked for; kept with what it covers. Absent: not known to differ from `fetchedAt`. */
  readonly askedAt?: EpochMillis
  readonly fetchedAt: EpochMillis
  readonly decoderVersion: number
  readonly bars: ReadonlyArray<Bar>
  readonly positions: ReadonlyArray<number>
  readonly coverage: ReadonlyArray<Pick<StoredCoverage, "start" | "end" | "state">>
  /** Corporate actions that the Response tells of; they are the symbol's, whatever series was asked for. */
  readonly actions?: DecodedActions
  readonly nulls?: NullPolicy
  readonly allowNonPositivePrices?: boolean
  /** Where to put it when not in the series that readers see. */
  readonly generation?: GenerationId
  /** Id of the archive's record that it belongs there. */
  readonly operation?: number
  /**
   * Work that follows from it: queued in the same transaction, so that neither is there without the other. A key that has a job that
   * is queued or running keeps it; one whose job has ended begins anew. Nothing is queued by a commit that was applied before.
   */
  readonly jobs?: ReadonlyArray<Omit<JobSpec, "schedule">>
}

/**
 * What a commit did to the rows that readers see; the four add up to the distinct stamps of `bars` plus the withdrawn.
 * `unchanged`: the row at that stamp has the values it had, be it that the commit repeats it or that a later response holds.
 */
export interface CommitResult {
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly withdrawn: number
  /** True when this (response, decoderVersion) had been applied before and nothing was done. */
  readonly alreadyApplied: boolean
}

/** A series of the store: how many rows it shows, the stamps of the first and the last, and how many revisions it keeps. */
export const SeriesSummary = Schema.Struct({
  series: SeriesKey,
  rows: Schema.Int,
  first: Schema.NullOr(EpochMillis),
  last: Schema.NullOr(EpochMillis),
  revisions: Schema.Int
})
export interface SeriesSummary extends Schema.Schema.Type<typeof SeriesSummary> {}

/** The last bar that a series has, and its close; `ts` is the bar's stamp. */
export const LatestPrice = Schema.Struct({ series: SeriesKey, ts: EpochMillis, price: Schema.Finite })
export interface LatestPrice extends Schema.Schema.Type<typeof LatestPrice> {}

/** The last final bar before a range, the first one at or after its end, and whether any bar, final or not, lies outside it. */
export interface Surroundings {
  readonly before: Bar | null
  readonly after: Bar | null
  readonly rows: boolean
}

/** A row with where it came from; `final` is false while its vendor may still change it. */
export interface StoredBar {
  readonly bar: Bar
  readonly lineage: Lineage
  readonly final: boolean
}

/**
 * Rows, coverage, revisions, and which responses are applied.
 *
 * Every commit is in one transaction: rows, coverage, lineage, revisions and `applied` appear together or not at all. Commits may
 * come in any order: the order of knowledge is (fetchedAt, response), never that of the commits, and the result is the same.
 * Reads never wait for writes. `asOf` reads what was known at that instant: `recordedAt <= asOf < supersededAt`.
 */
export class MarketStore extends Context.Service<
  MarketStore,
  {
    readonly commit: (commit: Commit) => Effect.Effect<CommitResult, MarketStoreError>
    /**
     * Several commits in one transaction, in their order: what one after another would leave, all of it or nothing. Their results, in
     * that order. For many small ones; writers of all series wait for the whole.
     */
    readonly commitAll: (commits: ReadonlyArray<Commit>) => Effect.Effect<ReadonlyArray<CommitResult>, MarketStoreError>
    /**
     * Bars with `ts` in the range, ascending, in a first chunk of up to 1,000, then of up to 4,000; memory stays flat. Fails with
     * GenerationGone where what is still to be read has been dropped since it began, or, with `cuts` of a {@link SeriesMark}, since that.
     */
    readonly bars: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly asOf?: EpochMillis; readonly generation?: GenerationId; readonly cuts?: number }
    ) => Stream.Stream<Bar, MarketStoreError>
    /** As `bars`, each with its lineage, in chunks of up to 4,000. The order and the rows are those that `bars` gives. */
    readonly storedBars: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly asOf?: EpochMillis }
    ) => Stream.Stream<StoredBar, MarketStoreError>
    /** One stored bar with its lineage; null when there is none at that stamp. */
    readonly barAt: (
      series: SeriesKey,
      ts: EpochMillis,
      options?: { readonly asOf?: EpochMillis }
    ) => Effect.Effect<StoredBar | null, MarketStoreError>
    /** Stored coverage that meets the range, clipped to it, sorted and disjoint; holes are what is not known. */
    readonly coverage: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly asOf?: EpochMillis; readonly generation?: GenerationId }
    ) => Effect.Effect<ReadonlyArray<StoredCoverage>, MarketStoreError>
    /**
     * Corporate actions of the symbol of a series whose ex-date is in the range, ascending: what the newest answer says of each
     * date, whichever series of this vendor, dataset and symbol it was asked for; with `own`, by the answers about this series alone.
     */
    readonly actions: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly asOf?: EpochMillis; readonly own?: boolean }
    ) => Effect.Effect<ReadonlyArray<StoredAction>, MarketStoreError>
    /** Superseded values in order of (ts, recordedAt). */
    readonly revisions: (series: SeriesKey, range: TimeRange) => Stream.Stream<Revision, MarketStoreError>
    /** Rows of the range, without reading them. */
    readonly count: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly generation?: GenerationId }
    ) => Effect.Effect<number, MarketStoreError>
    /** What lies beside a range: see {@link Surroundings}. */
    readonly surroundings: (
      series: SeriesKey,
      range: TimeRange,
      options?: { readonly generation?: GenerationId }
    ) => Effect.Effect<Surroundings, MarketStoreError>
    /**
     * Bars of a timeframe made of the series' bars of a minute, which readers see now, or of `generation` of those; null where the store keeps
     * no aggregates of that timeframe, or has no bars of a minute. They are nobody's answer: no vendor has said them.
     */
    readonly derived: (
      series: SeriesKey,
      timeframe: DerivedTimeframe,
      options?: { readonly generation?: GenerationId; readonly cuts?: number }
    ) => Effect.Effect<DerivedBars | null, MarketStoreError>
    /** The generation that readers see now; null while nothing is stored of the series. It can be read after it was replaced. */
    readonly visibleGeneration: (series: SeriesKey) => Effect.Effect<GenerationId | null, MarketStoreError>
    /** The mark of what readers see now, or saw at an instant; null while nothing is stored of the series. */
    readonly mark: (
      series: SeriesKey,
      options?: { readonly asOf?: EpochMillis }
    ) => Effect.Effect<SeriesMark | null, MarketStoreError>
    /**
     * The responses that are applied with this decoder version or a later one, also those that are so far only in a generation
     * that this process is building, unless it is apart; when it is dropped, or its process dies, they count as not applied. With
     * `generation`, only those of that one.
     */
    readonly applied: (
      series: SeriesKey,
      decoderVersion: number,
      options?: { readonly generation?: GenerationId }
    ) => Effect.Effect<ReadonlySet<ResponseId>, MarketStoreError>
    /** Id of the last operation of the archive that the series has; 0 where it has none, or is not stored. */
    readonly lastOperation: (series: SeriesKey) => Effect.Effect<number, MarketStoreError>
    /**
     * A response that the store refers to, of the last commit; null when it refers to none. An archive that has never had it is
     * not the one that these rows came from.
     */
    readonly newestResponse: Effect.Effect<ResponseId | null, MarketStoreError>
    /**
     * A few of the responses that are applied, the first and the last ones, and when each was fetched. An archive in which one of these
     * numbers stands for a response that was fetched at another time is not the one that these rows came from.
     */
    readonly witnesses: Effect.Effect<
      ReadonlyArray<{ readonly response: ResponseId; readonly fetchedAt: EpochMillis }>,
      MarketStoreError
    >
    /**
     * Every response that something points to: coverage as it is now, rows, and revisions with what superseded them. In chunks; an id
     * may come more than once. What was committed while it is read may be missing; what pointed to a response all along is not.
     */
    readonly referencedResponses: Stream.Stream<ResponseId, MarketStoreError>
    /**
     * Forgets the coverage of a range (its rows stay readable), so that it counts as missing; `at` is when that became so. An
     * answer fetched before, committed after, does not bring it back. `operation` is the archive's record of it, which says
     * exactly between which answers it stands: with it, the outcome does not depend on what is committed by now.
     */
    readonly invalidate: (
      series: SeriesKey,
      range: TimeRange,
      at: EpochMillis,
      options?: { readonly operation?: Pick<SeriesOperation, "id" | "after">; readonly generation?: GenerationId }
    ) => Effect.Effect<void, MarketStoreError>
    /**
     * An empty set of rows and coverage beside the visible one. `apart`: what is committed to it does not count as applied before
     * it is visible.
     */
    readonly beginGeneration: (
      series: SeriesKey,
      options?: { readonly apart?: boolean }
    ) => Effect.Effect<GenerationId, MarketStoreError>
    /**
     * Makes a generation the visible one in one small transaction; `at` is when that became so. Rows equal to the ones they
     * replace keep their lineage and knowledge time. Readers that began before keep reading the old one. `operation` is the id of
     * the archive's record of it.
     */
    readonly publishGeneration: (
      generation: GenerationId,
      at: EpochMillis,
      options?: { readonly operation?: number }
    ) => Effect.Effect<void, MarketStoreError>
    /** Makes `next` the successor of `before`, as publishing it would have been, while readers see neither. */
    readonly succeedGeneration: (
      before: GenerationId,
      next: GenerationId,
      at: EpochMillis
    ) => Effect.Effect<void, MarketStoreError>
    /**
     * Puts generations that succeed one another, oldest first, in the place of everything that the series has, in one small
     * transaction; what it had is removed. `operation` is the last operation of the archive that is in them. A stream that
     * reads what is removed fails with GenerationGone.
     */
    readonly replaceGenerations: (
      generations: readonly [GenerationId, ...ReadonlyArray<GenerationId>],
      operation: number
    ) => Effect.Effect<void, MarketStoreError>
    readonly dropGeneration: (generation: GenerationId) => Effect.Effect<void, MarketStoreError>
    /** The last close of each series, trade price before any other; null prices are never returned. */
    readonly latest: (options?: {
      readonly vendor?: string
      readonly symbols?: ReadonlyArray<string>
    }) => Effect.Effect<ReadonlyArray<LatestPrice>, MarketStoreError>
    readonly series: Effect.Effect<ReadonlyArray<SeriesSummary>, MarketStoreError>
    /**
     * Keeps what a comparison of two series found in `compared` (ascending, disjoint): `found` lie in it and ascend by stamp.
     * Those that are kept already stay as they are; those that were kept there and are not found are resolved at `at`.
     */
    readonly recordMismatches: (
      left: SeriesKey,
      right: SeriesKey,
      compared: ReadonlyArray<TimeRange>,
      found: ReadonlyArray<Mismatch>,
      at: EpochMillis
    ) => Effect.Effect<void, MarketStoreError>
    /** What is kept of two series in a range, ascending by (stamp, field, foundAt); `open` leaves out what is resolved. */
    readonly mismatches: (
      left: SeriesKey,
      right: SeriesKey,
      range: TimeRange,
      options?: { readonly open?: boolean }
    ) => Stream.Stream<StoredMismatch, MarketStoreError>
    /** Removes a series with its rows, coverage and revisions; the archive keeps its responses. Returns the rows removed. */
    readonly forget: (series: SeriesKey) => Effect.Effect<number, MarketStoreError>
  }
>()("tapestry/MarketStore") {}
