import { Schema } from "effect"
import { optional, StorableText } from "./Column.ts"
import { EpochNanos } from "./EpochNanos.ts"
import { identityPart } from "./identityPart.ts"
import type { RecordShape } from "./RecordShape.ts"

/**
 * The top of a book after a change. `tsNs` as of a trade. A side without orders has null price and size; a crossed or locked book
 * (bid at or above ask) is what some venues show at an open, and is kept. Sizes are in the instrument's units.
 */
export const Quote = Schema.Struct({
  tsNs: EpochNanos,
  bid: Schema.NullOr(Schema.Finite),
  bidSize: Schema.NullOr(Schema.Finite),
  ask: Schema.NullOr(Schema.Finite),
  askSize: Schema.NullOr(Schema.Finite),
  venue: Schema.NullOr(StorableText),
  sequence: Schema.NullOr(Schema.Int),
  conditions: Schema.NullOr(StorableText)
})
export type Quote = typeof Quote.Type

const columns = [
  optional("bid", "real"),
  optional("bidSize", "real"),
  optional("ask", "real"),
  optional("askSize", "real"),
  optional("venue", "text"),
  optional("sequence", "integer"),
  optional("conditions", "text")
]

const identity = ({ ask, askSize, bid, bidSize, conditions, sequence, venue }: Quote): string =>
  sequence === null
    ? `${identityPart(venue)}|${bid ?? ""}|${bidSize ?? ""}|${ask ?? ""}|${askSize ?? ""}|${identityPart(conditions)}`
    : `${identityPart(venue)}#${sequence}`

const defectOf = ({ askSize, bidSize }: Quote): string | null => {
  if (bidSize !== null && bidSize < 0) return `bidSize is negative: ${bidSize}`
  return askSize !== null && askSize < 0 ? `askSize is negative: ${askSize}` : null
}

export const quoteShape: RecordShape<Quote> = { columns, identity, defectOf }
