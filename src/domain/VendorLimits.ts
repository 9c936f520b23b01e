import { Schema } from "effect"
import { Adjustment } from "./SeriesKey.ts"
import { Timeframe } from "./Timeframe.ts"
import { EpochMillis } from "./TimeRange.ts"

/**
 * One window of a vendor's budget: at most `limit` weight in any `span` milliseconds. Without `key` it counts every request
 * of the account; with it, each value of that request key (a contract, a message type) has a window of its own.
 */
export const QuotaWindow = Schema.Struct({
  name: Schema.String,
  limit: Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0))),
  span: Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0))),
  key: Schema.NullOr(Schema.String)
})
export interface QuotaWindow extends Schema.Schema.Type<typeof QuotaWindow> {}

/** Boundaries at which a vendor's answers are cut (a file per day or month), in an IANA zone. */
export const Alignment = Schema.Struct({ unit: Schema.Literals(["day", "month", "year"]), zone: Schema.String })
export interface Alignment extends Schema.Schema.Type<typeof Alignment> {}

/** How much one request may ask for. Null: no bound known. */
export const RequestLimit = Schema.Struct({
  /** Longest range of one request, in milliseconds. */
  maxSpan: Schema.NullOr(Schema.Int),
  /** Most rows of one answer. */
  maxRows: Schema.NullOr(Schema.Int),
  /** Nothing older than this many milliseconds can be had; absent or null: no such bound. */
  maxAge: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  /** Where this timeframe's answers are cut, when that differs from the vendor's `alignment`; null: nowhere. */
  alignment: Schema.optionalKey(Schema.NullOr(Alignment))
})
export interface RequestLimit extends Schema.Schema.Type<typeof RequestLimit> {}

/** What the planner must know of a vendor before it spends anything there. Durations are milliseconds, instants UTC. */
export const VendorLimits = Schema.Struct({
  /** A timeframe that is absent is not offered. */
  timeframes: Schema.Record(Timeframe, Schema.optionalKey(RequestLimit)),
  /** Pieces of one plan in flight at once. */
  concurrency: Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0))),
  windows: Schema.Array(QuotaWindow),
  /** Most requests of the account in flight; null: no bound. */
  maxInFlight: Schema.NullOr(Schema.Int),
  /** Nothing before this is asked for. */
  earliest: Schema.NullOr(EpochMillis),
  /** How long after a bar's period its values may still change. */
  finalityDelay: Schema.Int,
  /** How long a provisional interval is served before it is fetched again. */
  provisionalFor: Schema.Int,
  /** How long "no rows there" is believed for final ranges; null: for ever. */
  emptyFor: Schema.NullOr(Schema.Int),
  /** How long NotFound and NotEntitled are believed. */
  refusalFor: Schema.Int,
  /** Holes closer together than this are asked for as one. */
  mergeWithin: Schema.Int,
  alignment: Schema.NullOr(Alignment),
  /** True when intraday stamps lie on the UTC grid of their timeframe. */
  stampsOnGrid: Schema.Boolean,
  /** The trading calendar of its series (`XNYS`); null: every instant may have a bar. */
  calendar: Schema.NullOr(Schema.String),
  /** How long after it was asked for a final range is fetched once more, for late corrections; null: never. */
  recheckAfter: Schema.NullOr(Schema.Int),
  /**
   * How long after an adjusted history was last seen unchanged an answer that shares no bar with it is admitted without a request
   * that compares the two; 0: never. Of a vendor that moves its history within that time see docs/stitching.md.
   */
  basisHolds: Schema.Int,
  adjustments: Schema.Array(Adjustment)
})
export interface VendorLimits extends Schema.Schema.Type<typeof VendorLimits> {}

/** Where the answers for a timeframe are cut: its own boundaries where it states some (or none), else the vendor's. */
export const alignmentOf = (limits: VendorLimits, timeframe: Timeframe): Alignment | null => {
  const own = limits.timeframes[timeframe]?.alignment
  return own === undefined ? limits.alignment : own
}

const dayMillis = 86_400_000

/** Limits of a vendor that costs nothing and is bounded by nothing; adapters override what is different. */
export const unlimited: VendorLimits = {
  timeframes: {},
  concurrency: 4,
  windows: [],
  maxInFlight: null,
  earliest: null,
  finalityDelay: 0,
  provisionalFor: 60_000,
  emptyFor: dayMillis,
  refusalFor: dayMillis,
  mergeWithin: 0,
  alignment: null,
  stampsOnGrid: true,
  calendar: null,
  recheckAfter: null,
  basisHolds: 0,
  adjustments: ["raw"]
}
