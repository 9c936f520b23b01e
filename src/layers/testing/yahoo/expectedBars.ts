import type { Bar } from "../../../domain/Bar.ts"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import { day, type MarketBar, type YahooMarket } from "./YahooMarket.ts"

/** The double nearest to cents in shares of which there are `shares` to one of the last; exact as long as a price has 15 digits. */
const price = (cents: number, shares: number): number => Math.round(cents * shares * 1e6) / 1e8

/** The decimal that a 32-bit float is printed as: the first precision at which it is itself again. */
const printed = (value: number): number => {
  const float = Math.fround(value)
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(float.toPrecision(digits))
    if (Math.fround(candidate) === float) return candidate
  }
  return float
}

const dividendAdjusted = (bar: Bar, factor: number): Bar => {
  if (factor === 1) return bar
  const close = printed(bar.close * factor)
  const scale = close / bar.close
  return {
    ...bar,
    open: printed(bar.open * scale),
    high: printed(bar.high * scale),
    low: printed(bar.low * scale),
    close
  }
}

/** Splits that come after a date, as the shares that one of then has become. */
const sharesOf = (market: YahooMarket, date: EpochMillis): number =>
  market.instrument.splits.reduce(
    (all, split) => (split.date > date ? (all * split.numerator) / split.denominator : all),
    1
  )

const marketBars = (market: YahooMarket, series: SeriesKey, range: TimeRange, at: EpochMillis): Array<MarketBar> => {
  const { session: scope, timeframe } = series
  if (timeframe === null) return []
  if (!Timeframe.isIntraday(timeframe)) {
    return market.dated(timeframe, range, at).filter(({ ts }) => ts >= range.start && ts < range.end)
  }
  const bars: Array<MarketBar> = []
  const length = Timeframe.maxMillis(timeframe)
  const dates = { start: market.dateOf(range.start) - day, end: market.dateOf(Math.min(range.end, at)) + 2 * day }
  for (const session of dates.start < dates.end ? market.sessions(dates) : []) {
    for (const { bar, ts } of market.intraday(session, length, at, scope !== "regular")) {
      if (bar === null || ts < range.start || ts >= range.end) continue
      const regular = ts >= session.open && ts < session.close
      if (scope === "all" || regular === (scope === "regular")) bars.push(bar)
    }
  }
  return bars
}

/** What a correct client has of a range when it asks at `at`: the bars of the market, in the series' own terms. */
export const expectedBars = (
  market: YahooMarket,
  series: SeriesKey,
  range: TimeRange,
  at: EpochMillis
): ReadonlyArray<Bar> => {
  const now = market.sharesAt(at)
  const factor = series.adjustment === "all" ? market.dividendFactors(at) : () => 1
  return marketBars(market, series, range, at).map(({ close, date, high, low, open, ts, volume }) => {
    const shares = series.adjustment === "raw" ? sharesOf(market, date) : now
    const bar: Bar = {
      ts,
      open: price(open, shares),
      high: price(high, shares),
      low: price(low, shares),
      close: price(close, shares),
      volume: volume / shares,
      vwap: null,
      count: null
    }
    return dividendAdjusted(bar, factor(date))
  })
}
