import { type Instrument, priceOf, tickSize } from "../market/Instrument.ts"
import type { Live } from "../market/Live.ts"
import { optionValue, yearsBetween } from "../market/optionValue.ts"
import { levelOf } from "../market/Price.ts"
import { number } from "../wire/text.ts"

/** The walk of each underlying that was asked for; one of them keeps the lines that it stands on. */
const levels = new WeakMap<Instrument, (at: number) => number>()

const underlyingPrice = (underlying: Instrument, now: number): number => {
  let level = levels.get(underlying)
  if (level === undefined) {
    level = levelOf(underlying)
    levels.set(underlying, level)
  }
  return priceOf(underlying, level(now))
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6

/** `TICK_OPTION_COMPUTATION` for the bid, the ask and the model, by the model that the prices are made with. */
export const optionTicks = (
  reqId: number,
  instrument: Instrument,
  live: Live,
  now: number,
  isLive: boolean
): ReadonlyArray<string> => {
  const { expiresAt, model, right, strike, underlying } = instrument
  if (model._tag !== "Option" || underlying === null || right === "" || expiresAt === null) return []
  const spot = underlyingPrice(underlying, now)
  const { delta, gamma, price, theta, vega } = optionValue(
    right,
    spot,
    strike,
    yearsBetween(now, expiresAt),
    model.volatility
  )
  const size = tickSize(instrument)
  return ([live.bid, live.ask, price / size] as const).map((ticks, index) => {
    // A point of volatility is worth vega.
    const off = vega > 1e-4 ? (ticks * size - price) / vega / 100 : 0
    const volatility = rounded(Math.max(0.01, model.volatility + off))
    const values = [
      volatility,
      rounded(delta),
      rounded(priceOf(instrument, ticks)),
      0,
      rounded(gamma),
      rounded(vega),
      rounded(theta),
      rounded(spot)
    ]
    const type = (isLive ? [10, 11, 13] : [80, 81, 83])[index]
    return `21\u0000${reqId}\u0000${type}\u00000\u0000${values.map(number).join("\u0000")}\u0000`
  })
}
