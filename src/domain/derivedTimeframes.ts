/** Bars that are made of bars of a minute, where a vendor's own are not to be had. */
import * as Timeframe from "./Timeframe.ts"

export const derivedTimeframes = ["5m", "15m", "1h", "1d"] as const satisfies ReadonlyArray<Timeframe.Timeframe>
export type DerivedTimeframe = (typeof derivedTimeframes)[number]

/** What they are made of. */
export const sourceTimeframe = "1m" satisfies Timeframe.Timeframe

export const isDerived = (timeframe: Timeframe.Timeframe | null): timeframe is DerivedTimeframe =>
  derivedTimeframes.some((known) => known === timeframe)

/** Milliseconds of one; they begin at multiples of it, from a midnight (UTC) on. */
export const widthOf = (timeframe: DerivedTimeframe): number => Timeframe.maxMillis(timeframe)
