import { Array as Arr, Cause, Effect } from "effect"
import type { ConsumerPolicy } from "../../domain/streams/ConsumerPolicy.ts"
import { isRows, type StreamEvent, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { MarketStreamsError, SlowConsumer } from "../../services/MarketStreams.ts"
import { Backlog } from "./Backlog.ts"
import type { Tap } from "./Tap.ts"
import type { Turns, Wakeable } from "./Turns.ts"

const none: Array<never> = []

/**
 * One subscriber. It takes what waits; those who want every row have a backlog of their own, those who want what holds have marks on the
 * topics that changed, and read these when they wake.
 */
export class Consumer implements Wakeable {
  readonly #turns: Turns
  readonly #backlog: Backlog | null
  #taps: Array<Tap> = none
  #dirty: Array<Tap> = none
  #open = 0
  #slow: SlowConsumer | null = null
  #waiter: (() => void) | null = null
  #waking = false
  /** See Subscription. */
  readonly take: Effect.Effect<ReadonlyArray<StreamItem>, MarketStreamsError>

  constructor(policy: ConsumerPolicy, turns: Turns) {
    this.#turns = turns
    this.#backlog = policy._tag === "latest" ? null : new Backlog(policy)
    this.take = Effect.callback((resume) => this.#answer(resume))
  }

  /** True of those who are told by marks. */
  get latest(): boolean {
    return this.#backlog === null
  }

  /** Rows that wait for it. */
  get depth(): number {
    return this.#backlog?.rows ?? 0
  }

  /** The place of the next stream among its streams. */
  get streams(): number {
    return this.#taps.length
  }

  join(tap: Tap): void {
    if (this.#taps.length === 0) this.#taps = [tap]
    else this.#taps.push(tap)
    this.#open++
  }

  /** Something of a tap is to be read. */
  mark(tap: Tap): void {
    if (tap.dirty || this.#slow !== null) return
    tap.dirty = true
    if (this.#dirty.length === 0) this.#dirty = [tap]
    else this.#dirty.push(tap)
    this.#wakeLater()
  }

  /**
   * Something happened; `from` is its instant, for who is told that it was not given it. `bulk`: it came at once and not at the pace of the
   * vendor, so that nobody is too slow for it.
   */
  give(tap: Tap, event: StreamEvent, from: EpochMillis | null, bulk: boolean): void {
    if (this.#backlog === null || this.#slow !== null) return
    const dropped = this.#backlog.push({ stream: tap.stream, event }, bulk)
    if (dropped === null) {
      this.#slow = new SlowConsumer({ rows: this.#backlog.rows, stream: tap.stream, from })
      tap.audience.slow(this.#backlog.rows)
      this.leave()
    } else {
      tap.audience.dropped(dropped)
    }
    this.#wakeLater()
  }

  /** No more of this tap. */
  close(tap: Tap): void {
    if (tap.closed) return
    tap.closed = true
    this.#open--
    this.#wakeLater()
  }

  leave(): void {
    for (const tap of this.#taps) tap.leave()
  }

  wake(): void {
    this.#waking = false
    const waiter = this.#waiter
    this.#waiter = null
    waiter?.()
  }

  /** As a stream is pulled. */
  get pull(): Effect.Effect<Arr.NonEmptyReadonlyArray<StreamItem>, MarketStreamsError | Cause.Done<void>> {
    return Effect.flatMap(this.take, (items) =>
      Arr.isReadonlyArrayNonEmpty(items) ? Effect.succeed(items) : Cause.done()
    )
  }

  /** With what there is, or looks again as soon as it is woken. */
  #answer(resume: (taken: Consumer["take"]) => void): Effect.Effect<void> | undefined {
    const items = this.#read()
    if (items.length > 0 || (this.#open === 0 && this.#slow === null)) {
      resume(Effect.succeed(items))
      return undefined
    }
    if (this.#slow !== null) {
      resume(Effect.fail(new MarketStreamsError({ reason: this.#slow })))
      return undefined
    }
    const waiter = () => resume(this.take)
    this.#waiter = waiter
    return Effect.sync(() => {
      if (this.#waiter === waiter) this.#waiter = null
    })
  }

  #read(): ReadonlyArray<StreamItem> {
    if (this.#backlog !== null) {
      if (this.#backlog.isEmpty) return []
      return this.#count(this.#backlog.takeAll())
    }
    if (this.#dirty.length === 0) return []
    const dirty = this.#dirty
    this.#dirty = none
    const items: Array<StreamItem> = []
    for (const tap of dirty) {
      tap.dirty = false
      tap.read(items)
    }
    return this.#count(items)
  }

  #count(items: ReadonlyArray<StreamItem>): ReadonlyArray<StreamItem> {
    for (const { event, stream } of items) {
      const tap = this.#taps[stream]
      if (tap !== undefined && isRows(event)) tap.audience.tally.rowsOut += event.rows.length
    }
    return items
  }

  #wakeLater(): void {
    if (this.#waking || this.#waiter === null) return
    this.#waking = true
    this.#turns.wakeLater(this)
  }
}
