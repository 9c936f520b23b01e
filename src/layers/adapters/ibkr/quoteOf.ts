import type { Quote } from "../../../domain/records/Quote.ts"

const nanosPerSecond = 1_000_000_000n

/** What IB says of a quote beside its numbers: a bid below the day's low, an ask above its high. */
const marks = ["bidPastLow", "askPastHigh"] as const

/** What IB says of the two sides; null: nothing. */
interface Sides {
  readonly bid: number | null
  readonly ask: number | null
  readonly bidSize: number | null
  readonly askSize: number | null
}

/** IB writes 0 or -1 for the price of a side that nobody is on; its size is 0 then, which no side has that somebody is on. */
const isNobody = (price: number | null, size: number | null): boolean =>
  price === null || (size === 0 && (price === 0 || price === -1))

/** A quote of the past as IB tells it: to the second. Null where it is none. */
export const quoteOf = (seconds: number, mask: number, { ask, askSize, bid, bidSize }: Sides): Quote | null => {
  const prices = [bid, ask].filter((price) => price !== null)
  if (!Number.isSafeInteger(seconds) || !Number.isSafeInteger(mask) || !prices.every(Number.isFinite)) return null
  const [noBid, noAsk] = [isNobody(bid, bidSize), isNobody(ask, askSize)]
  const said = marks.filter((_, bit) => (mask & (1 << bit)) !== 0)
  return {
    tsNs: BigInt(seconds) * nanosPerSecond,
    bid: noBid ? null : bid,
    bidSize: noBid ? null : bidSize,
    ask: noAsk ? null : ask,
    askSize: noAsk ? null : askSize,
    venue: null,
    sequence: null,
    conditions: said.length === 0 ? null : said.join(" ")
  }
}
