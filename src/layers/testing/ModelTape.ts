import type { News } from "../../domain/records/News.ts"
import type { Quote } from "../../domain/records/Quote.ts"
import type { Trade } from "../../domain/records/Trade.ts"
import type { Book, Ticker } from "../../domain/streams/StreamRow.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { chance } from "./ModelMarket.ts"

/** The prints of a market that follows from a seed; the same in every process, whenever and in whatever pieces it is looked at. */
export interface ModelTape {
  readonly seed: number
  /** Prints a second, on average. */
  readonly rate: number
  /** Milliseconds that one stamp stands for: 0.000001 unless stamps are coarser, as they are at vendors that stamp whole seconds. */
  readonly resolution: number
  /** Whether the venue numbers its prints; without numbers prints alike in everything happen, and are as many events. */
  readonly numbered: boolean
}

const nanos = 1_000_000n
const secondNanos = 1_000_000_000n

/** Where a symbol's price is in a second, in cents. It goes up and down in a quarter of an hour, each symbol at its own price. */
export const middleAt = (seed: number, symbol: string, second: number): number => {
  const turn = chance(seed, "turn", symbol)
  return (
    5_000 +
    Math.floor(chance(seed, "level", symbol) * 20_000) +
    Math.round(200 * Math.sin((second / 900 + turn) * 2 * Math.PI))
  )
}

const printsOf = ({ numbered, rate, resolution, seed }: ModelTape, symbol: string, second: number): Array<Trade> => {
  const count = Math.floor(chance(seed, "prints", symbol, second) * 2 * rate + 0.5)
  const middle = middleAt(seed, symbol, second)
  const prints: Array<Trade> = []
  for (let index = 0; index < count; index++) {
    const offset = Math.floor(((index + chance(seed, "offset", symbol, second, index)) / count) * 1e9)
    const exact = BigInt(second) * secondNanos + BigInt(offset)
    const step = BigInt(Math.max(1, Math.round(resolution * 1e6)))
    const drawn = chance(seed, "price", symbol, second, index)
    const cents = numbered ? middle + Math.floor(drawn * 11) - 5 : 10_000 + Math.floor(drawn * 3)
    prints.push({
      tsNs: exact - (exact % step),
      price: cents / 100,
      size: 1 + Math.floor(chance(seed, "size", symbol, second, index) * (numbered ? 500 : 2)),
      venue: "MODEL",
      sequence: numbered ? second * 10_000 + index : null,
      side: null,
      conditions: null
    })
  }
  return prints
}

/** All prints whose millisecond is in the range, ascending. */
export const printsIn = (tape: ModelTape, symbol: string, { end, start }: TimeRange): ReadonlyArray<Trade> => {
  const prints: Array<Trade> = []
  for (let second = Math.floor(start / 1_000); second * 1_000 < end; second++) {
    for (const print of printsOf(tape, symbol, second)) {
      const millis = Number(print.tsNs / nanos)
      if (start <= millis && millis < end) prints.push(print)
    }
  }
  return prints
}

const quoteAround = ({ price, sequence, size, tsNs, venue }: Trade): Quote => ({
  tsNs,
  bid: Math.round(price * 100 - 1) / 100,
  bidSize: size,
  ask: Math.round(price * 100 + 1) / 100,
  askSize: size,
  venue,
  sequence,
  conditions: null
})

/** The quotes around the prints: one with each, a cent to either side of it. */
export const quotesIn = (tape: ModelTape, symbol: string, range: TimeRange): ReadonlyArray<Quote> =>
  printsIn(tape, symbol, range).map(quoteAround)

/** As {@link quotesIn}, with what a stream shows beside. */
export const tickersIn = (tape: ModelTape, symbol: string, range: TimeRange): ReadonlyArray<Ticker> =>
  printsIn(tape, symbol, range).map((print) => ({
    ...quoteAround(print),
    last: print.price,
    lastSize: print.size,
    volume: null,
    open: null,
    high: null,
    low: null,
    previousClose: null
  }))

/** Levels of a side, unless said otherwise. */
export const usualLevels = 5

/** The book around the prints: one with each, its best prices those of the quote, a cent from level to level. */
export const booksIn = (
  tape: ModelTape,
  symbol: string,
  range: TimeRange,
  levels: number = usualLevels
): ReadonlyArray<Book> =>
  printsIn(tape, symbol, range).map(({ price, size, tsNs }) => {
    const middle = Math.round(price * 100)
    const side = (direction: 1 | -1) =>
      Array.from(
        { length: levels },
        (_, level) => [(middle + direction * (level + 1)) / 100, (size ?? 1) * (level + 1)] as const
      )
    return { tsNs, bids: side(-1), asks: side(1) }
  })

const sayings = [
  "beats its forecast",
  "names a new head",
  "is raised by an analyst",
  "is lowered by an analyst"
] as const

/** Headlines about a symbol: one about every other second. */
export const headlinesIn = ({ seed }: ModelTape, symbol: string, { end, start }: TimeRange): ReadonlyArray<News> => {
  const headlines: Array<News> = []
  for (let second = Math.floor(start / 1_000); second * 1_000 < end; second++) {
    if (chance(seed, "news", symbol, second) >= 0.5) continue
    const ts = second * 1_000 + Math.floor(chance(seed, "news at", symbol, second) * 1_000)
    if (ts < start || ts >= end) continue
    const saying = sayings[Math.floor(chance(seed, "news says", symbol, second) * sayings.length)] ?? sayings[0]
    headlines.push({ ts, id: `MODEL$${symbol}${second}`, title: `${symbol} ${saying}`, url: null, sentiment: null })
  }
  return headlines
}
