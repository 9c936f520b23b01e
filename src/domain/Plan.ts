import { Schema } from "effect"
import { CoverageState } from "./Coverage.ts"
import { SeriesKey } from "./SeriesKey.ts"
import { EpochMillis, TimeRange } from "./TimeRange.ts"

/**
 * How a range may be answered.
 *
 * - `cacheOnly`: from the store alone; what is missing is reported.
 * - `cacheFirst`: what is missing, or provisional and stale, is fetched.
 * - `refresh`: also everything provisional.
 * - `force`: everything is fetched again.
 */
export const RangePolicy = Schema.Literals(["cacheOnly", "cacheFirst", "refresh", "force"])
export type RangePolicy = typeof RangePolicy.Type

/** Whether a range with holes is an error or an answer that names them. */
export const OnMissing = Schema.Literals(["fail", "partial"])
export type OnMissing = typeof OnMissing.Type

/** One request that the plan will make. `waits` is what the quota is forecast to make it wait from now, in milliseconds. */
export const PlannedRequest = Schema.Struct({
  range: TimeRange,
  /** Wholly final at planning time, so that any archived response from after that instant will do. */
  final: Schema.Boolean,
  /** Answers to be younger than this; null: the archive may answer with any. */
  notBefore: Schema.NullOr(EpochMillis),
  waits: Schema.Finite,
  /** In the vendor's currency; 0 for what is free. */
  cost: Schema.Finite,
  /** The symbol that is asked for, where it was another one then than the series has now. */
  symbol: Schema.optionalKey(Schema.String)
})
export interface PlannedRequest extends Schema.Schema.Type<typeof PlannedRequest> {}

/** One interval of the plan: served by the store as it is, or fetched by `requests` requests. */
export const PlanPiece = Schema.Struct({
  start: EpochMillis,
  end: EpochMillis,
  from: Schema.Literals(["store", "vendor"]),
  state: CoverageState,
  requests: Schema.Int
})
export interface PlanPiece extends Schema.Schema.Type<typeof PlanPiece> {}

/**
 * What answering a range will take, before anything is spent. `pieces` are sorted, disjoint and cover `range`; `requests` are
 * in the order they will be made and may reach beyond the pieces (near holes merged, file boundaries kept). `plannedAt` is
 * the instant that decided what is final and what is stale. `atLeast`: answers come in pages, and each request is the first of as many as
 * it takes; `waits` and `cost` are of those first ones.
 */
export const Plan = Schema.Struct({
  series: SeriesKey,
  range: TimeRange,
  policy: RangePolicy,
  plannedAt: EpochMillis,
  pieces: Schema.Array(PlanPiece),
  requests: Schema.Array(PlannedRequest),
  /** Forecast wait for the quota until the last request starts, in milliseconds. */
  waits: Schema.Finite,
  cost: Schema.Finite,
  atLeast: Schema.optionalKey(Schema.Boolean)
})
export interface Plan extends Schema.Schema.Type<typeof Plan> {}
