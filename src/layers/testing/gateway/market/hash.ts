/** A number of 32 bits that follows from three, cheap enough for every second of years. */
export const mix = (seed: number, a: number, b: number): number => {
  let state = Math.imul(seed ^ Math.imul(a | 0, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(b | 0, 0xc2b2ae35)
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39)
  return (state ^ (state >>> 15)) >>> 0
}

/** The same as a share: from 0 to below 1. */
export const share = (seed: number, a: number, b: number): number => mix(seed, a, b) / 4_294_967_296

/** A seed for what has a name. */
export const seedOf = (seed: number, name: string): number => {
  let state = seed | 0
  for (let index = 0; index < name.length; index++) {
    state = Math.imul(state ^ name.charCodeAt(index), 0x01000193)
  }
  return mix(state, name.length, seed)
}
