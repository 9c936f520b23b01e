/** What was done for streams of one vendor and kind, as the metrics show it; plain numbers, so that counting costs a row nothing. */
export interface Tally {
  rowsIn: number
  rowsOut: number
  /** Rows that one consumer or another was not given: dropped, or newer ones took their place before it looked. */
  rowsDropped: number
  rowsRepeated: number
  gaps: number
  gapSeconds: number
  repaired: number
  unrepairable: number
  slowConsumers: number
  opened: number
  /** Seconds that the newest row lay back when it was received. */
  lagSeconds: number
}

export const emptyTally = (): Tally => ({
  rowsIn: 0,
  rowsOut: 0,
  rowsDropped: 0,
  rowsRepeated: 0,
  gaps: 0,
  gapSeconds: 0,
  repaired: 0,
  unrepairable: 0,
  slowConsumers: 0,
  opened: 0,
  lagSeconds: 0
})
