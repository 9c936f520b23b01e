/** A market as the body of a chart, with whatever is to be wrong with it. */
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import type { TradingSession } from "../../../domain/TradingCalendar.ts"
import type { YahooFaults } from "./YahooFaults.ts"
import { day, type MarketBar, minute, type YahooMarket } from "./YahooMarket.ts"

/** A chart as it was asked for; `period1` and `period2` are epoch seconds. */
export interface ChartQuery {
  readonly interval: string
  readonly period1: number
  readonly period2: number
  readonly includePrePost: boolean
  readonly events: string
}

/** Milliseconds of the intervals that are shorter than a day. */
export const intradayLengths: Readonly<Record<string, number>> = {
  "1m": minute,
  "2m": 2 * minute,
  "5m": 5 * minute,
  "15m": 15 * minute,
  "30m": 30 * minute,
  "60m": 60 * minute,
  "90m": 90 * minute,
  "1h": 60 * minute
}
export const datedIntervals: Readonly<Record<string, Timeframe.Timeframe>> = {
  "1d": "1d",
  "1wk": "1w",
  "1mo": "1mo",
  "3mo": "3mo"
}

/** A row; without a bar it is one of nulls. `at` are epoch seconds. */
interface Row {
  readonly at: number
  readonly bar: MarketBar | null
}

const seconds = (instant: EpochMillis): number => Math.floor(instant / 1000)

/** Rendering looks at the market once, at one instant. */
class Chart {
  private readonly market: YahooMarket
  private readonly query: ChartQuery
  private readonly now: EpochMillis
  private readonly faults: YahooFaults
  /** The session of today once it has opened, and the one that traded last. */
  private readonly today: TradingSession | null
  private readonly latest: TradingSession | null

  constructor(market: YahooMarket, query: ChartQuery, now: EpochMillis, faults: YahooFaults) {
    this.market = market
    this.query = query
    this.now = now
    this.faults = faults
    const date = market.dateOf(now)
    const opened = market.sessions({ start: date - 14 * day, end: date + 2 * day }).filter(({ open }) => open <= now)
    this.latest = opened.at(-1) ?? null
    this.today = this.latest?.date === date ? this.latest : null
  }

  /** When the last price was made: this moment, or a second after the close. */
  private liveAt(): number {
    return this.latest === null ? 0 : Math.min(seconds(this.now), seconds(this.latest.close) + 1)
  }

  private asked(at: number): boolean {
    return at >= this.query.period1 && at < this.query.period2
  }

  private askedDates(): TimeRange {
    const { period1, period2 } = this.query
    const last = Math.min(period2 * 1000, this.now + 2 * day)
    return { start: this.market.dateOf(period1 * 1000), end: Math.max(this.market.dateOf(last), 0) + day }
  }

  private dated(timeframe: Timeframe.Timeframe): ReadonlyArray<Row> {
    const { clock } = this.market
    const { earlyStamps, nullRows, separateLive } = this.faults
    const dates = this.askedDates()
    const today = this.today
    const start = Timeframe.floor(timeframe, dates.start)
    const separate = today !== null && (timeframe !== "1d" || separateLive)
    const end = separate && timeframe !== "1d" ? Math.min(dates.end, today.date) : dates.end
    const rows: Array<Row> = []
    for (const bar of start < end ? this.market.dated(timeframe, { start, end }, this.now) : []) {
      const opening = timeframe === "1d" ? this.market.calendar.sessionOn(bar.ts)?.open : undefined
      const early = earlyStamps && (bar.ts / day) % 3 === 0 ? clock.first(bar.ts) - 60 * minute : null
      const stamp = early ?? opening ?? clock.first(bar.ts)
      const live = timeframe === "1d" && bar.ts === today?.date && !separate
      const at = live ? this.liveAt() : seconds(stamp)
      if (live ? this.asked(seconds(stamp)) : this.asked(at)) rows.push({ at, bar })
    }
    const liveBar = separate ? this.market.dayBar(today, this.now) : null
    if (liveBar !== null && today !== null && this.asked(seconds(today.open)))
      rows.push({ at: this.liveAt(), bar: liveBar })
    return nullRows && timeframe === "1d" ? this.withNulls(rows, dates) : rows
  }

  /** Rows of nulls on weekdays on which nobody traded, as for holidays. */
  private withNulls(rows: ReadonlyArray<Row>, dates: TimeRange): ReadonlyArray<Row> {
    const closed: Array<Row> = []
    for (let date = dates.start; date < Math.min(dates.end, this.now - day); date += day) {
      const weekday = new Date(date).getUTCDay()
      const at = seconds(this.market.clock.first(date) + 570 * minute)
      if (weekday > 0 && weekday < 6 && this.market.calendar.sessionOn(date) === null && this.asked(at)) {
        closed.push({ at, bar: null })
      }
    }
    return [...rows, ...closed].sort((a, b) => a.at - b.at)
  }

  private intraday(length: number, sessions: ReadonlyArray<TradingSession>): ReadonlyArray<Row> {
    const { includePrePost, interval } = this.query
    const extended = includePrePost || this.faults.leak
    // What is wrong with Yahoo's half hours is not known; these begin a quarter late.
    const shift = interval === "30m" ? 15 * minute : 0
    const rows: Array<Row> = []
    for (const session of sessions) {
      for (const { bar, ts } of this.market.intraday(session, length, this.now, extended)) {
        const at = seconds(ts + shift)
        if (this.asked(at)) rows.push({ at, bar })
      }
    }
    const last = rows.at(-1)
    const at = this.liveAt()
    if (
      last !== undefined &&
      last.bar !== null &&
      this.today?.date === last.bar.date &&
      this.asked(at) &&
      at > last.at
    ) {
      const price = last.bar.close
      // Regular trading is over, and rows after it are not asked for: the last price is stamped at the close all the same.
      const bar = { ...last.bar, open: price, high: price, low: price, volume: 0 }
      if (!extended || this.now < this.today.close) rows.push({ at, bar })
    }
    return rows
  }

  private strange(rows: ReadonlyArray<Row>): ReadonlyArray<Row> {
    const { duplicateRows, rowsAtEnd } = this.faults
    const odd = ({ at, bar }: Row, by: number): Row => ({
      at,
      bar: bar === null ? null : { ...bar, close: bar.low + by }
    })
    const repeated = duplicateRows
      ? rows.flatMap((row, index) => (index % 7 === 3 && index < rows.length - 1 ? [row, odd(row, 1)] : [row]))
      : rows
    const last = repeated.at(-1)
    return rowsAtEnd && last !== undefined && this.query.period2 * 1000 < this.now
      ? [...repeated, { ...odd(last, 2), at: this.query.period2 + day / 1000 }]
      : repeated
  }

  private events(): Record<string, Record<string, unknown>> {
    const { dividends, splits } = this.market.instrument
    const shares = this.market.sharesAt(this.now)
    const found: Record<string, Record<string, unknown>> = {}
    const add = (kind: string, date: EpochMillis, event: Record<string, unknown>) => {
      const session = this.market.calendar.sessionOn(date)
      if (session === null || date > this.market.dateOf(this.now) || !this.asked(seconds(session.open))) return
      const at = seconds(session.open)
      const key = String(
        this.faults.strangeKeys ? seconds(Timeframe.floor("3mo", date)) + Object.keys(found).length : at
      )
      found[kind] = { ...found[kind], [found[kind]?.[key] === undefined ? key : `${key}0`]: { ...event, date: at } }
    }
    if (this.query.events.includes("div")) {
      for (const { cents, date } of dividends) add("dividends", date, { amount: Math.fround((cents * shares) / 100) })
    }
    if (this.query.events.includes("split")) {
      for (const { date, denominator, numerator } of splits) {
        add("splits", date, { numerator, denominator, splitRatio: `${numerator}:${denominator}` })
      }
    }
    return found
  }

  private periods(sessions: ReadonlyArray<TradingSession>) {
    const { after, before } = this.market.instrument
    const period = (start: EpochMillis, end: EpochMillis) => ({
      timezone: "X",
      start: seconds(start),
      end: seconds(end),
      gmtoffset: this.market.clock.offsetAt(start) / 1000
    })
    // A day that never ends is listed as one that ends a minute early.
    const closing = ({ close, open }: TradingSession) => (close - open === day ? close - minute : close)
    const regular = sessions.map((session) => [period(session.open, closing(session))])
    if (!this.query.includePrePost) return regular
    return {
      pre: sessions.map(({ open }) => [period(open - before * minute, open)]),
      regular,
      post: sessions.map(({ close }) => [period(close, close + after * minute)])
    }
  }

  body(): string {
    const { instrument } = this.market
    const { interval } = this.query
    const length = intradayLengths[interval]
    const timeframe = datedIntervals[interval]
    const sessions = length === undefined ? [] : this.market.sessions(this.askedDates())
    const rows = this.strange(
      length !== undefined ? this.intraday(length, sessions) : timeframe === undefined ? [] : this.dated(timeframe)
    )
    const shares = this.market.sharesAt(this.now)
    const price = (read: (bar: MarketBar) => number) =>
      rows.map(({ bar }) => (bar === null ? null : Math.fround((read(bar) * shares) / 100)))
    const factor = length === undefined ? this.market.dividendFactors(this.now) : () => 1
    const current = this.latest === null ? {} : { currentTradingPeriod: this.currentPeriod(this.latest) }
    const meta = {
      currency: instrument.currency,
      symbol: instrument.symbol,
      exchangeName: instrument.exchangeName,
      instrumentType: instrument.instrumentType,
      firstTradeDate: seconds(instrument.listedAt),
      regularMarketTime: this.liveAt(),
      hasPrePostMarketData: instrument.after > 0,
      gmtoffset: this.market.clock.offsetAt(this.now) / 1000,
      exchangeTimezoneName: this.market.calendar.zone,
      priceHint: 2,
      ...current,
      ...(length === undefined ? {} : { tradingPeriods: this.periods(sessions) }),
      dataGranularity: interval,
      range: ""
    }
    const events = this.events()
    const result =
      rows.length === 0
        ? { meta, indicators: { quote: [{}] } }
        : {
            meta,
            timestamp: rows.map(({ at }) => at),
            ...(Object.keys(events).length === 0 ? {} : { events }),
            indicators: {
              quote: [
                {
                  low: price(({ low }) => low),
                  volume: rows.map(({ bar }) => (bar === null ? null : bar.volume / shares)),
                  open: price(({ open }) => open),
                  close: price(({ close }) => close),
                  high: price(({ high }) => high)
                }
              ],
              ...(length === undefined
                ? { adjclose: [{ adjclose: price(({ close, date }) => close * factor(date)) }] }
                : {})
            }
          }
    return JSON.stringify({ chart: { result: [result], error: null } })
  }

  private currentPeriod({ close, open }: TradingSession) {
    const { after, before } = this.market.instrument
    const period = (start: EpochMillis, end: EpochMillis) => ({
      timezone: "X",
      start: seconds(start),
      end: seconds(end),
      gmtoffset: this.market.clock.offsetAt(start) / 1000
    })
    return {
      pre: period(open - before * minute, open),
      regular: period(open, close - open === day ? close - minute : close),
      post: period(close, close + after * minute)
    }
  }
}

/** The body that Yahoo would send at `now`. */
export const renderChart = (market: YahooMarket, query: ChartQuery, now: EpochMillis, faults: YahooFaults): string =>
  new Chart(market, query, now, faults).body()
