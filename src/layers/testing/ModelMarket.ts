import type { Bar } from "../../domain/Bar.ts"
import type { Adjustment } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import { closeOf } from "../stitching/finality.ts"

/**
 * A market in which every bar follows from a seed, its symbol, its timeframe, its stamp and the instant at which it is looked
 * at. Looked at twice at one instant it is the same, in any process. Instants are UTC epoch milliseconds.
 */
export interface ModelMarket {
  readonly seed: number
  /** Share (0 to 1) of stamps that have no bar. */
  readonly holes: number
  /** No bars on Saturdays and Sundays (UTC). */
  readonly weekends: boolean
  /** Bars only where it trades, and one at each close for the auction; days end with their sessions. Null: around the clock. */
  readonly calendar: TradingCalendar | null
  /** No bars before this; null: since ever. */
  readonly listedAt: EpochMillis | null
  /** Milliseconds that intraday stamps lie behind the UTC grid. */
  readonly offGrid: number
  /** How long after its period a bar may still change. */
  readonly finalityDelay: number
  /** Share (0 to 1) of bars that have other values until they are final; a bar that is still open always has. */
  readonly revised: number
  /** Bars of a range that change at an instant, whatever finality was promised. */
  readonly corrections: ReadonlyArray<TimeRange & { readonly at: EpochMillis }>
  /** From `at` on, adjusted prices before it are divided by `ratio`, and volumes multiplied; raw ones stay. */
  readonly splits: ReadonlyArray<{ readonly at: EpochMillis; readonly ratio: number }>
}

/** A number in [0, 1) that follows from the words. */
export const chance = (seed: number, ...words: ReadonlyArray<string | number>): number => {
  let state = (seed ^ 0x9e3779b9) >>> 0
  for (const character of words.join("\u0001")) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  }
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39)
  return ((state ^ (state >>> 15)) >>> 0) / 4_294_967_296
}

const isWeekend = (ts: EpochMillis): boolean => {
  const day = new Date(ts).getUTCDay()
  return day === 0 || day === 6
}

/** How far a bar has come at an instant: what its values depend on beside its stamp. */
const versionOf = (
  market: ModelMarket,
  symbol: string,
  timeframe: Timeframe.Timeframe,
  ts: number,
  at: number
): string => {
  const over = closeOf(timeframe, ts, market.calendar)
  if (at < over) return `open ${Math.floor(((at - ts) / (over - ts)) * 10)}`
  if (at < over + market.finalityDelay && chance(market.seed, "revised", symbol, timeframe, ts) < market.revised) {
    return "preliminary"
  }
  const corrected = market.corrections.filter((range) => range.start <= ts && ts < range.end && range.at <= at).length
  return corrected === 0 ? "final" : `corrected ${corrected}`
}

/** When trade for the bar of a stamp begins; null when there is none. */
const beginOf = (
  calendar: TradingCalendar | null,
  timeframe: Timeframe.Timeframe,
  ts: EpochMillis
): EpochMillis | null => {
  const end = Timeframe.periodEnd(timeframe, ts)
  if (calendar === null || ts < calendar.known.start || end > calendar.known.end) return ts
  if (!Timeframe.isIntraday(timeframe)) return calendar.sessions({ start: ts, end })[0]?.open ?? null
  if (calendar.isOpenAt(ts) || calendar.previous(ts)?.close === ts) return ts
  const [closure] = calendar.closures({ start: ts, end })
  return closure === undefined || closure.end < end ? ts : null
}

/** The bar of a stamp as it is known at `at`; null when there is none, or none yet. */
const barAt = (
  market: ModelMarket,
  symbol: string,
  timeframe: Timeframe.Timeframe,
  ts: EpochMillis,
  at: EpochMillis
): Bar | null => {
  const begin = beginOf(market.calendar, timeframe, ts)
  if (begin === null || begin > at || ts < (market.listedAt ?? -Infinity) || (market.weekends && isWeekend(ts)))
    return null
  if (market.holes > 0 && chance(market.seed, "hole", symbol, timeframe, ts) < market.holes) return null
  const version = versionOf(market, symbol, timeframe, ts, at)
  const draw = (what: string, most: number) =>
    Math.floor(chance(market.seed, what, symbol, timeframe, ts, version) * most)
  const open = 10_000 + draw("open", 5_000)
  const close = open + draw("close", 200) - 100
  const cents = {
    high: Math.max(open, close) + draw("high", 100),
    low: Math.min(open, close) - draw("low", 100)
  }
  return {
    ts,
    open: open / 100,
    high: cents.high / 100,
    low: cents.low / 100,
    close: close / 100,
    volume: draw("volume", 100_000),
    vwap: null,
    count: null
  }
}

/** Six decimals, so that a value is the double nearest to what is sent of it. */
const divided = (price: number, ratio: number): number => Math.round((price / ratio) * 1e6) / 1e6

const rebased = (market: ModelMarket, bar: Bar, at: EpochMillis): Bar => {
  const ratio = market.splits.reduce((all, split) => (bar.ts < split.at && split.at <= at ? all * split.ratio : all), 1)
  if (ratio === 1) return bar
  return {
    ...bar,
    open: divided(bar.open, ratio),
    high: divided(bar.high, ratio),
    low: divided(bar.low, ratio),
    close: divided(bar.close, ratio),
    volume: bar.volume === null ? null : bar.volume * ratio
  }
}

/** All bars of a range as they are known at `at`, ascending. */
export const barsOf = (
  market: ModelMarket,
  symbol: string,
  timeframe: Timeframe.Timeframe,
  range: TimeRange,
  at: EpochMillis,
  adjustment: Adjustment = "raw"
): ReadonlyArray<Bar> => {
  const shift = Timeframe.isIntraday(timeframe) ? market.offGrid : 0
  const bars: Array<Bar> = []
  // A session may open before its date does in UTC.
  const end = Math.min(range.end, at + 1 + (market.calendar === null ? 0 : 3 * 86_400_000))
  for (
    let stamp = Timeframe.ceil(timeframe, range.start - shift);
    stamp + shift < end;
    stamp = Timeframe.periodEnd(timeframe, stamp)
  ) {
    const bar = barAt(market, symbol, timeframe, stamp + shift, at)
    if (bar !== null) bars.push(adjustment === "raw" ? bar : rebased(market, bar, at))
  }
  return bars
}
