import { Context, type Effect, Schema, type Stream } from "effect"
import { Bar } from "../domain/Bar.ts"
import { CoverageState } from "../domain/Coverage.ts"
import { Plan, type RangePolicy } from "../domain/Plan.ts"
import { SeriesKey } from "../domain/SeriesKey.ts"
import { EpochMillis, TimeRange } from "../domain/TimeRange.ts"
import type { SeriesQuery } from "./Adapter.ts"
import { type ReadOptions, StitchingCacheError } from "./StitchingCache.ts"

/**
 * Why a part of a range is tried at the next vendor. `Throttled`: the budget is spent, the vendor asks to be left alone, or its
 * breaker is open. `Unavailable`: it could not be reached at all.
 */
export const FailoverReason = Schema.Literals(["Throttled", "NotEntitled", "NotFound", "Unavailable"])
export type FailoverReason = typeof FailoverReason.Type

/** What holds unless a query says otherwise: a vendor that cannot be reached now may be there for the next read. */
export const failoverReasons: ReadonlyArray<FailoverReason> = ["Throttled", "NotEntitled", "NotFound"]

/** The vendors do not mean the same by this series: rows of one must not stand beside rows of the other. */
export class DifferentSeries extends Schema.TaggedError<DifferentSeries>()("DifferentSeries", {
  message: Schema.String
}) {}

/** Why no answer could be put together; what was fetched is kept. */
export class PreferredVendorsError extends Schema.TaggedError<PreferredVendorsError>()("PreferredVendorsError", {
  reason: Schema.Union([DifferentSeries, StitchingCacheError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** A vendor, and the symbol as it is spelled there. */
export const PreferredVendor = Schema.Struct({ vendor: Schema.String, symbol: Schema.String })
export interface PreferredVendor extends Schema.Schema.Type<typeof PreferredVendor> {}

/** A range of one series at several vendors, the most preferred one first; at least one. */
export interface PreferredQuery {
  readonly vendors: ReadonlyArray<PreferredVendor>
  readonly query: Omit<SeriesQuery, "symbol">
  readonly range: TimeRange
  readonly policy?: RangePolicy
  /** {@link failoverReasons} unless given. */
  readonly on?: ReadonlyArray<FailoverReason>
}

/** What a vendor before said of a part. */
export const Refused = Schema.Struct({ vendor: Schema.String, state: CoverageState })
export interface Refused extends Schema.Schema.Type<typeof Refused> {}

/** A part of the answer, whole from one vendor: `state` is what that vendor says of it, `refused` why those before it do not give it. */
export const PreferredPiece = Schema.Struct({
  start: EpochMillis,
  end: EpochMillis,
  vendor: Schema.String,
  state: CoverageState,
  refused: Schema.Array(Refused)
})
export interface PreferredPiece extends Schema.Schema.Type<typeof PreferredPiece> {}

/** A bar with the vendor that gave it. */
export const SourcedBar = Schema.Struct({ ...Bar.fields, vendor: Schema.String })
export interface SourcedBar extends Schema.Schema.Type<typeof SourcedBar> {}

/**
 * An answer without its bars. `pieces` are sorted, disjoint and cover `range`; `series` are in order of preference, null for a
 * vendor that has no such series. `requests` counts what was asked of all vendors, `sharedRequests` what others were asking already.
 */
export const PreferredReport = Schema.Struct({
  range: TimeRange,
  series: Schema.Array(Schema.NullOr(SeriesKey)),
  pieces: Schema.Array(PreferredPiece),
  rowCount: Schema.Int,
  requests: Schema.Int,
  sharedRequests: Schema.Int
})
export interface PreferredReport extends Schema.Schema.Type<typeof PreferredReport> {}

/** `bars` ascend; each stamp comes from the vendor of its piece alone. */
export interface PreferredAnswer extends PreferredReport {
  readonly bars: Stream.Stream<SourcedBar, PreferredVendorsError>
}

/**
 * What a read would do now: a plan a vendor, for the parts that fall to it by what is known already. A part that its vendor
 * refuses when it is asked goes on to the next one; that is not known before.
 */
export const PreferredPlan = Schema.Struct({
  range: TimeRange,
  plans: Schema.Array(Schema.Struct({ vendor: Schema.String, plan: Plan, refused: Schema.Array(Refused) }))
})
export interface PreferredPlan extends Schema.Schema.Type<typeof PreferredPlan> {}

/** One series at several vendors, in order of preference. Rows stay those of the vendor that gave them; nothing is copied. */
export class PreferredVendors extends Context.Service<
  PreferredVendors,
  {
    readonly plan: (query: PreferredQuery) => Effect.Effect<PreferredPlan, PreferredVendorsError>
    /** Parts that no vendor gives are reported with `onMissing: "partial"`, else fail the read (`fail`, unless given). */
    readonly read: (
      query: PreferredQuery,
      options?: Pick<ReadOptions, "onMissing" | "asOf" | "progress">
    ) => Effect.Effect<PreferredAnswer, PreferredVendorsError>
  }
>()("tapestry/PreferredVendors") {}
