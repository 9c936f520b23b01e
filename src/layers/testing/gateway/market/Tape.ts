/**
 * Everything that happened and will happen to one instrument: quotes, and trades at them. Any stretch of it can be had at any time and is the same
 * each time, so what is sent live, what is told of it later and what the truth was are one thing.
 */

import type { Hours } from "./Hours.ts"
import { mix } from "./hash.ts"
import type { Instrument } from "./Instrument.ts"
import { levelOf } from "./Price.ts"

/** Trades that count for no bar, and that `Last` leaves out. */
export const unreported = 0x10000

/** Trades that swept the book. */
const swept = 0x8000

/**
 * One thing that happens. `at` is in UTC epoch milliseconds, prices are in ticks. Sizes are in units (shares, contracts). `size` 0: a quote without a
 * trade. `venue` is an index into the exchanges of the tape, with `unreported` added to it.
 */
export type Visit = (
  at: number,
  bid: number,
  ask: number,
  bidSize: number,
  askSize: number,
  price: number,
  size: number,
  venue: number
) => void

export interface Tape {
  /** Visits what happens in [from, to), in order of time. */
  readonly each: (from: number, to: number, visit: Visit) => void
  /** When something happens next, after an instant; infinite: never again. */
  readonly nextAfter: (at: number) => number
  readonly venues: ReadonlyArray<string>
  readonly conditionOf: (venue: number) => string
}

const venues = ["ARCA", "NASDAQ", "BATS", "EDGX", "IEX", "NYSE"] as const

/** How many cells without an event are looked at before the next is given up on; all of them empty is as good as impossible. */
const patience = 100_000

export class SeededTape implements Tape {
  readonly venues: ReadonlyArray<string>
  private readonly instrument: Instrument
  private readonly hours: Hours
  private readonly seed: number
  private readonly level: (instant: number) => number

  constructor(instrument: Instrument) {
    this.instrument = instrument
    this.hours = instrument.hours
    this.seed = instrument.seed ^ 0x5bd1e995
    this.level = levelOf(instrument)
    this.venues = instrument.secType === "STK" || instrument.secType === "OPT" ? venues : [instrument.exchange]
  }

  conditionOf(venue: number): string {
    if ((venue & unreported) !== 0) return "I"
    return (venue & swept) === 0 ? "" : "F"
  }

  private countOf(cell: number): number {
    const { events } = this.instrument.cell
    return Math.floor((mix(this.seed, cell, 1) / 4_294_967_296) * (2 * events + 1))
  }

  each(from: number, to: number, visit: Visit): void {
    const { expiresAt, listedAt } = this.instrument
    const start = Math.max(from, listedAt)
    const end = Math.min(to, expiresAt ?? to)
    if (!(start < end)) return
    const day = this.hours.at(start)
    if (day !== null && start >= day.open && end <= day.close) {
      this.stretch(start, end, visit)
      return
    }
    for (const { close, open } of this.hours.between({ start, end })) {
      this.stretch(Math.max(start, open), Math.min(end, close), visit)
    }
  }

  private stretch(from: number, to: number, visit: Visit): void {
    const { millis } = this.instrument.cell
    const last = Math.floor((to - 1) / millis)
    for (let cell = Math.floor(from / millis); cell <= last; cell++) {
      const count = this.countOf(cell)
      if (count === 0) continue
      const start = cell * millis
      const step = millis / count
      // Each event lies in a step of its own, so only those of the steps that are asked for are looked at.
      const end = Math.min(count, Math.floor((to - start) / step) + 2)
      for (let index = Math.max(0, Math.floor((from - start) / step) - 1); index < end; index++) {
        const luck = mix(this.seed, cell, index + 2)
        const at = start + Math.floor((index + (luck & 0xffff) / 65_536) * step)
        if (at >= from && at < to) this.event(at, luck, mix(luck, index, cell), visit)
      }
    }
  }

  /** The first event of a cell at or after an instant and before another; infinite: there is none. */
  private firstIn(cell: number, from: number, to: number): number {
    const { millis } = this.instrument.cell
    const count = this.countOf(cell)
    const start = cell * millis
    const step = millis / count
    for (let index = Math.max(0, Math.floor((from - start) / step) - 1); index < count; index++) {
      const at = start + Math.floor((index + (mix(this.seed, cell, index + 2) & 0xffff) / 65_536) * step)
      if (at >= from) return at < to ? at : Number.POSITIVE_INFINITY
    }
    return Number.POSITIVE_INFINITY
  }

  private event(at: number, luck: number, more: number, visit: Visit): void {
    const { lot, secType, trades } = this.instrument
    const middle = this.level(at)
    // A combination may be worth less than nothing.
    const least = secType === "BAG" ? Number.NEGATIVE_INFINITY : 1
    const bid = Math.max(least, Math.floor(middle) - ((luck >>> 16) & 1))
    const ask = bid + 1 + ((luck >>> 17) & 1)
    const bidSize = (1 + ((luck >>> 18) % 12)) * lot
    const askSize = (1 + ((luck >>> 22) % 12)) * lot
    if (!trades || more % 5 === 0) {
      visit(at, bid, ask, bidSize, askSize, 0, 0, 0)
      return
    }
    const price = (more & 0x20) === 0 ? bid : ask
    const odd = lot > 1 && (more >>> 6) % 48 === 0
    const size = odd ? 1 + ((more >>> 12) % (lot - 1)) : (1 + ((more >>> 12) % 9)) * lot
    const venue = (more >>> 20) % this.venues.length
    const sweeps = (more >>> 16) % 16 === 0 ? swept : 0
    visit(at, bid, ask, bidSize, askSize, price, size, venue | (odd ? unreported : sweeps))
  }

  nextAfter(at: number): number {
    const { cell, expiresAt } = this.instrument
    let from = at + 1
    for (let tries = 0; tries < patience; tries++) {
      const day = this.hours.at(from)
      if (day === null || (expiresAt !== null && from >= expiresAt)) break
      const start = Math.max(from, day.open)
      const index = Math.floor(start / cell.millis)
      const end = Math.min(day.close, expiresAt ?? day.close, (index + 1) * cell.millis)
      const found = this.firstIn(index, start, end)
      if (found !== Number.POSITIVE_INFINITY) return found
      from = end
    }
    return Number.POSITIVE_INFINITY
  }
}
