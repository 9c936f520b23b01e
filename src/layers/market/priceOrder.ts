import { Result } from "effect"
import { parse, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { LatestPrice } from "../../services/MarketStore.ts"

/** Keys that were read lately: checking one takes ten times as long as reading its price, and the same are asked for again and again. */
const known = new Map<string, SeriesKey>()
const mostKnown = 10_000

/** Null for what a newer release may have written. */
export const keyOf = (canonical: string): SeriesKey | null => {
  const found = known.get(canonical)
  if (found !== undefined) return found
  const parsed = parse(canonical)
  if (Result.isFailure(parsed)) return null
  if (known.size >= mostKnown) known.clear()
  known.set(canonical, parsed.success)
  return parsed.success
}

const priceRank: ReadonlyArray<SeriesKey["price"]> = ["trade", "mid", "bid", "ask", "none"]

/** By vendor and symbol; within a symbol prices of trades come first, then the newest. */
export const byInstrument = (a: LatestPrice, b: LatestPrice): number =>
  compareText(a.series.vendor, b.series.vendor) ||
  compareText(a.series.symbol, b.series.symbol) ||
  priceRank.indexOf(a.series.price) - priceRank.indexOf(b.series.price) ||
  b.ts - a.ts

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
