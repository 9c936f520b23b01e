import { Schema } from "effect"
import { Lineage } from "./Lineage.ts"
import { EpochMillis } from "./TimeRange.ts"

const dated = { ts: EpochMillis }
const cash = { amount: Schema.Finite, currency: Schema.NullOr(Schema.String) }

/**
 * What an issuer did to its shares, as a vendor tells it. `ts` is the ex-date at 00:00Z: the first session that trades without it.
 *
 * - `split`: `numerator` new shares for `denominator` old ones; 4 and 1 for a split 4:1, 1 and 10 for a reverse one.
 * - `dividend`, `capital-gain`: cash per share; `currency` is null where the vendor does not say. Vendors who adjust their
 *   history for splits state old amounts in today's shares, so an amount may change when the next split comes.
 */
export const CorporateAction = Schema.Union([
  Schema.Struct({
    ...dated,
    kind: Schema.Literal("split"),
    numerator: Schema.Finite,
    denominator: Schema.Finite
  }),
  Schema.Struct({ ...dated, kind: Schema.Literal("dividend"), ...cash }),
  Schema.Struct({ ...dated, kind: Schema.Literal("capital-gain"), ...cash })
])
export type CorporateAction = typeof CorporateAction.Type

/** A corporate action with the first of the answers that have said so since. */
export const StoredAction = Schema.Struct({ action: CorporateAction, lineage: Lineage })
export interface StoredAction extends Schema.Schema.Type<typeof StoredAction> {}

const day = 86_400_000

/** Why an action cannot be accepted, in words that name the field; null when it can. */
export const defectOf = (action: CorporateAction): string | null => {
  if (!Number.isSafeInteger(action.ts) || action.ts % day !== 0) return `ts is not a date at 00:00Z: ${action.ts}`
  if (action.kind === "split") {
    if (!(action.numerator > 0 && Number.isFinite(action.numerator))) {
      return `numerator is not a number above zero: ${action.numerator}`
    }
    return action.denominator > 0 && Number.isFinite(action.denominator)
      ? null
      : `denominator is not a number above zero: ${action.denominator}`
  }
  return action.amount >= 0 && Number.isFinite(action.amount)
    ? null
    : `amount is not a number from zero: ${action.amount}`
}

/** Equality of everything a vendor asserts; -0 equals 0. */
export const same = (a: CorporateAction, b: CorporateAction): boolean => {
  if (a.ts !== b.ts) return false
  if (a.kind === "split") return b.kind === "split" && a.numerator === b.numerator && a.denominator === b.denominator
  return b.kind === a.kind && a.amount === b.amount && a.currency === b.currency
}
