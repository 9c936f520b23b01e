import { isIntraday, type Timeframe } from "../../../domain/Timeframe.ts"
import { type Alignment, type RequestLimit, unlimited, type VendorLimits } from "../../../domain/VendorLimits.ts"
import type { FileEntry, FileVendor } from "./FileCatalogue.ts"

/** Bars of a day and longer are stamped with dates at 00:00Z, so their files are cut there too. */
const alignmentOf = (entry: FileEntry): Alignment | null =>
  entry.path.unit === null
    ? null
    : { unit: entry.path.unit, zone: isIntraday(entry.decoding.timeframe) ? entry.decoding.zone : "UTC" }

/** What the planner is told: one request is one file, a file is final as it is read, and reading costs nothing. */
export const fileLimits = (vendor: FileVendor): VendorLimits => {
  const timeframes: Partial<Record<Timeframe, RequestLimit>> = {}
  for (const entry of vendor.entries) {
    timeframes[entry.decoding.timeframe] = { maxSpan: null, maxRows: null, alignment: alignmentOf(entry) }
  }
  return {
    ...unlimited,
    timeframes,
    concurrency: vendor.concurrency,
    windows: vendor.windows,
    maxInFlight: vendor.maxInFlight,
    finalityDelay: vendor.finalityDelay,
    calendar: vendor.calendar,
    recheckAfter: vendor.recheckAfter,
    // Files stamp bars as their makers like; a bar then counts as over when its whole length has passed.
    stampsOnGrid: false,
    adjustments: Array.from(new Set(vendor.entries.map((entry) => entry.adjustment)))
  }
}
