import { all, type Timeframe } from "../../../domain/Timeframe.ts"
import { type QuotaWindow, type RequestLimit, unlimited, type VendorLimits } from "../../../domain/VendorLimits.ts"
import { barTerms, isBarTimeframe } from "./barTerms.ts"
import type { IbkrVendor } from "./IbkrVendor.ts"

const second = 1_000

/** By how much longer a request may be on its way than another, in milliseconds. */
const onTheWay = second

/**
 * IB's rules for history of small bars and ticks: 60 requests in ten minutes, fewer than six of one contract in two seconds, and none
 * twice in 15. What counts double (BID_ASK) has a window of its own for the last: its weight would never fit one of 1.
 *
 * IB counts when a request arrives, and the quota when it may go: one that was on its way for longer than the one after it is nearer to that there. So
 * each window is longer than IB's by `onTheWay`.
 */
export const historyWindows: ReadonlyArray<QuotaWindow> = [
  { name: "history in 10 minutes", limit: 60, span: 600 * second + onTheWay, key: "history" },
  { name: "history of one contract in 2 seconds", limit: 5, span: 2 * second + onTheWay, key: "contract" },
  { name: "the same history in 15 seconds", limit: 1, span: 15 * second + onTheWay, key: "identical" },
  { name: "the same history of quotes in 15 seconds", limit: 2, span: 15 * second + onTheWay, key: "identicalQuotes" }
]

/** What the planner is told. */
export const ibkrLimits = (vendor: IbkrVendor): VendorLimits => {
  const timeframes: Partial<Record<Timeframe, RequestLimit>> = {}
  for (const timeframe of all.filter(isBarTimeframe)) {
    // Ends are rounded up to a whole second, and what is then longer is refused.
    timeframes[timeframe] = { maxSpan: barTerms[timeframe].span - second, maxRows: null }
  }
  return {
    ...unlimited,
    timeframes,
    concurrency: vendor.concurrency,
    windows: vendor.windows ?? historyWindows,
    maxInFlight: vendor.maxInFlight,
    finalityDelay: vendor.finalityDelay,
    provisionalFor: vendor.provisionalFor,
    // Hours of a session that opens at 09:30 begin there.
    stampsOnGrid: false,
    calendar: vendor.calendar,
    recheckAfter: vendor.recheckAfter,
    basisHolds: 3_600_000,
    adjustments: ["splits"]
  }
}
