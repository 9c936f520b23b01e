/** The tape of trades that were recorded. Quotes are not among them: each trade is taken to be at the bid or, when it is dearer than the one before, at the ask. */
import type { Tape, Visit } from "./Tape.ts"

export interface Recording {
  /** What was traded, as the market lists it. */
  readonly symbol: string
  /** Places of its prices. */
  readonly decimals: number
  /** UTC epoch milliseconds, ascending. */
  readonly times: Float64Array
  /** In units of the last place. */
  readonly prices: Int32Array
  readonly sizes: Float64Array
  /** Where and under which conditions, as indices into the two lists. */
  readonly venues: Uint16Array
  readonly exchanges: ReadonlyArray<string>
  readonly conditions: ReadonlyArray<string>
}

export class RecordedTape implements Tape {
  readonly venues: ReadonlyArray<string>
  private readonly recording: Recording
  /** Units of the last place that a quote moves by. */
  private readonly step: number

  constructor(recording: Recording) {
    this.recording = recording
    this.venues = recording.exchanges
    this.step = 10 ** Math.max(0, recording.decimals - 2)
  }

  conditionOf(venue: number): string {
    return this.recording.conditions[venue] ?? ""
  }

  /** The first trade at or after an instant. */
  private indexOf(at: number): number {
    const { times } = this.recording
    let low = 0
    let high = times.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }

  each(from: number, to: number, visit: Visit): void {
    const { prices, sizes, times, venues } = this.recording
    for (let index = this.indexOf(from); index < times.length; index++) {
      const at = times[index] ?? 0
      if (at >= to) return
      const price = prices[index] ?? 0
      const size = sizes[index] ?? 0
      const isDearer = price > (prices[index - 1] ?? price)
      const bid = Math.floor(price / this.step) * this.step - (isDearer ? this.step : 0)
      visit(at, bid, bid + this.step, size, size, price, size, venues[index] ?? 0)
    }
  }

  nextAfter(at: number): number {
    return this.recording.times[this.indexOf(at + 1)] ?? Number.POSITIVE_INFINITY
  }
}
