/** Bars as what they are: all that the tape has of a stretch of time, together. Prices are in ticks. */
import type { Hours, HoursOfDay } from "./Hours.ts"
import { lastBefore } from "./Live.ts"
import { type Tape, unreported, type Visit } from "./Tape.ts"

export type BarPrice = "trade" | "midpoint" | "bid" | "ask" | "bidAsk"

/** `at`: when it begins, of a day and longer its date at 00:00Z. Without a trade `count` and `volume` are 0. */
export interface TapeBar {
  at: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  count: number
  /** The sum of price times size. */
  value: number
}

const flat = (at: number, price: number): TapeBar => ({
  at,
  open: price,
  high: price,
  low: price,
  close: price,
  volume: 0,
  count: 0,
  value: 0
})

/** Adds a later bar to an earlier one. */
export const extend = (into: TapeBar, next: TapeBar): void => {
  into.high = Math.max(into.high, next.high)
  into.low = Math.min(into.low, next.low)
  into.close = next.close
  into.volume += next.volume
  into.count += next.count
  into.value += next.value
}

export interface BarStretch {
  readonly tape: Tape
  readonly hours: Hours
  readonly from: number
  /** Nothing at or after this is known. */
  readonly to: number
  readonly millis: number
  readonly price: BarPrice
  readonly regular: boolean
}

/** Of bid and ask together: the mean bid, the highest ask, the lowest bid, the mean ask. */
class Quotes {
  bids = 0
  asks = 0
  high = Number.NEGATIVE_INFINITY
  low = Number.POSITIVE_INFINITY
  count = 0

  add(bid: number, ask: number): void {
    this.bids += bid
    this.asks += ask
    if (ask > this.high) this.high = ask
    if (bid < this.low) this.low = bid
    this.count++
  }

  into(bar: TapeBar): void {
    bar.open = this.bids / this.count
    bar.close = this.asks / this.count
    bar.high = this.high
    bar.low = this.low
  }
}

const stretchOf = (day: HoursOfDay, regular: boolean): readonly [open: number, close: number] =>
  regular ? [day.liquidOpen, day.liquidClose] : [day.open, day.close]

/** Bars of one day: from its first trade on one for each period, flat where nothing happened. */
const ofDay = (day: HoursOfDay, stretch: BarStretch, bars: Array<TapeBar>): void => {
  const { hours, millis, price: kind, tape } = stretch
  const [open, close] = stretchOf(day, stretch.regular)
  const offset = hours.clock.offsetAt(open)
  const startOf = (at: number) => Math.max(open, Math.floor((at + offset) / millis) * millis - offset)
  const endOf = (start: number) => Math.floor((start + offset) / millis + 1) * millis - offset
  const from = startOf(Math.max(open, stretch.from))
  const to = Math.min(close, stretch.to)
  if (from >= to) return
  const before = kind === "trade" && from > open ? lastBefore(tape, { ...day, open }, from) : Number.NaN
  let bar: TapeBar | null = null
  let start = from
  let end = endOf(from)
  let known = before
  let quotes = new Quotes()
  const finish = () => {
    if (bar !== null) {
      if (kind === "bidAsk") quotes.into(bar)
      bars.push(bar)
      known = bar.close
    } else if (!Number.isNaN(known) && kind !== "bidAsk") bars.push(flat(start, known))
    bar = null
    quotes = new Quotes()
    start = end
    end = endOf(start)
  }
  const add: Visit = (at, bid, ask, _bidSize, _askSize, price, size, venue) => {
    if (kind === "trade" && (size === 0 || (venue & unreported) !== 0)) return
    while (at >= end) finish()
    const value = kind === "trade" ? price : kind === "bid" ? bid : kind === "ask" ? ask : (bid + ask) / 2
    if (bar === null) bar = flat(start, value)
    if (value > bar.high) bar.high = value
    if (value < bar.low) bar.low = value
    bar.close = value
    if (kind === "bidAsk") quotes.add(bid, ask)
    if (kind !== "trade") return
    bar.volume += size
    bar.count++
    bar.value += value * size
  }
  tape.each(from, to, add)
  while (start < to) finish()
}

/** Bars shorter than a day. A stretch begins with the bar that holds its beginning, and ends with one that may be open. */
export const intradayBars = (stretch: BarStretch): ReadonlyArray<TapeBar> => {
  const bars: Array<TapeBar> = []
  for (const day of stretch.hours.between({ start: stretch.from, end: stretch.to })) ofDay(day, stretch, bars)
  return bars
}

/** What a whole day makes, as it is known at `to`; null when nothing has happened. */
const dayBar = (day: HoursOfDay, stretch: BarStretch): TapeBar | null => {
  const bars: Array<TapeBar> = []
  const whole = { ...stretch, from: day.open, millis: 86_400_000 * 2 }
  ofDay(day, whole, bars)
  const [bar] = bars
  return bar === undefined ? null : { ...bar, at: day.date }
}

/** Days that are over do not change, and cost a look at each of their seconds. */
export class DayBars {
  private readonly known = new Map<string, TapeBar | null>()

  /** Bars of days whose stretch has begun before `to`, and that have an instant after `from`. */
  of(stretch: BarStretch): ReadonlyArray<TapeBar> {
    const { from, hours, price, regular, to } = stretch
    return hours.between({ start: from, end: to }).flatMap((day) => {
      if (stretchOf(day, regular)[1] > to) {
        const open = dayBar(day, stretch)
        return open === null ? [] : [open]
      }
      const key = `${day.date} ${price} ${regular}`
      let bar = this.known.get(key)
      if (bar === undefined) {
        bar = dayBar(day, stretch)
        this.known.set(key, bar)
      }
      return bar === null ? [] : [{ ...bar }]
    })
  }
}

/** Days as weeks (from Monday) or months, each with its first date. */
export const joinDays = (days: ReadonlyArray<TapeBar>, period: "week" | "month"): ReadonlyArray<TapeBar> => {
  const startOf = (date: number) => {
    const at = new Date(date)
    if (period === "month") return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1)
    return date - ((at.getUTCDay() + 6) % 7) * 86_400_000
  }
  const joined: Array<TapeBar> = []
  for (const day of days) {
    const at = startOf(day.at)
    const last = joined.at(-1)
    if (last?.at === at) extend(last, day)
    else joined.push({ ...day, at })
  }
  return joined
}
