import { Schema } from "effect"
import { OptionRight, OptionSnapshot } from "./records/OptionSnapshot.ts"

/** Why an option is not among those of a snapshot: its date has no such strike. */
export const unlisted = "not listed"

/**
 * The options of one underlying and one date about its price, as they stood when each was asked for (`ts` of a row). `rows` ascend by strike, the call
 * before the put. `omitted` are those that were to be among them and are not, with why: not listed at all, most often. `spot` is the price
 * by which they were chosen, null where there was none and the middle of the chain was taken; that of a row is the one its greeks were computed with.
 */
export const OptionsSnapshot = Schema.Struct({
  vendor: Schema.String,
  /** As the vendor's series spell it. */
  underlying: Schema.String,
  currency: Schema.String,
  exchange: Schema.String,
  tradingClass: Schema.String,
  multiplier: Schema.NullOr(Schema.Finite),
  /** As `2026-06-19`. */
  expiry: Schema.String,
  spot: Schema.NullOr(Schema.Finite),
  rows: Schema.Array(OptionSnapshot),
  omitted: Schema.Array(Schema.Struct({ right: OptionRight, strike: Schema.Finite, reason: Schema.String }))
})
export interface OptionsSnapshot extends Schema.Schema.Type<typeof OptionsSnapshot> {}
