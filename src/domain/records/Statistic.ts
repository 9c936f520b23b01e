import { Schema } from "effect"
import { DateText, optional, required, StorableText } from "./Column.ts"
import { EpochNanos } from "./EpochNanos.ts"
import { identityPart } from "./identityPart.ts"
import type { RecordShape } from "./RecordShape.ts"

/**
 * A figure that a venue publishes about an instrument: `settlement`, `open interest`, `limit up`, ... in the vendor's words (`type`).
 * `tsNs` is when it was published; `session` the date it is about. Prices are in `price`, counts in `quantity`.
 */
export const Statistic = Schema.Struct({
  tsNs: EpochNanos,
  type: StorableText,
  price: Schema.NullOr(Schema.Finite),
  quantity: Schema.NullOr(Schema.Finite),
  session: Schema.NullOr(DateText),
  venue: Schema.NullOr(StorableText),
  sequence: Schema.NullOr(Schema.Int)
})
export type Statistic = typeof Statistic.Type

const columns = [
  required("type", "text"),
  optional("price", "real"),
  optional("quantity", "real"),
  optional("session", "date"),
  optional("venue", "text"),
  optional("sequence", "integer")
]

const identity = ({ sequence, session, type, venue }: Statistic): string =>
  `${identityPart(type)}|${identityPart(session)}|${identityPart(venue)}#${sequence ?? ""}`

const defectOf = ({ price, quantity, type }: Statistic): string | null => {
  if (type === "") return "type is empty"
  return price === null && quantity === null ? "it has neither a price nor a quantity" : null
}

export const statisticShape: RecordShape<Statistic> = { columns, identity, defectOf }
