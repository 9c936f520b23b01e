/** The archived ticks of one contract as what stood when they came. Pure. Of ticks that came twice the later holds. */
import { Result } from "effect"
import type { StandingQuote } from "../../../services/LookupCapability.ts"
import { readAnswer } from "./answerBytes.ts"
import { messageIds } from "./frames.ts"
import { numberIn, sizeIn } from "./numbers.ts"

/** IB's numbers of ticks: of live data, and of delayed data. */
const prices = { bid: [1, 66], ask: [2, 67], last: [4, 68], close: [9, 75] } as const
const sizes = { volume: [8, 74], openInterest: [27, 28] } as const
/** The model before what follows from the last price, the bid and the ask. */
const computations: ReadonlyArray<ReadonlyArray<number>> = [
  [13, 83],
  [12, 82],
  [10, 80],
  [11, 81]
]

/** -1 is IB's word for none. */
const unless = (none: number, value: number | null): number | null => (value === none ? null : value)
const unlessText = (none: number, text: string | undefined) => unless(none, numberIn(text))

/** What a tick was of, by the number of its message and its type: what it takes for a quote to be whole. */
export const tickOf = (fields: ReadonlyArray<string>): "bid" | "ask" | "close" | "model" | "openInterest" | null => {
  const message = Number(fields[0])
  const type = Number(message === messageIds.optionComputation ? fields[2] : fields[3])
  const is = (types: ReadonlyArray<number>) => types.includes(type)
  if (message === messageIds.tickPrice) {
    return is(prices.bid) ? "bid" : is(prices.ask) ? "ask" : is(prices.close) ? "close" : null
  }
  if (message === messageIds.tickSize) return is(sizes.openInterest) ? "openInterest" : null
  return message === messageIds.optionComputation && is(computations[0] ?? []) ? "model" : null
}

export const decodeQuote = (payload: Uint8Array): Result.Result<StandingQuote, string> =>
  Result.map(readAnswer(payload), ({ messages }) => {
    const last = (message: number, types: ReadonlyArray<number>, typeAt: number) =>
      messages.findLast((fields) => Number(fields[0]) === message && types.includes(Number(fields[typeAt])))
    const price = (types: ReadonlyArray<number>) => unlessText(-1, last(messageIds.tickPrice, types, 3)?.[4])
    const size = (types: ReadonlyArray<number>) => unless(-1, sizeIn(last(messageIds.tickSize, types, 3)?.[4]))
    const computed = computations
      .map((types) => last(messageIds.optionComputation, types, 2))
      .find((fields) => unlessText(-1, fields?.[4]) !== null)
    const [, , , , iv, delta, , , gamma, vega, theta, spot] = computed ?? []
    return {
      bid: price(prices.bid),
      ask: price(prices.ask),
      last: price(prices.last),
      close: price(prices.close),
      volume: size(sizes.volume),
      openInterest: size(sizes.openInterest),
      iv: unlessText(-1, iv),
      // Minus one is a delta like any other.
      delta: unlessText(-2, delta),
      gamma: unlessText(-2, gamma),
      vega: unlessText(-2, vega),
      theta: unlessText(-2, theta),
      spot: unlessText(-1, spot)
    }
  })
