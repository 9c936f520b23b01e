import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { VendorLimits } from "../../domain/VendorLimits.ts"

type FinalityLimits = Pick<VendorLimits, "finalityDelay" | "stampsOnGrid">

/** The first stamp whose bar may still change at `now`; everything before it is final. */
export const finalEnd = (timeframe: Timeframe.Timeframe, now: EpochMillis, limits: FinalityLimits): EpochMillis =>
  Timeframe.finalEnd(timeframe, now, limits.finalityDelay, limits.stampsOnGrid)

/** The end of the period that is open at `now`: no vendor can have a bar from there on, and none is asked for one. */
export const openEnd = (timeframe: Timeframe.Timeframe, now: EpochMillis): EpochMillis =>
  Timeframe.periodEnd(timeframe, Timeframe.floor(timeframe, now))

/** The instant from which on everything before `end` was final: the least `now` whose `finalEnd` reaches `end`. */
export const finalSince = (timeframe: Timeframe.Timeframe, end: EpochMillis, limits: FinalityLimits): EpochMillis =>
  limits.stampsOnGrid || !Timeframe.isIntraday(timeframe)
    ? Timeframe.ceil(timeframe, end) + limits.finalityDelay
    : end + limits.finalityDelay + Timeframe.maxMillis(timeframe) - 1
