/**
 * Yahoo keeps prices as 32-bit floats and writes them as the 64-bit numbers they widen to: 129.04 arrives as
 * 129.0399932861328. What was meant is the shortest decimal that has this float, as every printer of floats finds it. It is as
 * exact as what Yahoo knows: the number of decimals that `priceHint` promises is not, since adjusted prices have more.
 */
const powers: Float64Array = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

export const power10 = (power: number): number => powers[power] ?? Number(`1e${power}`)

const inverses: Float64Array = powers.map((power) => 1 / power)

/** 10 to the power of -`power`, which is no double: only for what is rounded to 32 bits afterwards. */
export const inverse10 = (power: number): number => inverses[power] ?? Number.NaN

/** Floats up to here lie closer together than a cent, so that two decimals can be tried first. */
const centsApart = 65_536

/** The shortest decimal (as the double nearest to it) that becomes the float `value` when it is rounded to 32 bits. */
export const shortest = (value: number): number => {
  const magnitude = value < 0 ? -value : value
  for (let decimals = magnitude < centsApart ? 2 : 0; decimals <= 15; decimals++) {
    const power = powers[decimals] ?? 1
    const candidate = Math.round(magnitude * power) / power
    if (Math.fround(candidate) === magnitude) return value < 0 ? -candidate : candidate
  }
  return value
}

/** How far a widened float, converted from its 17 digits in two or three roundings, may be from itself. */
const tolerance = 2e-15

/** The decimal that is meant by a widened float of which `value` (from 0) is an approximation; NaN when it is no widened float. */
export const widenedFrom = (value: number): number => {
  const float = Math.fround(value)
  return Math.abs(value - float) <= float * tolerance ? shortest(float) : Number.NaN
}

/** The decimal that a double stands for when it is a widened float; any other double as it is. */
export const unwidened = (value: number): number => {
  const float = Math.fround(value)
  return Math.abs(value - float) <= Math.abs(float) * tolerance ? shortest(float) : value
}

/** The distance of a 32-bit float to the next one. */
const gapOf = (magnitude: number): number => {
  const exponent = Math.floor(Math.log2(magnitude))
  // At a power of two the logarithm may round to either side; the smaller gap is the safe one.
  return 2 ** ((2 ** exponent > magnitude ? exponent - 1 : exponent) - 23)
}

/**
 * The shortest decimal that a 32-bit float multiplied by `factor` can mean: the vendor divided a decimal by the factor and kept
 * the float nearest to it.
 */
export const shortestProduct = (value: number, factor: number): number => {
  const product = value * factor
  const half = value === 0 ? 0 : (gapOf(Math.abs(Math.fround(value))) / 2) * factor
  for (let decimals = 0; decimals <= 15; decimals++) {
    const power = powers[decimals] ?? 1
    const candidate = Math.round(product * power) / power
    if (Math.abs(candidate - product) <= half) return candidate
  }
  return product
}
