import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import { millisOf, type StreamRow, shapeOf } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

/**
 * The rows that a tape has been given last, so that a second one of an identity is known: as far back as a gap, or a row that comes
 * late, can reach. At most `most` of them, whatever that is in time.
 */
export class Recent {
  readonly #shape: ReturnType<typeof shapeOf>
  readonly #span: number
  readonly #most: number
  #rows: Array<StreamRow> = []
  #head = 0
  #newest = Number.NEGATIVE_INFINITY
  #newestRow: StreamRow | null = null
  #forgotten = Number.NEGATIVE_INFINITY
  #ahead: Map<string, number> | null = null
  #aheadUntil = Number.NEGATIVE_INFINITY

  /** `span`: milliseconds behind the newest row that are remembered. */
  constructor(kind: StreamKind, span: number, most: number) {
    this.#shape = shapeOf(kind)
    this.#span = span
    this.#most = most
  }

  /** The stamp of the newest row; -Infinity before the first. */
  get newest(): EpochMillis {
    return this.#newest
  }

  /** Rows of this stamp and before may have been forgotten. */
  get forgotten(): EpochMillis {
    return this.#forgotten
  }

  /** Takes what comes live, and removes from `rows` what was told before: so many rows. */
  admit(rows: Array<StreamRow>): number {
    let repeated = 0
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]
      if (row === undefined) continue
      if (this.#repeats(row) || this.#wasAhead(row)) {
        repeated++
        continue
      }
      this.#add(row)
      if (repeated > 0) rows[index - repeated] = row
    }
    if (repeated > 0) rows.length -= repeated
    this.#trim()
    return repeated
  }

  /** Takes what is told for the first time. */
  remember(rows: ReadonlyArray<StreamRow>): void {
    for (const row of rows) this.#add(row)
    this.#trim()
  }

  /** So many more of these identities were told than came live: they may still come, with stamps up to `until`. */
  expect(ahead: Map<string, number>, until: EpochMillis): void {
    this.#ahead = ahead.size === 0 ? null : ahead
    this.#aheadUntil = until
  }

  #add(row: StreamRow): void {
    this.#rows.push(row)
    const millis = millisOf(row)
    if (millis > this.#newest) this.#newest = millis
    if (this.#newestRow === null || this.#shape.compare(row, this.#newestRow) > 0) this.#newestRow = row
  }

  /** Forgets what lies too far back; once a piece of rows, since it costs as much as there is to forget. */
  #trim(): void {
    const keep = this.#newest - this.#span
    while (this.#head < this.#rows.length) {
      const row = this.#rows[this.#head]
      if (row === undefined) break
      const millis = millisOf(row)
      if (millis >= keep && this.#rows.length - this.#head <= this.#most) break
      if (millis > this.#forgotten) this.#forgotten = millis
      this.#head++
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#head)
      this.#head = 0
    }
  }

  /** True where the vendor tells its rows apart and this one was there before. */
  #repeats(row: StreamRow): boolean {
    const newest = this.#newestRow
    if (newest === null || !this.#shape.unique(row)) return false
    // The usual case: later than all there was.
    if (this.#shape.compare(row, newest) > 0) return false
    const millis = millisOf(row)
    const identity = this.#shape.identity(row)
    for (let index = this.#rows.length - 1; index >= this.#head; index--) {
      const other = this.#rows[index]
      if (other === undefined || millisOf(other) !== millis) continue
      if (this.#shape.identity(other) === identity) return true
    }
    return false
  }

  #wasAhead(row: StreamRow): boolean {
    const ahead = this.#ahead
    if (ahead === null) return false
    if (millisOf(row) > this.#aheadUntil) {
      this.#ahead = null
      return false
    }
    if (this.#shape.unique(row)) return false
    const identity = this.#shape.identity(row)
    const left = ahead.get(identity) ?? 0
    if (left === 0) return false
    ahead.set(identity, left - 1)
    return true
  }

  /** Rows of this stamp and after, in the order in which they came. */
  since(millis: EpochMillis): ReadonlyArray<StreamRow> {
    const rows: Array<StreamRow> = []
    for (let index = this.#head; index < this.#rows.length; index++) {
      const row = this.#rows[index]
      if (row !== undefined && millisOf(row) >= millis) rows.push(row)
    }
    return rows
  }
}
