/** What really happened, for who compares with it what a client has received. */
import type { TapeBar } from "./market/bars.ts"
import { type Instrument, priceOf } from "./market/Instrument.ts"
import type { Listing } from "./market/Market.ts"
import { type Tape, unreported } from "./market/Tape.ts"

/** `at` is in milliseconds; on the wire there are seconds. */
export interface TruthTrade {
  readonly at: number
  readonly price: number
  readonly size: number
  readonly exchange: string
  readonly conditions: string
  /** Counts for no bar; `AllLast` and history have it, `Last` has not. */
  readonly unreported: boolean
}

export interface TruthQuote {
  readonly at: number
  readonly bid: number
  readonly ask: number
  readonly bidSize: number
  readonly askSize: number
}

export interface Truth {
  readonly trades: ReadonlyArray<TruthTrade>
  readonly quotes: ReadonlyArray<TruthQuote>
}

export interface TruthBar {
  readonly at: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  /** The mean price by volume; the close where nothing was traded. */
  readonly vwap: number
  readonly count: number
}

export const venueOf = (tape: Tape, venue: number): string => tape.venues[venue & 0x7fff] ?? ""

export const truthOf = (listing: Listing | null, from: number, to: number): Truth => {
  const trades: Array<TruthTrade> = []
  const quotes: Array<TruthQuote> = []
  if (listing === null) return { trades, quotes }
  const { instrument, tape } = listing
  tape.each(from, to, (at, bid, ask, bidSize, askSize, price, size, venue) => {
    quotes.push({ at, bid: priceOf(instrument, bid), ask: priceOf(instrument, ask), bidSize, askSize })
    if (size === 0) return
    trades.push({
      at,
      price: priceOf(instrument, price),
      size,
      exchange: venueOf(tape, venue),
      conditions: tape.conditionOf(venue),
      unreported: (venue & unreported) !== 0
    })
  })
  return { trades, quotes }
}

export const pricedBar = (instrument: Instrument, bar: TapeBar): TruthBar => ({
  at: bar.at,
  open: priceOf(instrument, bar.open),
  high: priceOf(instrument, bar.high),
  low: priceOf(instrument, bar.low),
  close: priceOf(instrument, bar.close),
  volume: bar.volume,
  vwap: Math.round(priceOf(instrument, bar.volume === 0 ? bar.close : bar.value / bar.volume) * 1e6) / 1e6,
  count: bar.count
})

export const truthBars = (
  listing: Listing | null,
  from: number,
  to: number,
  millis: number
): ReadonlyArray<TruthBar> => {
  if (listing === null) return []
  const { instrument } = listing
  const price = instrument.trades ? "trade" : "midpoint"
  return listing.bars({ from, to, size: millis, price, regular: false }).map((bar) => pricedBar(instrument, bar))
}
