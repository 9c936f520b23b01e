import type { Timeframe } from "../../../domain/Timeframe.ts"
import { type RequestLimit, unlimited, type VendorLimits } from "../../../domain/VendorLimits.ts"
import { spanBeyond } from "./ChartRequest.ts"
import { chartTimeframes, intervals } from "./intervals.ts"
import type { YahooVendor } from "./YahooVendor.ts"

/** A request may wait for the quota, and is older when it is sent. */
const margin = 3_600_000

/** What the planner is told. A request reaches a bar beyond its range, which counts towards what Yahoo allows. */
export const yahooLimits = (vendor: YahooVendor): VendorLimits => {
  const timeframes: Partial<Record<Timeframe, RequestLimit>> = {}
  for (const timeframe of chartTimeframes) {
    const { age, span } = intervals[timeframe]
    timeframes[timeframe] = {
      maxSpan: span === null ? null : span - spanBeyond(timeframe),
      maxRows: null,
      maxAge: age === null ? null : age - margin
    }
  }
  return {
    ...unlimited,
    timeframes,
    concurrency: vendor.concurrency,
    windows: vendor.windows,
    maxInFlight: vendor.maxInFlight,
    finalityDelay: vendor.finalityDelay,
    provisionalFor: vendor.provisionalFor,
    // Bars are counted from the opening of the exchange: an hour begins at 09:30.
    stampsOnGrid: false,
    calendar: vendor.calendar,
    recheckAfter: vendor.recheckAfter,
    basisHolds: vendor.basisHolds,
    adjustments: ["splits", "all", "raw"]
  }
}
