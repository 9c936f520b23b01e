import { Schema } from "effect"
import { optional, required, StorableText } from "./Column.ts"
import { EpochNanos } from "./EpochNanos.ts"
import { identityPart } from "./identityPart.ts"
import type { RecordShape } from "./RecordShape.ts"

/** Who crossed the spread. */
export const AggressorSide = Schema.Literals(["buy", "sell"])
export type AggressorSide = typeof AggressorSide.Type

/**
 * One print of the tape. `tsNs` is when it happened at the venue, UTC epoch nanoseconds, as far as the vendor resolves it.
 * `price` is in the series' currency and may be at or below zero for spreads and energy; `size` is in the instrument's units and may be
 * fractional. `venue` is the exchange, or the publisher where a vendor names that. `sequence` is the venue's own number.
 */
export const Trade = Schema.Struct({
  tsNs: EpochNanos,
  price: Schema.Finite,
  size: Schema.NullOr(Schema.Finite),
  venue: Schema.NullOr(StorableText),
  sequence: Schema.NullOr(Schema.Int),
  side: Schema.NullOr(AggressorSide),
  conditions: Schema.NullOr(StorableText)
})
export type Trade = typeof Trade.Type

const columns = [
  required("price", "real"),
  optional("size", "real"),
  optional("venue", "text"),
  optional("sequence", "integer"),
  optional("side", "text"),
  optional("conditions", "text")
]

const identity = ({ conditions, price, sequence, side, size, venue }: Trade): string =>
  sequence === null
    ? `${identityPart(venue)}|${price}|${size ?? ""}|${side ?? ""}|${identityPart(conditions)}`
    : `${identityPart(venue)}#${sequence}`

const defectOf = ({ side, size }: Trade): string | null => {
  if (size !== null && size < 0) return `size is negative: ${size}`
  return side === null || side === "buy" || side === "sell" ? null : `side is neither buy nor sell: ${side}`
}

export const tradeShape: RecordShape<Trade> = { columns, identity, defectOf }
