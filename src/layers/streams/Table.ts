import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import { hasOneSlot, type StreamRow, shapeOf } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

/** Words that are kept for those who have not read them yet; who falls further behind is told that there were more. */
const keptWords = 128

const noWords: ReadonlyArray<never> = []
const noSlots: ReadonlyArray<never> = []

interface Slot {
  row: StreamRow
  version: number
}

interface Word {
  readonly version: number
  readonly at: EpochMillis
  readonly event: LifecycleEvent
}

/** What has changed since a version, oldest first: words, and the newest rows between them. */
export interface Changes {
  readonly pieces: ReadonlyArray<LifecycleEvent | ReadonlyArray<StreamRow>>
  /** Words that are not kept any more were said in this time; null: none. */
  readonly missed: { readonly from: EpochMillis; readonly to: EpochMillis } | null
}

/**
 * How one stream stands: the newest row of each slot and the last words about it, each with the version at which it came. One table serves
 * every consumer that wants what holds: it remembers a version and reads what is newer.
 */
export class Table {
  readonly #shape: ReturnType<typeof shapeOf>
  readonly #late: boolean
  readonly #slots: Map<string, Slot> | null
  /** The only slot of a kind that has one. */
  #only: Slot | null = null
  #words: ReadonlyArray<Word> = noWords
  #lostAt = 0
  #lost: { from: EpochMillis; to: EpochMillis } | null = null
  version = 0

  /** `late`: rows may come after newer ones, and then change nothing. */
  constructor(kind: StreamKind, late: boolean) {
    this.#shape = shapeOf(kind)
    this.#late = late
    this.#slots = hasOneSlot(kind) ? null : new Map()
  }

  /** Rows that came together, as one version. */
  put(rows: ReadonlyArray<StreamRow>): void {
    this.version++
    for (const row of rows) {
      const name = this.#slots === null ? "" : this.#shape.slot(row)
      const slot = this.#slots === null ? this.#only : this.#slots.get(name)
      if (slot === undefined || slot === null) {
        const made = { row, version: this.version }
        if (this.#slots === null) this.#only = made
        else this.#slots.set(name, made)
        continue
      }
      if (this.#late && this.#shape.compare(row, slot.row) < 0) continue
      slot.row = row
      slot.version = this.version
    }
  }

  say(event: LifecycleEvent, at: EpochMillis): void {
    this.version++
    const word = { version: this.version, at, event }
    const first = this.#words[0]
    if (this.#words.length < keptWords || first === undefined) this.#words = [...this.#words, word]
    else {
      this.#words = [...this.#words.slice(1), word]
      this.#lostAt = first.version
      this.#lost = { from: this.#lost?.from ?? first.at, to: at }
    }
  }

  /** Slots that nothing has come for since a version are gone. */
  forgetBefore(version: number): void {
    if (this.#only !== null && this.#only.version <= version) this.#only = null
    for (const [name, slot] of this.#slots ?? []) if (slot.version <= version) this.#slots?.delete(name)
  }

  get rows(): ReadonlyArray<StreamRow> {
    return Array.from(this.#standing(), ({ row }) => row)
  }

  #standing(): Iterable<Slot> {
    return this.#slots?.values() ?? (this.#only === null ? noSlots : [this.#only])
  }

  since(version: number): Changes {
    const missed = version < this.#lostAt ? this.#lost : null
    const changed: Array<Slot> = []
    for (const slot of this.#standing()) if (slot.version > version) changed.push(slot)
    if (changed.length > 1) changed.sort((a, b) => a.version - b.version)
    // Rows come all the time, words seldom.
    const last = this.#words[this.#words.length - 1]
    const words =
      last === undefined || last.version <= version ? noWords : this.#words.filter((word) => word.version > version)
    const pieces: Array<LifecycleEvent | ReadonlyArray<StreamRow>> = []
    let next = 0
    const rowsUntil = (bound: number) => {
      const rows: Array<StreamRow> = []
      for (; next < changed.length; next++) {
        const slot = changed[next]
        if (slot === undefined || slot.version > bound) break
        rows.push(slot.row)
      }
      if (rows.length > 0) pieces.push(rows)
    }
    for (const word of words) {
      rowsUntil(word.version)
      pieces.push(word.event)
    }
    rowsUntil(Number.POSITIVE_INFINITY)
    return { pieces, missed }
  }
}
