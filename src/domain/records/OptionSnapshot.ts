import { Schema } from "effect"
import { EpochMillis } from "../TimeRange.ts"
import { DateText, optional, required } from "./Column.ts"
import type { RecordShape } from "./RecordShape.ts"

/** A call or a put. */
export const OptionRight = Schema.Literals(["C", "P"])
export type OptionRight = typeof OptionRight.Type

/**
 * One contract of an option chain at an instant; the series' symbol is the underlying. `ts` in UTC epoch milliseconds, `expiry` the
 * date of expiry at the venue, `strike` in the series' currency. `iv` is a fraction (0.25 is 25 %), greeks are per unit of the underlying, `spot` is the
 * underlying's price that they were computed with.
 */
export const OptionSnapshot = Schema.Struct({
  ts: EpochMillis,
  expiry: DateText,
  right: OptionRight,
  strike: Schema.Finite,
  bid: Schema.NullOr(Schema.Finite),
  ask: Schema.NullOr(Schema.Finite),
  last: Schema.NullOr(Schema.Finite),
  iv: Schema.NullOr(Schema.Finite),
  delta: Schema.NullOr(Schema.Finite),
  gamma: Schema.NullOr(Schema.Finite),
  theta: Schema.NullOr(Schema.Finite),
  vega: Schema.NullOr(Schema.Finite),
  openInterest: Schema.NullOr(Schema.Finite),
  volume: Schema.NullOr(Schema.Finite),
  spot: Schema.NullOr(Schema.Finite)
})
export type OptionSnapshot = typeof OptionSnapshot.Type

const columns = [
  required("expiry", "date"),
  required("right", "text"),
  required("strike", "real"),
  ...["bid", "ask", "last", "iv", "delta", "gamma", "theta", "vega", "openInterest", "volume", "spot"].map((name) =>
    optional(name, "real")
  )
]

const identity = ({ expiry, right, strike }: OptionSnapshot): string => `${expiry}|${right}|${strike}`

const defectOf = ({ iv, openInterest, right, strike, volume }: OptionSnapshot): string | null => {
  if (right !== "C" && right !== "P") return `right is neither C nor P: ${right}`
  if (strike <= 0) return `strike ${strike} is not above zero`
  if (iv !== null && iv < 0) return `iv is negative: ${iv}`
  if (openInterest !== null && openInterest < 0) return `openInterest is negative: ${openInterest}`
  return volume !== null && volume < 0 ? `volume is negative: ${volume}` : null
}

export const optionShape: RecordShape<OptionSnapshot> = { columns, identity, defectOf }
