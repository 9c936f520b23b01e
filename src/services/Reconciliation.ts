import { Context, type Effect, Schema, type Stream } from "effect"
import { CoverageInterval } from "../domain/Coverage.ts"
import { Mismatch, type StoredMismatch, Tolerances } from "../domain/Mismatch.ts"
import type { RangePolicy } from "../domain/Plan.ts"
import { SeriesKey } from "../domain/SeriesKey.ts"
import { TimeRange } from "../domain/TimeRange.ts"
import { MarketStoreError } from "./MarketStore.ts"
import { type ReadProgress, StitchingCacheError } from "./StitchingCache.ts"

/** The two cannot be compared: they differ in something that makes their values differ by right. `message` says in what. */
export class NotComparable extends Schema.TaggedError<NotComparable>()("NotComparable", { message: Schema.String }) {}

/** Why two series could not be compared, or what was found could not be kept. */
export class ReconciliationError extends Schema.TaggedError<ReconciliationError>()("ReconciliationError", {
  reason: Schema.Union([NotComparable, StitchingCacheError, MarketStoreError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** Which two series are compared over which range, and how near their values have to be. */
export interface ReconcileQuery {
  readonly left: SeriesKey
  readonly right: SeriesKey
  readonly range: TimeRange
  readonly tolerances: Tolerances
  /** `cacheFirst` unless given. */
  readonly policy?: RangePolicy
}

/**
 * What a comparison found. `rows` counts stamps that were compared: both sides final there, a bar on one side at least.
 * `mismatches` counts by field, `row` those that exist on one side alone (`onlyLeft` and `onlyRight` of them). `first` are the
 * first of them, a thousand at most; all are kept (`mismatches`). `uncompared` is where a side is not final or not there: nothing
 * is said about it. `leftHoles` and `rightHoles` say why.
 */
export const ReconcileReport = Schema.Struct({
  left: SeriesKey,
  right: SeriesKey,
  range: TimeRange,
  tolerances: Tolerances,
  rows: Schema.Int,
  mismatched: Schema.Int,
  mismatches: Schema.Record(Schema.String, Schema.Int),
  onlyLeft: Schema.Int,
  onlyRight: Schema.Int,
  first: Schema.Array(Mismatch),
  uncompared: Schema.Array(TimeRange),
  leftHoles: Schema.Array(CoverageInterval),
  rightHoles: Schema.Array(CoverageInterval)
})
export interface ReconcileReport extends Schema.Schema.Type<typeof ReconcileReport> {}

/** Compares what vendors say of the same bars, and keeps what they disagree about. */
export class Reconciliation extends Context.Service<
  Reconciliation,
  {
    /**
     * Has both ranges, compares them stamp by stamp where both are final, and keeps every disagreement. One that was kept
     * before and is not found any more is marked as resolved.
     */
    readonly reconcile: (
      query: ReconcileQuery,
      options?: { readonly progress?: (progress: ReadProgress) => Effect.Effect<void> }
    ) => Effect.Effect<ReconcileReport, ReconciliationError>
    /** What is kept of two series in a range, ascending by stamp; `open` leaves out what is resolved. */
    readonly mismatches: (
      left: SeriesKey,
      right: SeriesKey,
      range: TimeRange,
      options?: { readonly open?: boolean }
    ) => Stream.Stream<StoredMismatch, ReconciliationError>
  }
>()("tapestry/Reconciliation") {}
