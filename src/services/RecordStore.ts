import { Context, type Effect, Schema, type Stream } from "effect"
import type { StoredCoverage } from "../domain/Coverage.ts"
import type { Lineage } from "../domain/Lineage.ts"
import { ResponseId } from "../domain/Response.ts"
import type { RecordKind, RecordOf, RecordSeries } from "../domain/records/RecordKind.ts"
import { SeriesKey } from "../domain/SeriesKey.ts"
import { EpochMillis, type TimeRange } from "../domain/TimeRange.ts"
import type { CommitResult, MarketStoreError, NullPolicy } from "./MarketStore.ts"

/**
 * What one Response says of a series of records, whole: a response is committed to a series once. Rows come in any order.
 * `positions[i]` is the position of `rows[i]` in the payload.
 *
 * Of rows that one identity has (see `identityOf`) the last wins, but for trades and quotes without a sequence number: rows alike in
 * everything are as many events, in this answer and in the store, so that an answer that repeats them adds none.
 *
 * `coverage` is what the Response proves, its intervals disjoint and naming `response`. A stored row inside covered, provisional or
 * empty coverage that `rows` does not have is withdrawn (kept as a revision). Rows may lie outside all coverage: they are added, and
 * prove nothing about their surroundings.
 */
export interface RecordCommit<K extends RecordKind = RecordKind> {
  readonly series: RecordSeries<K>
  readonly response: ResponseId
  /** When the Response was asked for; absent: not known to differ from `fetchedAt`. */
  readonly askedAt?: EpochMillis
  readonly fetchedAt: EpochMillis
  readonly decoderVersion: number
  readonly rows: ReadonlyArray<RecordOf<K>>
  readonly positions: ReadonlyArray<number>
  readonly coverage: ReadonlyArray<Pick<StoredCoverage, "start" | "end" | "state">>
  /** What a null means where the store has a value; `overwrite` unless given. */
  readonly nulls?: NullPolicy
}

/** As the result of a commit of bars: the four add up to the distinct identities of `rows` plus the withdrawn. */
export interface RecordResult extends CommitResult {}

/** A row with where it came from. */
export interface StoredRecord<K extends RecordKind = RecordKind> {
  readonly row: RecordOf<K>
  readonly lineage: Lineage
}

/** A value that gave way: `corrected` by another one of its identity, or `withdrawn` by an answer that no longer had it. */
export interface RecordRevision<K extends RecordKind = RecordKind> {
  readonly row: RecordOf<K>
  readonly kind: "corrected" | "withdrawn"
  readonly lineage: Lineage
  readonly supersededAt: EpochMillis
  readonly supersededBy: ResponseId
}

/** How far a series has come: its rows, the instants of the first and the last (milliseconds), and when the last answer came. */
export const Freshness = Schema.Struct({
  series: SeriesKey,
  rows: Schema.Int,
  first: Schema.NullOr(EpochMillis),
  last: Schema.NullOr(EpochMillis),
  answeredAt: Schema.NullOr(EpochMillis),
  answeredBy: Schema.NullOr(ResponseId)
})
export interface Freshness extends Schema.Schema.Type<typeof Freshness> {}

/** Rows whose millisecond is in a range; `asOf` as they were known at that instant. */
export interface RecordReadOptions {
  readonly asOf?: EpochMillis
}

/**
 * Rows of every kind beside bars: trades, quotes, statistics, fundamentals, news, option snapshots, signals. It shares series,
 * coverage and applied responses with MarketStore, which answers for them.
 *
 * Every commit is in one transaction, and may come in any order: the order of knowledge is (fetchedAt, response), never that of the
 * commits. Reads never wait for writes.
 */
export class RecordStore extends Context.Service<
  RecordStore,
  {
    readonly commit: <K extends RecordKind>(commit: RecordCommit<K>) => Effect.Effect<RecordResult, MarketStoreError>
    /** Several commits in one transaction: all of it or nothing. Their results, in their order. */
    readonly commitAll: (
      commits: ReadonlyArray<RecordCommit>
    ) => Effect.Effect<ReadonlyArray<RecordResult>, MarketStoreError>
    /** Rows of the range in order of (instant, identity), in chunks of up to 4,000; memory stays flat. */
    readonly rows: <K extends RecordKind>(
      series: RecordSeries<K>,
      range: TimeRange,
      options?: RecordReadOptions
    ) => Stream.Stream<RecordOf<K>, MarketStoreError>
    /** As `rows`, each with its lineage. */
    readonly storedRows: <K extends RecordKind>(
      series: RecordSeries<K>,
      range: TimeRange,
      options?: RecordReadOptions
    ) => Stream.Stream<StoredRecord<K>, MarketStoreError>
    /** Superseded values of the range in order of (millisecond, recordedAt). */
    readonly revisions: <K extends RecordKind>(
      series: RecordSeries<K>,
      range: TimeRange
    ) => Stream.Stream<RecordRevision<K>, MarketStoreError>
    readonly count: (series: RecordSeries, range: TimeRange) => Effect.Effect<number, MarketStoreError>
    /** The last row of a series; null while it has none. */
    readonly last: <K extends RecordKind>(
      series: RecordSeries<K>
    ) => Effect.Effect<RecordOf<K> | null, MarketStoreError>
    /** Whose rows there are, of any kind, bars too; in alphabetical order. */
    readonly vendors: Effect.Effect<ReadonlyArray<string>, MarketStoreError>
    /** Every series of every kind, bars too, by canonical key. */
    readonly freshness: Effect.Effect<ReadonlyArray<Freshness>, MarketStoreError>
  }
>()("tapestry/RecordStore") {}
