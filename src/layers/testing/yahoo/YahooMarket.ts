/**
 * A market in which every minute follows from a seed, and every longer bar from its minutes: a day is what its minutes make, a
 * week what its days make. Looked at twice at one instant it is the same, in every process.
 *
 * Prices are kept in whole cents of the shares of after the last split. What Yahoo shows at an instant is that, in the shares of
 * then: when a split comes, all of history changes with it.
 */
import { calendarOf } from "../../../domain/calendar/calendarOf.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import type { TradingCalendar, TradingSession } from "../../../domain/TradingCalendar.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import { builtIn } from "../../calendar/builtIn.ts"
import { chance } from "../ModelMarket.ts"
import type { YahooInstrument } from "./YahooInstrument.ts"

export const minute = 60_000
export const day = 86_400_000

/** Prices in cents of the shares of after the last split. `ts` is where it begins; `date` the session's. */
export interface MarketBar {
  ts: EpochMillis
  readonly date: EpochMillis
  open: number
  high: number
  low: number
  close: number
  volume: number
}

/** One way of telling a number from a seed that is cheap enough for millions of minutes. */
const mix = (seed: number, a: number, b: number): number => {
  let state = Math.imul(seed ^ Math.imul(a | 0, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(b | 0, 0xc2b2ae35)
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39)
  return (state ^ (state >>> 15)) >>> 0
}

const highOf = (luck: number): number => luck % 9
const lowOf = (luck: number): number => (luck >>> 8) % 9
const volumeOf = (luck: number): number => (luck % 9_000) * 280

/** Adds a later bar to an earlier one. */
const extend = (into: MarketBar, next: MarketBar): void => {
  into.high = Math.max(into.high, next.high)
  into.low = Math.min(into.low, next.low)
  into.close = next.close
  into.volume += next.volume
}

export class YahooMarket {
  readonly instrument: YahooInstrument
  readonly calendar: TradingCalendar
  readonly clock: ZoneClock.ZoneClock
  private readonly seed: number
  private readonly holes: number
  private levelDate = Number.NaN
  private levelCents = 0
  private readonly days = new Map<EpochMillis, MarketBar | null>()

  /** `holes` is the share (0 to 1) of minutes without a trade. */
  constructor(instrument: YahooInstrument, seed: number, holes: number) {
    const rules = builtIn.find(({ name }) => name === instrument.calendar)
    const clock = rules === undefined ? null : ZoneClock.make(rules.zone)
    if (rules === undefined || clock === null) throw new Error(`no calendar named ${instrument.calendar}`)
    this.instrument = instrument
    this.calendar = calendarOf(rules, clock)
    this.clock = clock
    this.seed = Math.floor(chance(seed, instrument.symbol) * 0x7fffffff)
    this.holes = Math.floor(holes * 0xffffffff)
  }

  /** Sessions whose date lies in a range, from the listing on. */
  sessions({ end, start }: TimeRange): ReadonlyArray<TradingSession> {
    const from = Math.max(start, this.instrument.listedAt)
    return from < end ? this.calendar.sessions({ start: from, end }) : []
  }

  /** What a price in cents is multiplied by to be in the shares of an instant: the splits that are still to come. */
  sharesAt(instant: EpochMillis): number {
    const today = this.dateOf(instant)
    return this.instrument.splits.reduce(
      (factor, { date, denominator, numerator }) => (date > today ? (factor * numerator) / denominator : factor),
      1
    )
  }

  dateOf(instant: EpochMillis): EpochMillis {
    return Math.floor((instant + this.clock.offsetAt(instant)) / day) * day
  }

  private level(date: EpochMillis): number {
    if (date === this.levelDate) return this.levelCents
    const days = date / day
    const noise = mix(this.seed, days, -1) % 300
    this.levelDate = date
    this.levelCents =
      9_000 + Math.round(4_000 * Math.sin(days / 390 + (this.seed % 7)) + 600 * Math.sin(days / 23)) + noise
    return this.levelCents
  }

  private closeOf(date: EpochMillis, index: number): number {
    return this.level(date) + (mix(this.seed, date / day, index) % 61) - 30
  }

  private luckOf(date: EpochMillis, index: number): number {
    return mix(this.seed ^ 0x5bd1e995, date / day, index)
  }

  /** The minute that begins at `ts`; null without a trade. At its first instant it has one price only, until it is over. */
  private minuteAt(session: TradingSession, ts: EpochMillis, at: EpochMillis): MarketBar | null {
    const { date } = session
    const index = Math.round((ts - session.open) / minute)
    const luck = this.luckOf(date, index)
    if (ts > at || luck < this.holes) return null
    const open = this.closeOf(date, index - 1)
    if (at < ts + minute) return { ts, date, open, high: open, low: open, close: open, volume: 0 }
    const close = this.closeOf(date, index)
    return {
      ts,
      date,
      open,
      close,
      high: Math.max(open, close) + highOf(luck),
      low: Math.min(open, close) - lowOf(luck),
      volume: volumeOf(luck)
    }
  }

  /** What the minutes of a session that is over make together, without making each of them. */
  private wholeDay({ breakEnd, breakStart, close, date, open }: TradingSession): MarketBar | null {
    let whole: MarketBar | null = null
    let before = this.closeOf(date, -1)
    for (let ts = open, index = 0; ts < close; ts += minute, index++) {
      const price = this.closeOf(date, index)
      const luck = this.luckOf(date, index)
      if (luck >= this.holes && (breakStart === null || breakEnd === null || ts < breakStart || ts >= breakEnd)) {
        const high = Math.max(before, price) + highOf(luck)
        const low = Math.min(before, price) - lowOf(luck)
        if (whole === null) whole = { ts: open, date, open: before, high, low, close: price, volume: volumeOf(luck) }
        else {
          if (high > whole.high) whole.high = high
          if (low < whole.low) whole.low = low
          whole.close = price
          whole.volume += volumeOf(luck)
        }
      }
      before = price
    }
    return whole
  }

  /** Minutes of a session as they are known at `at`, those without a trade as null. */
  *minutes(session: TradingSession, at: EpochMillis, extended: boolean) {
    const { after, before } = this.instrument
    const from = session.open - (extended ? before * minute : 0)
    const until = Math.min(session.close + (extended ? after * minute : 0), at + 1)
    for (let ts = from; ts < until; ts += minute) {
      if (session.breakStart !== null && ts >= session.breakStart && ts < (session.breakEnd ?? 0)) continue
      yield { ts, bar: this.minuteAt(session, ts, at) }
    }
  }

  /** The bar of a session as it is known at `at`; null before its first trade. */
  dayBar(session: TradingSession, at: EpochMillis): MarketBar | null {
    if (at >= session.close) {
      const known = this.days.get(session.date)
      if (known !== undefined) return known
      const made = this.wholeDay(session)
      this.days.set(session.date, made)
      return made
    }
    let whole: MarketBar | null = null
    for (const { bar } of this.minutes(session, at, false)) {
      if (bar === null) continue
      if (whole === null) whole = { ...bar, ts: session.open }
      else extend(whole, bar)
    }
    return whole
  }

  /** Where the intraday bar begins that holds a minute: counted from the opening, after the close from there, before it by the hour. */
  static barOf(session: TradingSession, ts: EpochMillis, length: number): EpochMillis {
    const origin = ts < session.open ? 0 : ts < session.close ? session.open : session.close
    return origin + Math.floor((ts - origin) / length) * length
  }

  /** Intraday bars of a session, those without a trade as null. */
  intraday(session: TradingSession, length: number, at: EpochMillis, extended: boolean) {
    const bars: Array<{ readonly ts: EpochMillis; bar: MarketBar | null }> = []
    for (const { bar, ts } of this.minutes(session, at, extended)) {
      const start = YahooMarket.barOf(session, ts, length)
      let last = bars.at(-1)
      if (last?.ts !== start) {
        last = { ts: start, bar: null }
        bars.push(last)
      }
      if (bar === null) continue
      if (last.bar === null) last.bar = { ...bar, ts: start }
      else extend(last.bar, bar)
    }
    return bars
  }

  /** Bars of a day and longer by their stamp, of the dates of a range, made of the days that are known at `at`. */
  dated(timeframe: Timeframe.Timeframe, range: TimeRange, at: EpochMillis): ReadonlyArray<MarketBar> {
    const bars: Array<MarketBar> = []
    const end = Math.min(range.end, at + 2 * day)
    for (const session of range.start < end ? this.sessions({ start: range.start, end }) : []) {
      if (session.open > at) break
      const bar = this.dayBar(session, at)
      if (bar === null) continue
      const ts = Timeframe.floor(timeframe, session.date)
      const last = bars.at(-1)
      if (last?.ts === ts) extend(last, bar)
      else bars.push({ ...bar, ts })
    }
    return bars
  }

  /** What the close of a session is multiplied by for the dividends that came after it, until `at`. */
  dividendFactors(at: EpochMillis): (date: EpochMillis) => number {
    const today = this.dateOf(at)
    const factors = this.instrument.dividends
      .filter(({ date }) => date <= today)
      .map(({ cents, date }) => {
        const before = this.sessions({ start: date - 10 * day, end: date }).at(-1)
        const close = before === undefined ? null : this.dayBar(before, at)
        return { date, factor: close === null ? 1 : 1 - cents / close.close }
      })
    return (date) => factors.reduce((all, one) => (one.date > date ? all * one.factor : all), 1)
  }
}
