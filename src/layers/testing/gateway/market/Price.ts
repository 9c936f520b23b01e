/**
 * Where the price of an instrument stands at an instant: a sum of waves of noise from three weeks down to twenty seconds, each a straight line
 * between points that follow from the seed. It can be asked for any instant, in any order; in order it is cheap, since the
 * line of each wave is kept.
 */
import { mix } from "./hash.ts"
import { type Instrument, priceOf, tickSize } from "./Instrument.ts"
import { optionValue, yearsBetween } from "./optionValue.ts"

/** How long a wave is in milliseconds, and how far it goes as a share of the level. */
const waves = [
  { length: 1_814_400_000, amplitude: 0.09 },
  { length: 172_800_000, amplitude: 0.02 },
  { length: 7_200_000, amplitude: 0.005 },
  { length: 420_000, amplitude: 0.0012 },
  { length: 20_000, amplitude: 0.0003 }
] as const

class Walk {
  private readonly seed: number
  private readonly indices = new Float64Array(waves.length).fill(Number.NaN)
  private readonly starts = new Float64Array(waves.length)
  private readonly slopes = new Float64Array(waves.length)

  constructor(seed: number) {
    this.seed = seed
  }

  /** About 0. */
  at(instant: number): number {
    let sum = 0
    for (let wave = 0; wave < waves.length; wave++) {
      const { amplitude, length } = waves[wave] as (typeof waves)[number]
      const index = Math.floor(instant / length)
      if (this.indices[wave] !== index) {
        const start = (mix(this.seed, wave, index) / 0xffffffff - 0.5) * 2 * amplitude
        const end = (mix(this.seed, wave, index + 1) / 0xffffffff - 0.5) * 2 * amplitude
        this.indices[wave] = index
        this.starts[wave] = start
        this.slopes[wave] = (end - start) / length
      }
      sum += (this.starts[wave] as number) + (this.slopes[wave] as number) * (instant - index * length)
    }
    return sum
  }
}

/** The price at an instant in ticks, with its fraction. */
export const levelOf = (instrument: Instrument): ((instant: number) => number) => {
  const { model } = instrument
  const size = tickSize(instrument)
  switch (model._tag) {
    case "Walk": {
      const walk = new Walk(instrument.seed)
      return (instant) => (model.level / size) * (1 + model.swing * walk.at(instant))
    }
    case "Option": {
      const { expiresAt, right, strike, underlying } = instrument
      if (underlying === null || right === "") throw new Error(`${instrument.name} has nothing beneath it`)
      const spot = levelOf(underlying)
      const end = expiresAt ?? 0
      return (instant) =>
        optionValue(right, priceOf(underlying, spot(instant)), strike, yearsBetween(instant, end), model.volatility)
          .price / size
    }
    case "Legs": {
      const legs = model.legs.map(({ of, ratio }) => ({ level: levelOf(of), size: tickSize(of), ratio }))
      return (instant) => legs.reduce((sum, leg) => sum + leg.ratio * leg.level(instant) * leg.size, 0) / size
    }
  }
}
