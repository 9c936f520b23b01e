import { Schema } from "effect"
import { RangePolicy } from "./Plan.ts"
import { Adjustment, PriceBasis, SessionScope } from "./SeriesKey.ts"
import { Timeframe } from "./Timeframe.ts"
import { TimeRange } from "./TimeRange.ts"

/** The type of jobs that have bars of a vendor fetched; the payload is a {@link Backfill}. */
export const backfillType = "backfill"

/**
 * Bars of a vendor that are to be had. `range`, or `last`: so many milliseconds back from the start of the UTC day (of its bar, where a
 * bar is longer) in which the job is begun, which is what a schedule wants.
 */
export const Backfill = Schema.Struct({
  vendor: Schema.NonEmptyString,
  symbols: Schema.NonEmptyArray(Schema.NonEmptyString),
  timeframe: Timeframe,
  dataset: Schema.optionalKey(Schema.NonEmptyString),
  price: Schema.optionalKey(PriceBasis),
  session: Schema.optionalKey(SessionScope),
  currency: Schema.optionalKey(Schema.NonEmptyString),
  adjustment: Schema.optionalKey(Adjustment),
  range: Schema.optionalKey(TimeRange),
  last: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /** `cacheFirst` unless given; `cacheOnly` would fetch nothing. */
  policy: Schema.optionalKey(RangePolicy)
}).pipe(
  Schema.check(
    Schema.makeFilter(
      ({ last, range }) => (range === undefined) !== (last === undefined) || "either range or last, and not both"
    ),
    Schema.makeFilter(({ policy }) => policy !== "cacheOnly" || "cacheOnly fetches nothing"),
    Schema.makeFilter(
      ({ symbols }) =>
        new Set(symbols.map((symbol) => symbol.trim())).size === symbols.length || "a symbol is there twice"
    )
  )
)
export interface Backfill extends Schema.Schema.Type<typeof Backfill> {}
