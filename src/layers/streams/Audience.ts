import { type LifecycleEvent, type RowEvent, rowsOf, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import { millisOf, type StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { Consumer } from "./Consumer.ts"
import { Few } from "./Few.ts"
import { Table } from "./Table.ts"
import type { Tally } from "./Tally.ts"
import { Tap } from "./Tap.ts"
import type { AudienceDuties } from "./topicParts.ts"

const noWords: ReadonlyArray<never> = []

/**
 * All who are told of one stream. What is said here reaches each consumer in this order: those who want every row by their backlogs, those
 * who want what holds by the table, which they read when they wake.
 */
export class Audience {
  readonly #kind: StreamKind
  readonly tally: Tally
  readonly #now: () => EpochMillis
  readonly #duties: AudienceDuties
  readonly #taps = new Few<Tap>()
  readonly #table: Table
  #receivedAt: EpochMillis
  #began: EpochMillis | null = null
  /** The complete-through watermark; null before the stream has begun. */
  through: EpochMillis | null = null

  /** `late`: rows may come after newer ones. */
  constructor(kind: StreamKind, late: boolean, tally: Tally, now: () => EpochMillis, duties: AudienceDuties) {
    this.#duties = duties
    this.#kind = kind
    this.tally = tally
    this.#now = now
    this.#table = new Table(kind, late)
    this.#receivedAt = now()
  }

  get size(): number {
    return this.#taps.size
  }

  /** Rows that wait for the slowest of those who want every one. */
  get waiting(): number {
    let most = 0
    for (const { consumer } of this.#taps) most = Math.max(most, consumer.depth)
    return most
  }

  /** Grows with whatever is told; see `forgetBefore`. */
  get version(): number {
    return this.#table.version
  }

  /** What was newest at that version and has not been renewed since is gone. */
  forgetBefore(version: number): void {
    this.#table.forgetBefore(version)
  }

  /** The watermark, where it has come further. */
  advance(to: EpochMillis): void {
    if (this.through === null || to > this.through) this.through = to
  }

  /** Without those of before the stream began, of which nobody was promised anything: what is fetched for a gap reaches beyond it. */
  promised(rows: ReadonlyArray<StreamRow>, gap: EpochMillis): ReadonlyArray<StreamRow> {
    const from = Math.min(gap, this.#began ?? gap)
    return rows.filter((row) => millisOf(row) >= from)
  }

  say(event: LifecycleEvent): void {
    const now = this.#now()
    if (event._tag === "Started") this.#began ??= event.through
    this.#table.say(event, now)
    for (const tap of this.#taps) {
      if (tap.consumer.latest) tap.consumer.mark(tap)
      else tap.consumer.give(tap, event, now, false)
    }
    this.#duties.said(event)
  }

  /** Rows that have just come. `held`: those who want every row get them later, in their place. */
  tell(rows: ReadonlyArray<StreamRow>, held: boolean): void {
    const newest = rows[rows.length - 1]
    if (newest === undefined) return
    this.#receivedAt = this.#now()
    this.tally.lagSeconds = Math.max(0, this.#receivedAt - millisOf(newest)) / 1_000
    this.#table.put(rows)
    for (const tap of this.#taps) if (tap.consumer.latest) tap.consumer.mark(tap)
    if (!held) this.#give(rows, false)
  }

  /** Rows that come late, all at once: no news to who wants what holds. */
  makeUp(rows: ReadonlyArray<StreamRow>): void {
    this.#give(rows, true)
  }

  #give(rows: ReadonlyArray<StreamRow>, bulk: boolean): void {
    const first = rows[0]
    if (first === undefined || this.#taps.size === 0) return
    const event = this.#event(rows, false, this.#now())
    for (const tap of this.#taps) if (!tap.consumer.latest) tap.consumer.give(tap, event, millisOf(first), bulk)
  }

  #event(rows: ReadonlyArray<StreamRow>, snapshot: boolean, receivedAt: EpochMillis): RowEvent {
    return rowsOf(this.#kind, rows, { through: this.through, receivedAt, snapshot, dropped: 0 })
  }

  /** From now on the consumer is told; first `words` about how things stand, and after the first two of them the newest rows. */
  join(consumer: Consumer, words: ReadonlyArray<LifecycleEvent>): Tap {
    const { rows, version } = this.#table
    const snapshot = rows.length === 0 ? [] : [this.#event(rows, true, this.#receivedAt)]
    const known = words.findIndex(({ _tag }) => _tag !== "Started" && _tag !== "DataType")
    const split = known === -1 ? words.length : known
    const greeting = [...words.slice(0, split), ...snapshot, ...words.slice(split)]
    const tap = new Tap(this, consumer, version, consumer.latest ? greeting : noWords)
    consumer.join(tap)
    if (!consumer.latest) for (const event of greeting) consumer.give(tap, event, null, true)
    else if (greeting.length > 0) consumer.mark(tap)
    this.#taps.add(tap)
    return tap
  }

  dropped(rows: number): void {
    if (rows === 0) return
    this.tally.rowsDropped += rows
    this.#duties.dropped(rows)
  }

  slow(waiting: number): void {
    this.tally.slowConsumers++
    this.#duties.slow(waiting)
  }

  /** No more is told to it. */
  leave(tap: Tap): void {
    this.#taps.delete(tap)
  }

  /** Adds what is newer than a version, oldest first. */
  readSince(version: number, stream: number, into: Array<StreamItem>): void {
    const { missed, pieces } = this.#table.since(version)
    if (missed !== null) {
      const why = "this consumer was away, and there was more than is kept for it"
      into.push({ stream, event: { _tag: "Unrepairable", from: missed.from, to: missed.to, why, job: null } })
    }
    for (const piece of pieces) {
      into.push({ stream, event: "_tag" in piece ? piece : this.#event(piece, false, this.#receivedAt) })
    }
  }

  /** Nothing more is told to anybody. */
  dismiss(): void {
    const taps = Array.from(this.#taps)
    this.#taps.clear()
    for (const tap of taps) tap.consumer.close(tap)
  }
}
