import type { Bar } from "../../../domain/Bar.ts"

/** Gathers bars in the order of a file and gives them ascending, one per stamp; of two with one stamp the later row wins. */
export class BarCollector {
  private readonly bars: Array<Bar> = []
  private readonly positions: Array<number> = []
  private ordered = true
  private last = Number.NEGATIVE_INFINITY

  push(bar: Bar, position: number): void {
    if (bar.ts <= this.last) this.ordered = false
    this.last = bar.ts
    this.bars.push(bar)
    this.positions.push(position)
  }

  /** True when the rows ran from the newest to the oldest. */
  get descends(): boolean {
    const first = this.bars[0]
    return first !== undefined && first.ts > this.last
  }

  finish(): { readonly bars: ReadonlyArray<Bar>; readonly positions: ReadonlyArray<number> } {
    const { bars, positions } = this
    if (this.ordered) return { bars, positions }
    const newest = new Map<number, number>()
    for (const [index, bar] of bars.entries()) newest.set(bar.ts, index)
    const order = Array.from(newest.entries()).sort(([a], [b]) => a - b)
    const sorted: Array<Bar> = []
    const places: Array<number> = []
    for (const [, index] of order) {
      const bar = bars[index]
      if (bar === undefined) continue
      sorted.push(bar)
      places.push(positions[index] ?? 0)
    }
    return { bars: sorted, positions: places }
  }
}
