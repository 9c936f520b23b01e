/**
 * How many subscriptions of a sort an account has at once, who has a place, and who waits for one.
 *
 * Queueing: who finds no place free waits, in the order of arrival, and gets one as soon as another is given up. Whoever the gateway refuses in spite of a place waits
 * in front of all, since it came before them.
 *
 * Hard cases. A question that needs a line for a moment waits among the streams (LineLease). IB counts the windows of its own programs in, and says nothing of how many there are: a refusal teaches that there are no more than those that are
 * had. It does not say either when there are more again, so the number grows by one now and then (`grow`), up to what was configured, and the next refusal shrinks
 * it. A place is free when its cancel has been sent, not when it was decided on: what is sent after it finds the line free.
 */

export type LineSort = "market-data" | "depth" | "tick-by-tick"
export const lineSorts: ReadonlyArray<LineSort> = ["market-data", "depth", "tick-by-tick"]

/** Subscriptions at once, of each sort. */
export type LineLimits = Readonly<Record<LineSort, number>>

export class LineQuota<Line> {
  readonly sort: LineSort
  readonly #most: number
  #limit: number
  readonly #holders = new Set<Line>()
  #waiting: Array<Line> = []

  constructor(sort: LineSort, most: number) {
    this.sort = sort
    this.#most = most
    this.#limit = most
  }

  /** What is known of the limit now. */
  get limit(): number {
    return this.#limit
  }

  /** As in `100 lines for market-data data`. */
  get lines(): string {
    return `${this.#limit} lines for ${this.sort} data`
  }

  get held(): number {
    return this.#holders.size
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get isShrunk(): boolean {
    return this.#limit < this.#most
  }

  /** True: it has a place. False: it waits for one, behind all others. */
  take(line: Line): boolean {
    if (this.#holders.has(line)) return true
    if (this.#waiting.length > 0 || this.#holders.size >= this.#limit) {
      if (!this.#waiting.includes(line)) this.#waiting.push(line)
      return false
    }
    this.#holders.add(line)
    return true
  }

  /** The gateway has none for it: it waits in front of all others. */
  refuse(line: Line): void {
    this.#holders.delete(line)
    this.#limit = Math.min(this.#limit, this.#holders.size)
    this.#waiting = [line, ...this.#waiting.filter((one) => one !== line)]
  }

  /** Who has one now in place of one that does not need it any more. */
  release(line: Line): ReadonlyArray<Line> {
    this.#waiting = this.#waiting.filter((one) => one !== line)
    this.#holders.delete(line)
    return this.#admit()
  }

  /** One more may be tried; who tries it. */
  grow(): ReadonlyArray<Line> {
    this.#limit = Math.min(this.#most, this.#limit + 1)
    return this.#admit()
  }

  /** Nobody has or wants one; what was learned is kept. */
  clear(): void {
    this.#holders.clear()
    this.#waiting = []
  }

  #admit(): ReadonlyArray<Line> {
    const admitted: Array<Line> = []
    while (this.#holders.size < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#holders.add(next)
      admitted.push(next)
    }
    return admitted
  }
}
