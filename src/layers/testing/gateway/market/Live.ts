/**
 * Where an instrument stands at an instant that only moves on: what its last quote and trade were, and its trading day so far. One of these
 * serves all who look at an instrument at the same instant; each event is taken once, however many look. Prices are in ticks.
 */
import type { Hours, HoursOfDay } from "./Hours.ts"
import { type Tape, unreported, type Visit } from "./Tape.ts"

/** The last trade (else the middle of the last quote) before an instant of a day; NaN when the day has none. */
export const lastBefore = (tape: Tape, { open }: HoursOfDay, at: number): number => {
  let found = Number.NaN
  const take: Visit = (_, bid, ask, _bidSize, _askSize, price, size, venue) => {
    if (size > 0 && (venue & unreported) === 0) found = price
    else if (size === 0 && Number.isNaN(found)) found = (bid + ask) / 2
  }
  let until = at
  for (let reach = 60_000; Number.isNaN(found) && until > open; reach *= 4) {
    const from = Math.max(open, until - reach)
    tape.each(from, until, take)
    until = from
  }
  return found
}

export class Live {
  bid = Number.NaN
  ask = Number.NaN
  bidSize = 0
  askSize = 0
  /** NaN before the first trade of the day, as all of the day's numbers. */
  last = Number.NaN
  lastSize = 0
  lastAt = 0
  lastVenue = 0
  open = Number.NaN
  high = Number.NaN
  low = Number.NaN
  volume = 0
  count = 0
  /** The sum of price times size. */
  value = 0
  /** The last price of the regular hours of the day before; NaN when there is none. */
  priorClose = Number.NaN
  private readonly tape: Tape
  private readonly hours: Hours
  private day: HoursOfDay | null
  private until: number
  private following = Number.NEGATIVE_INFINITY

  constructor(tape: Tape, hours: Hours, at: number) {
    this.tape = tape
    this.hours = hours
    const now = hours.at(at)
    this.day = now !== null && now.open <= at ? now : hours.before(at)
    this.until = this.day?.open ?? at
    this.priorClose = this.day === null ? Number.NaN : this.closeBefore(this.day)
    this.advance(at)
  }

  /** The middle of the quote, or what is known instead of it; NaN: nothing. */
  get mark(): number {
    if (!Number.isNaN(this.bid)) return (this.bid + this.ask) / 2
    return Number.isNaN(this.last) ? this.priorClose : this.last
  }

  /** When something happens after the instant that it stands at. */
  get next(): number {
    if (this.following < this.until) this.following = this.tape.nextAfter(this.until - 1)
    return this.following
  }

  advance(now: number): void {
    while (this.until <= now) {
      const day = this.hours.at(this.until)
      if (day === null || day.open > now) {
        this.until = now + 1
        return
      }
      if (day.date !== this.day?.date) this.begin(day)
      const end = Math.min(now + 1, day.close)
      if (this.following >= end) {
        this.until = end
        continue
      }
      this.tape.each(Math.max(this.until, day.open), end, this.take)
      this.until = end
    }
  }

  private closeBefore(day: HoursOfDay): number {
    const before = this.hours.before(day.open)
    return before === null ? Number.NaN : lastBefore(this.tape, before, before.liquidClose)
  }

  private begin(day: HoursOfDay): void {
    this.priorClose = this.closeBefore(day)
    this.day = day
    this.open = Number.NaN
    this.high = Number.NaN
    this.low = Number.NaN
    this.volume = 0
    this.count = 0
    this.value = 0
  }

  private readonly take: Visit = (at, bid, ask, bidSize, askSize, price, size, venue) => {
    this.bid = bid
    this.ask = ask
    this.bidSize = bidSize
    this.askSize = askSize
    if (size === 0 || (venue & unreported) !== 0) return
    this.last = price
    this.lastSize = size
    this.lastAt = at
    this.lastVenue = venue
    if (this.count === 0) this.open = price
    if (!(price <= this.high)) this.high = price
    if (!(price >= this.low)) this.low = price
    this.volume += size
    this.count++
    this.value += price * size
  }
}
