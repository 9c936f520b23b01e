import type { ConsumerPolicy } from "../../domain/streams/ConsumerPolicy.ts"
import { isRows, type RowEvent, type StreamItem } from "../../domain/streams/StreamEvent.ts"

/** Words of vendors, gaps and the like, that may wait for a consumer. They are never dropped, so one that leaves more is too slow. */
const mostWords = 1_024

/** Rows of gaps that may wait for a consumer beside those that its policy counts, unless they came at once. */
const mostBulk = 250_000

/**
 * What waits for one consumer that wants rows one by one. Pieces are shared with the other consumers and never copied, unless a part of
 * one is dropped.
 */
export class Backlog {
  readonly #policy: Exclude<ConsumerPolicy, { readonly _tag: "latest" }>
  #items: Array<StreamItem> = []
  #rows = 0
  #bulk = 0
  #words = 0
  readonly #dropped = new Map<number, number>()

  constructor(policy: Exclude<ConsumerPolicy, { readonly _tag: "latest" }>) {
    this.#policy = policy
  }

  get rows(): number {
    return this.#rows + this.#bulk
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /**
   * How many rows were dropped for it; null: there is no room, and nothing was changed. For `bulk`, which comes at once however many rows it has, a lossless
   * backlog has room beyond its policy, but not for one after another while nobody takes any.
   */
  push(item: StreamItem, bulk: boolean): number | null {
    if (!isRows(item.event)) {
      if (this.#words >= mostWords) return null
      this.#words++
      this.#items.push(item)
      return 0
    }
    const { length } = item.event.rows
    if (bulk && this.#policy._tag === "lossless") {
      if (this.#bulk > 0 && this.#bulk + length > Math.max(mostBulk, this.#policy.rows)) return null
      this.#items.push(item)
      this.#bulk += length
      return 0
    }
    const over = this.#rows + length - this.#policy.rows
    if (over > 0 && this.#rows > 0 && this.#policy._tag === "lossless") return null
    this.#items.push(item)
    this.#rows += length
    return over > 0 && this.#policy._tag === "sliding" ? this.#drop(over) : 0
  }

  /** All that waits, oldest first. */
  takeAll(): Array<StreamItem> {
    const items = this.#items
    this.#items = []
    this.#rows = 0
    this.#bulk = 0
    this.#words = 0
    if (this.#dropped.size === 0) return items
    const told = items.map((item) => {
      const dropped = this.#dropped.get(item.stream)
      if (dropped === undefined || !isRows(item.event)) return item
      this.#dropped.delete(item.stream)
      return { stream: item.stream, event: { ...item.event, dropped } }
    })
    return told
  }

  #drop(over: number): number {
    let left = over
    const kept: Array<StreamItem> = []
    for (const item of this.#items) {
      if (left === 0 || !isRows(item.event)) {
        kept.push(item)
        continue
      }
      const going = Math.min(left, item.event.rows.length)
      left -= going
      this.#rows -= going
      this.#dropped.set(item.stream, (this.#dropped.get(item.stream) ?? 0) + going)
      if (going < item.event.rows.length) {
        const event = { ...item.event, rows: item.event.rows.slice(going) } as RowEvent
        kept.push({ stream: item.stream, event })
      }
    }
    this.#items = kept
    return over
  }
}
