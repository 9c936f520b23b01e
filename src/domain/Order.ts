import { Schema } from "effect"

const positive = Schema.Finite.pipe(Schema.check(Schema.isGreaterThan(0)))

/**
 * An order that is to be sent: `quantity` in the units of the vendor, `limit` in the currency of the contract and null for one at market.
 * `account` is needed where the vendor has several.
 */
export const NewOrder = Schema.Struct({
  /** As the vendor's symbols are written. */
  symbol: Schema.NonEmptyString,
  /** Null: USD, or what a pair says. */
  currency: Schema.NullOr(Schema.String),
  side: Schema.Literals(["buy", "sell"]),
  quantity: positive,
  limit: Schema.NullOr(Schema.Finite),
  /** Until the end of the day of trade, or until it is cancelled. */
  timeInForce: Schema.Literals(["day", "gtc"]),
  account: Schema.NullOr(Schema.String)
})
export interface NewOrder extends Schema.Schema.Type<typeof NewOrder> {}

/**
 * An order as the vendor last described it. What it has not said is null: of an acknowledgement that has a status alone, for one. An order has
 * the number `order` among those of the client `client`; of one that is over the vendor may not tell it.
 */
export const OrderState = Schema.Struct({
  order: Schema.NullOr(Schema.Int),
  client: Schema.NullOr(Schema.Int),
  /** Under which it was sent; also what the vendor has as its reference. Null: it has none. */
  key: Schema.NullOr(Schema.String),
  account: Schema.NullOr(Schema.String),
  symbol: Schema.NullOr(Schema.String),
  side: Schema.NullOr(Schema.Literals(["buy", "sell"])),
  quantity: Schema.NullOr(Schema.Finite),
  limit: Schema.NullOr(Schema.Finite),
  /** The vendor's word: `PreSubmitted`, `Submitted`, `Filled`, `Cancelled`, `Inactive` … */
  status: Schema.String,
  filled: Schema.NullOr(Schema.Finite),
  remaining: Schema.NullOr(Schema.Finite),
  /** Of what was filled; null before. */
  averagePrice: Schema.NullOr(Schema.Finite),
  /** What the vendor said beside it: warnings, most of all. */
  notes: Schema.Array(Schema.String)
})
export interface OrderState extends Schema.Schema.Type<typeof OrderState> {}
