import { Schema } from "effect"
import { EpochMillis } from "../TimeRange.ts"
import { optional, StorableText } from "./Column.ts"
import type { RecordShape } from "./RecordShape.ts"

/**
 * What a company reported. `ts` is the end of the period it is about (the as-of date) at 00:00Z, not when it was published: that is the
 * row's knowledge time. `period` (`annual`, `quarter`, `ttm`, in the vendor's words) tells reports with one as-of date apart. Amounts
 * are in the series' currency; `eps` is per share.
 */
export const Fundamentals = Schema.Struct({
  ts: EpochMillis,
  period: Schema.NullOr(StorableText),
  totalAssets: Schema.NullOr(Schema.Finite),
  totalLiabilities: Schema.NullOr(Schema.Finite),
  netIncome: Schema.NullOr(Schema.Finite),
  eps: Schema.NullOr(Schema.Finite),
  /** Every other figure, by the vendor's name for it. */
  other: Schema.NullOr(Schema.Json)
})
export type Fundamentals = typeof Fundamentals.Type

const columns = [
  optional("period", "text"),
  optional("totalAssets", "real"),
  optional("totalLiabilities", "real"),
  optional("netIncome", "real"),
  optional("eps", "real"),
  optional("other", "json")
]

const identity = ({ period }: Fundamentals): string => period ?? ""

export const fundamentalShape: RecordShape<Fundamentals> = { columns, identity, defectOf: () => null }
