import type { QuotaWindow } from "../../domain/VendorLimits.ts"

/** Whoever an entry is planned for; an entry without one has been spent. */
export interface Holder {
  /** The planned instant; NaN when the plan for this holder was given up. */
  readonly planned: number
}

// Weights may be fractions; their sums are compared with this much slack, relative to the limit.
const slack = 1e-9

/**
 * What was spent, and what is planned to be, in one place (an account, or one contract of it): entries of (instant, weight) in
 * the order of their instants, with running sums, so that the weight in any window costs two binary searches.
 *
 * A window of `span` milliseconds that ends at `t` is `(t - span, t]`: what was spent at `s` counts until `s + span`, exclusive.
 */
export class SlidingLog {
  private times: Array<number> = []
  private weights: Array<number> = []
  private holders: Array<Holder | null> = []
  // sums[i] is the weight of entries 0 to i, on top of `base`, which keeps what was pruned so that pruning moves nothing.
  private sums: Array<number> = []
  private head = 0

  get isEmpty(): boolean {
    return this.head === this.times.length
  }

  /** The weight in `(at - span, at]`. */
  used(at: number, span: number): number {
    return this.sum(this.upTo(at)) - this.sum(this.upTo(at - span))
  }

  add(at: number, weight: number, holder: Holder | null): void {
    const index = this.upTo(at)
    if (index === this.times.length) {
      this.times.push(at)
      this.weights.push(weight)
      this.holders.push(holder)
      this.sums.push(this.sum(index) + weight)
      return
    }
    const before = this.sum(index)
    this.times.splice(index, 0, at)
    this.weights.splice(index, 0, weight)
    this.holders.splice(index, 0, holder)
    this.sums.splice(index, 0, before)
    for (let i = index; i < this.sums.length; i++) this.sums[i] = (this.sums[i] ?? 0) + weight
  }

  /** Takes back one entry that was spent at `at`; nothing happens when it is not there any more. */
  giveBack(at: number, weight: number): void {
    let found = this.upTo(at) - 1
    while (found >= this.head && this.times[found] === at) {
      if (this.weights[found] === weight && this.holders[found] === null) break
      found--
    }
    if (found >= this.head && this.times[found] === at) this.filter(found, (index) => index !== found)
  }

  /** Drops the entries at or after `from` whose plan was given up. */
  dropUnplanned(from: number): void {
    this.filter(this.upTo(from - 1), (index) => !Number.isNaN(this.holders[index]?.planned ?? 0))
  }

  /** Forgets what was spent at `until` or before. */
  prune(until: number): void {
    this.head = Math.max(this.head, this.upTo(until))
    if (this.head < 64 || this.head * 2 < this.times.length) return
    const base = this.sum(this.head)
    this.times = this.times.slice(this.head)
    this.weights = this.weights.slice(this.head)
    this.holders = this.holders.slice(this.head)
    this.sums = this.sums.slice(this.head).map((sum) => sum - base)
    this.head = 0
  }

  /**
   * The first instant, not before `from`, at which `weight` can be added so that no window that holds it exceeds the limit:
   * neither one that ends then, nor one that ends later because of what is planned after it. The weight must not be above the
   * limit.
   */
  earliest(weight: number, window: QuotaWindow, from: number): number {
    const { limit, span } = window
    const room = limit - weight + limit * slack
    let at = from
    let entered = this.upTo(at)
    let left = this.upTo(at - span)
    let used = this.sum(entered) - this.sum(left)
    while (true) {
      // Too full: wait until the oldest one leaves. What is planned until then enters meanwhile.
      while (used > room && left < this.times.length) {
        at = Math.max(at, this.time(left) + span)
        entered = this.upTo(at)
        left = this.upTo(at - span)
        used = this.sum(entered) - this.sum(left)
      }
      const collision = this.firstAbove(room, span, entered, left, at + span)
      if (collision === null) return at
      at = collision
      entered = this.upTo(at)
      left = this.upTo(at - span)
      used = this.sum(entered) - this.sum(left)
    }
  }

  /** The first planned instant before `until`, at which the window holds more than `room` by itself. */
  private firstAbove(room: number, span: number, from: number, oldest: number, until: number): number | null {
    let left = oldest
    for (let i = from; i < this.times.length && this.time(i) < until; i++) {
      while (this.time(left) <= this.time(i) - span) left++
      if (this.sum(i + 1) - this.sum(left) > room) return this.time(i)
    }
    return null
  }

  private time(index: number): number {
    return this.times[index] ?? Number.POSITIVE_INFINITY
  }

  private sum(count: number): number {
    return count === 0 ? 0 : (this.sums[count - 1] ?? 0)
  }

  /** How many entries lie at or before `at`; pruned ones count. */
  private upTo(at: number): number {
    let low = this.head
    let high = this.times.length
    if (high > low && this.time(high - 1) <= at) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.time(middle) <= at) low = middle + 1
      else high = middle
    }
    return low
  }

  private filter(from: number, keeps: (index: number) => boolean): void {
    let to = from
    for (let i = from; i < this.times.length; i++) {
      if (!keeps(i)) continue
      const weight = this.weights[i] ?? 0
      this.times[to] = this.time(i)
      this.weights[to] = weight
      this.holders[to] = this.holders[i] ?? null
      this.sums[to] = this.sum(to) + weight
      to++
    }
    this.times.length = to
    this.weights.length = to
    this.holders.length = to
    this.sums.length = to
  }
}
