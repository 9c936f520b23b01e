/** What an option is worth and how that moves, by Black and Scholes; an interest rate of 4 % a year, no dividends. */

const rate = 0.04

export interface OptionValue {
  readonly price: number
  readonly delta: number
  readonly gamma: number
  /** For a point of volatility. */
  readonly vega: number
  /** For a day. */
  readonly theta: number
}

/** The normal distribution by a polynomial of Zelen and Severo; off by less than 1e-7. */
const cumulative = (x: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))) * density(x)
  return x > 0 ? 1 - tail : tail
}

const density = (x: number): number => Math.exp((-x * x) / 2) / 2.5066282746310002

export const optionValue = (
  right: "C" | "P",
  spot: number,
  strike: number,
  years: number,
  volatility: number
): OptionValue => {
  const isCall = right === "C"
  if (years <= 0) {
    const price = Math.max(0, isCall ? spot - strike : strike - spot)
    return { price, delta: price > 0 ? (isCall ? 1 : -1) : 0, gamma: 0, vega: 0, theta: 0 }
  }
  const root = volatility * Math.sqrt(years)
  const up = (Math.log(spot / strike) + (rate + (volatility * volatility) / 2) * years) / root
  const down = up - root
  const discounted = strike * Math.exp(-rate * years)
  const call = spot * cumulative(up) - discounted * cumulative(down)
  const decay = (-spot * density(up) * volatility) / (2 * Math.sqrt(years))
  const carry = isCall ? -rate * discounted * cumulative(down) : rate * discounted * cumulative(-down)
  return {
    price: isCall ? call : call - spot + discounted,
    delta: isCall ? cumulative(up) : cumulative(up) - 1,
    gamma: density(up) / (spot * root),
    vega: (spot * density(up) * Math.sqrt(years)) / 100,
    theta: (decay + carry) / 365
  }
}

const year = 365 * 86_400_000

export const yearsBetween = (from: number, to: number): number => Math.max(0, to - from) / year
