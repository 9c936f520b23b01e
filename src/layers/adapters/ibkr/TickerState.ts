/** The top of a book as IB tells it, tick by tick, and what it is at an instant. */
import type { Ticker } from "../../../domain/streams/StreamRow.ts"
import { numberOf, sizeOf } from "./numbers.ts"

type Figure = Exclude<keyof Ticker, "tsNs" | "venue" | "sequence" | "conditions">

/** IB's number of a price, live and delayed. */
const prices: Readonly<Record<number, Figure>> = {
  1: "bid",
  2: "ask",
  4: "last",
  6: "high",
  7: "low",
  9: "previousClose",
  14: "open",
  66: "bid",
  67: "ask",
  68: "last",
  72: "high",
  73: "low",
  75: "previousClose",
  76: "open"
}

const sizes: Readonly<Record<number, Figure>> = {
  0: "bidSize",
  3: "askSize",
  5: "lastSize",
  8: "volume",
  69: "bidSize",
  70: "askSize",
  71: "lastSize",
  74: "volume"
}

const nothing = {
  bid: null,
  bidSize: null,
  ask: null,
  askSize: null,
  last: null,
  lastSize: null,
  volume: null,
  open: null,
  high: null,
  low: null,
  previousClose: null
}

export class TickerState {
  private figures: Record<Figure, number | null> = { ...nothing }
  private changed = false

  private set(figure: Figure | undefined, value: number | null): void {
    if (figure === undefined || this.figures[figure] === value) return
    this.figures[figure] = value
    this.changed = true
  }

  /** IB says -1 where nobody quotes, which is also a price that a spread may have: it is taken for the first. */
  price(type: number, price: number | undefined): void {
    const value = numberOf(price)
    this.set(prices[type], value === -1 ? null : value)
  }

  /** A price brings its size with it, and the gateway sends that once more: the second changes nothing. */
  size(type: number, size: number | undefined): void {
    const value = sizeOf(size)
    this.set(sizes[type], value === null || value < 0 ? null : value)
  }

  clear(): void {
    this.figures = { ...nothing }
    this.changed = false
  }

  /** As it is now, if that is another than the last that was taken; an object that nobody changes. */
  take(millis: number): Ticker | null {
    if (!this.changed) return null
    this.changed = false
    return {
      tsNs: BigInt(Math.round(millis)) * 1_000_000n,
      ...this.figures,
      venue: null,
      sequence: null,
      conditions: null
    }
  }
}
