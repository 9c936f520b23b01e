/**
 * A book as IB tells it, change by change, and what it is at an instant. A change names its row by the place it has on its side: 0 inserts (what stood there
 * and below moves down), 1 overwrites, 2 takes out (what stood below moves up).
 *
 * Hard cases. A change to a row that is not there: something was missed, and from then on every row could be another's; the book cannot be gone on with, and
 * has to be asked for again. A row to be taken out behind the last: nothing is missing, and nothing happens. A book that the gateway has lost sight of
 * for a while (`tear`) may have changed without a word: whatever comes for it is no part of what is held here.
 */
import type { Book, BookLevel } from "../../../domain/streams/StreamRow.ts"
import { sizeOf } from "./numbers.ts"

const insert = 0
const update = 1
const remove = 2

export class BookState {
  readonly #most: number
  #bids: Array<BookLevel> = []
  #asks: Array<BookLevel> = []
  #changed = false
  #torn = false

  /** `most`: rows that a side has at most. */
  constructor(most: number) {
    this.#most = most
  }

  /** As it is before the first change. */
  clear(): void {
    this.#bids = []
    this.#asks = []
    this.#changed = false
    this.#torn = false
  }

  tear(): void {
    this.clear()
    this.#torn = true
  }

  /** `side`: 0 asks, 1 bids. Returns what is wrong with a change that cannot be; it was not made. */
  change(place: number, operation: number, side: number, price: number, size: number | undefined): string | null {
    if (this.#torn) return "it changes a book that was not followed for a while"
    const rows = side === 1 ? this.#bids : this.#asks
    if (!Number.isInteger(place) || place < 0) return `there is no row ${place}`
    if (operation === remove) {
      if (place >= rows.length) return null
      rows.splice(place, 1)
      this.#changed = true
      return null
    }
    if (!Number.isFinite(price)) return `a row has the price ${price}`
    const level: BookLevel = [price, sizeOf(size) ?? 0]
    if (operation === insert ? place > rows.length : place >= rows.length) {
      return `it changes row ${place} of a side that has ${rows.length}`
    }
    if (operation === insert) {
      rows.splice(place, 0, level)
      if (rows.length > this.#most) rows.length = this.#most
    } else if (operation === update) rows[place] = level
    else return `there is no operation ${operation}`
    this.#changed = true
    return null
  }

  /** As it is now, if that is another than the last that was taken; an object that nobody changes. */
  take(millis: number): Book | null {
    if (!this.#changed) return null
    this.#changed = false
    return { tsNs: BigInt(Math.round(millis)) * 1_000_000n, bids: this.#bids.slice(), asks: this.#asks.slice() }
  }
}
