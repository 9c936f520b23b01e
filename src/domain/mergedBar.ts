import type { Bar } from "./Bar.ts"
import type { EpochMillis } from "./TimeRange.ts"

/** What `of` sums to, where every one of the bars has it; else null: a sum over some of them would pass for one over all. */
const summed = (bars: ReadonlyArray<Bar>, of: (bar: Bar) => number | null): number | null => {
  let sum = 0
  for (const bar of bars) {
    const value = of(bar)
    if (value === null) return null
    sum += value
  }
  return sum
}

/**
 * The bar that shorter ones make together, stamped `ts`; they are in order, and at least one. As the store makes bars of those of a minute:
 * `volume` and `count` are null unless every bar has one, `vwap` unless every bar with a volume has one.
 */
export const mergedBar = (ts: EpochMillis, bars: readonly [Bar, ...ReadonlyArray<Bar>]): Bar => {
  const [first] = bars
  const volume = summed(bars, (bar) => bar.volume)
  const value = summed(bars, ({ volume, vwap }) =>
    volume === 0 ? 0 : volume === null || vwap === null ? null : vwap * volume
  )
  return {
    ts,
    open: first.open,
    high: bars.reduce((most, { high }) => Math.max(most, high), first.high),
    low: bars.reduce((least, { low }) => Math.min(least, low), first.low),
    close: bars.at(-1)?.close ?? first.close,
    volume,
    vwap: value === null || volume === null || volume === 0 ? null : value / volume,
    count: summed(bars, (bar) => bar.count)
  }
}
