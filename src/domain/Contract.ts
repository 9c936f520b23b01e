import { Schema } from "effect"
import { DateText } from "./records/Column.ts"
import { OptionRight } from "./records/OptionSnapshot.ts"
import { EpochMillis } from "./TimeRange.ts"

/** What kind of thing is traded. `currency` is a pair; `other` is what the vendor has and this list has not. */
export const ContractKind = Schema.Literals([
  "stock",
  "currency",
  "index",
  "future",
  "option",
  "crypto",
  "cfd",
  "fund",
  "commodity",
  "other"
])
export type ContractKind = typeof ContractKind.Type

const Hours = Schema.NullOr(Schema.Array(Schema.Struct({ start: EpochMillis, end: EpochMillis })))

/**
 * What a vendor knows of something that can be traded; null where it does not say. `id` is the vendor's own number for it, and `name` what it is
 * asked for by: the symbol of its series and streams. `expiry` is the date at the venue, `strike` and `minTick` are in `currency`.
 * `tradingHours` (all) and `regularHours` are UTC epoch milliseconds, half-open, ascending, of the few days that the vendor tells of; an empty list: no
 * trade in them.
 */
export const Contract = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  symbol: Schema.String,
  kind: ContractKind,
  currency: Schema.String,
  exchange: Schema.String,
  primaryExchange: Schema.NullOr(Schema.String),
  exchanges: Schema.Array(Schema.String),
  localSymbol: Schema.String,
  tradingClass: Schema.String,
  description: Schema.String,
  industry: Schema.NullOr(Schema.String),
  expiry: Schema.NullOr(DateText),
  right: Schema.NullOr(OptionRight),
  strike: Schema.NullOr(Schema.Finite),
  multiplier: Schema.NullOr(Schema.Finite),
  minTick: Schema.NullOr(Schema.Finite),
  underlyingId: Schema.NullOr(Schema.String),
  zone: Schema.NullOr(Schema.String),
  tradingHours: Hours,
  regularHours: Hours
})
export interface Contract extends Schema.Schema.Type<typeof Contract> {}

/** One of what a search found. `derivatives` are the kinds of derivatives that there are of it, in the vendor's words. */
export const ContractMatch = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  symbol: Schema.String,
  kind: ContractKind,
  currency: Schema.String,
  primaryExchange: Schema.NullOr(Schema.String),
  derivatives: Schema.Array(Schema.String),
  description: Schema.String
})
export interface ContractMatch extends Schema.Schema.Type<typeof ContractMatch> {}

/**
 * The options of an underlying at one exchange and of one class: all dates and all strikes, ascending, of which not every pair is listed. `multiplier`
 * is units of the underlying in one contract.
 */
export const OptionChain = Schema.Struct({
  exchange: Schema.String,
  tradingClass: Schema.String,
  multiplier: Schema.NullOr(Schema.Finite),
  underlyingId: Schema.String,
  expirations: Schema.Array(DateText),
  strikes: Schema.Array(Schema.Finite)
})
export interface OptionChain extends Schema.Schema.Type<typeof OptionChain> {}
