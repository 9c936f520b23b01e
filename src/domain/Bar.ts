import { Schema } from "effect"
import { EpochMillis, stampDefect } from "./TimeRange.ts"

/**
 * One bar. `ts` is the opening instant in UTC epoch milliseconds; for a day and longer it is the session date (the first date
 * of the week or month) at 00:00Z, whatever the vendor stamps. Prices are in the series' currency, as the double nearest to
 * the vendor's decimal; the exact digits are in the archive. `volume` may be fractional, and is null where the vendor gives
 * none. `vwap` and `count` (trades in the bar) are null where the vendor gives none.
 */
export const Bar = Schema.Struct({
  ts: EpochMillis,
  open: Schema.Finite,
  high: Schema.Finite,
  low: Schema.Finite,
  close: Schema.Finite,
  volume: Schema.NullOr(Schema.Finite),
  vwap: Schema.NullOr(Schema.Finite),
  count: Schema.NullOr(Schema.Finite)
})
export interface Bar extends Schema.Schema.Type<typeof Bar> {}

/** What a series allows its bars beyond the usual. */
export interface BarRules {
  /** Spreads, energy and rates trade at or below zero; everything else is refused there. */
  readonly allowNonPositivePrices: boolean
}

const finite = (value: number | null): boolean => value === null || Number.isFinite(value)

/** Why a bar cannot be accepted, in words that name the field; null when it can. */
export const defectOf = (bar: Bar, rules: BarRules): string | null => {
  const stamp = stampDefect(bar.ts)
  if (stamp !== null) return stamp
  if (!Number.isFinite(bar.open)) return `open is not a finite number: ${bar.open}`
  if (!Number.isFinite(bar.high)) return `high is not a finite number: ${bar.high}`
  if (!Number.isFinite(bar.low)) return `low is not a finite number: ${bar.low}`
  if (!Number.isFinite(bar.close)) return `close is not a finite number: ${bar.close}`
  if (bar.high < bar.low) return `high ${bar.high} is below low ${bar.low}`
  if (!finite(bar.volume)) return `volume is not a finite number: ${bar.volume}`
  if (bar.volume !== null && bar.volume < 0) return `volume is negative: ${bar.volume}`
  if (!finite(bar.vwap)) return `vwap is not a finite number: ${bar.vwap}`
  if (!finite(bar.count)) return `count is not a finite number: ${bar.count}`
  if (bar.count !== null && bar.count < 0) return `count is negative: ${bar.count}`
  if (rules.allowNonPositivePrices) return null
  // Vendors whose open or close lies outside low and high are believed, but a zero there is an absent price.
  if (bar.low <= 0) return `low ${bar.low} is not above zero`
  if (bar.open <= 0) return `open ${bar.open} is not above zero`
  return bar.close <= 0 ? `close ${bar.close} is not above zero` : null
}

/** Equality of everything a vendor asserts about an instant; -0 equals 0. */
export const sameValues = (a: Bar, b: Bar): boolean =>
  a.open === b.open &&
  a.high === b.high &&
  a.low === b.low &&
  a.close === b.close &&
  a.volume === b.volume &&
  a.vwap === b.vwap &&
  a.count === b.count
