/** What one consumer was told of a tape, held against what happened, piece by piece as the watermark moves on. */
import { isRows, type StreamEvent } from "../../src/domain/streams/StreamEvent.ts"
import type { StreamKind } from "../../src/domain/streams/StreamKind.ts"
import { millisOf, type StreamRow, shapeOf } from "../../src/domain/streams/StreamRow.ts"
import type { TimeRange } from "../../src/domain/TimeRange.ts"
import { rowsCompared } from "./rowsCompared.ts"

/** The rows that a market had in [from, to). */
export type RowsOfMarket = (from: number, to: number) => ReadonlyArray<StreamRow>

export class TapeCheck {
  readonly name: string
  readonly problems: Array<string> = []
  /** Rows that were compared, and rows that came to mend a gap. */
  compared = 0
  repaired = 0
  gaps = 0
  /** Milliseconds that were told as unrepairable, and of all that was promised. */
  missed = 0
  promised = 0
  readonly #kind: StreamKind
  readonly #shape: ReturnType<typeof shapeOf>
  readonly #market: RowsOfMarket
  #told: Array<StreamRow> = []
  #missing: Array<TimeRange> = []
  /** What happened before the stream began is no part of it. */
  #from: number | null = null
  #checked: number | null = null
  #through = Number.NEGATIVE_INFINITY
  #newest: StreamRow | null = null

  constructor(kind: StreamKind, name: string, market: RowsOfMarket) {
    this.name = name
    this.#kind = kind
    this.#shape = shapeOf(kind)
    this.#market = market
  }

  hear(event: StreamEvent): void {
    if (isRows(event)) {
      if (event.snapshot) return
      if (event.through !== null) this.#through = Math.max(this.#through, event.through)
      for (const row of event.rows) this.#take(row)
      return
    }
    switch (event._tag) {
      case "Started":
        this.#from ??= event.through
        this.#checked ??= event.through
        break
      case "Gap":
        this.gaps++
        break
      case "Repaired":
        this.repaired += event.rows
        this.#through = Math.max(this.#through, event.to)
        break
      case "Unrepairable":
        this.#missing.push({ start: event.from, end: event.to })
        this.missed += event.to - event.from
        this.#through = Math.max(this.#through, event.to)
        break
      case "Closed":
        this.#problem(`ended: ${event.cause}`)
    }
  }

  #take(row: StreamRow): void {
    if (this.#newest !== null && this.#shape.compare(row, this.#newest) < 0) {
      this.#problem(`${at(millisOf(row))} came after ${at(millisOf(this.#newest))}`)
    }
    this.#newest = row
    if (this.#from === null || millisOf(row) < this.#from) return
    if (this.#checked !== null && millisOf(row) < this.#checked && !this.#isMissing(row)) {
      this.#problem(`${at(millisOf(row))} came when all before ${at(this.#checked)} was said to be there`)
    }
    this.#told.push(row)
  }

  /** Compares as far as all is said to be there, but for what was told as missing. */
  compare(): void {
    const from = this.#checked
    const to = this.#through
    if (from === null || to <= from) return
    const counts = (row: StreamRow) => millisOf(row) >= from && millisOf(row) < to && !this.#isMissing(row)
    const truth = this.#market(from, to).filter(counts)
    const { less, more } = rowsCompared(this.#kind, this.#told.filter(counts), truth)
    for (const row of more) this.#problem(`told and never happened, or told twice: ${row}`)
    for (const row of less) this.#problem(`happened and was not told: ${row}`)
    this.compared += truth.length
    this.promised += to - from
    this.#checked = to
    this.#told = this.#told.filter((row) => millisOf(row) >= to)
    this.#missing = this.#missing.filter(({ end }) => end > to - 3_600_000)
  }

  /** How far all is said to be there. */
  get through(): number {
    return this.#through
  }

  #isMissing(row: StreamRow): boolean {
    const millis = millisOf(row)
    return this.#missing.some(({ end, start }) => start <= millis && millis < end)
  }

  #problem(what: string): void {
    if (this.problems.length < 10) this.problems.push(`${this.name}: ${what}`)
  }
}

const at = (millis: number): string => new Date(millis).toISOString().slice(11, 23)
