/**
 * The responses that were given out of late, to be decoded and committed: a gc leaves them alone, because the market store may be
 * about to refer to them.
 *
 * An id is kept for ten to twenty minutes, which decoding and committing one answer never takes, and for as long as a gc runs.
 * Memory: 50 bytes for each different response that was given out in that time.
 */
const turnMillis = 600_000

export interface HandedOut {
  readonly add: (response: number) => void
  readonly has: (response: number) => boolean
  /** While one is held nothing is let go of; returns what ends the hold. */
  readonly hold: () => () => void
}

export const make = (): HandedOut => {
  let now = new Set<number>()
  let before = new Set<number>()
  let turnedAt = performance.now()
  let held = 0
  const turn = () => {
    const at = performance.now()
    if (held > 0 || at - turnedAt < turnMillis) return
    before = at - turnedAt < 2 * turnMillis ? now : new Set()
    now = new Set()
    turnedAt = at
  }
  return {
    add: (response) => {
      turn()
      now.add(response)
    },
    has: (response) => now.has(response) || before.has(response),
    hold: () => {
      held++
      return () => {
        held--
      }
    }
  }
}
