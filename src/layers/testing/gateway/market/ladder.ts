/** The book of an instrument: a price each tick away from the best, with sizes that change every two seconds. */
import { mix } from "./hash.ts"
import type { Instrument } from "./Instrument.ts"
import type { Live } from "./Live.ts"

export interface Level {
  /** In ticks. */
  readonly price: number
  readonly size: number
  readonly maker: string
}

export interface Ladder {
  readonly bids: ReadonlyArray<Level>
  readonly asks: ReadonlyArray<Level>
}

const sizesHold = 2_000

/** Best first; empty before the first quote. */
export const ladderOf = (instrument: Instrument, live: Live, now: number, rows: number): Ladder => {
  if (Number.isNaN(live.bid)) return { bids: [], asks: [] }
  const makers = instrument.validExchanges.split(",").filter((one) => one !== "SMART")
  const level = (best: number, size: number, step: number) => (_: unknown, index: number) => {
    const price = best + index * step
    const luck = mix(instrument.seed, price, Math.floor(now / sizesHold))
    return {
      price,
      size: index === 0 ? size : (1 + (luck % 20)) * instrument.lot,
      maker: makers[mix(instrument.seed, price, step) % makers.length] ?? instrument.exchange
    }
  }
  return {
    bids: Array.from({ length: rows }, level(live.bid, live.bidSize, -1)),
    asks: Array.from({ length: rows }, level(live.ask, live.askSize, 1))
  }
}
