import { Deferred, Effect } from "effect"
import {
  BatchError,
  type BatchRow,
  BufferFull,
  type OverflowPolicy,
  ProcessorClosed,
  RowDropped
} from "../../services/BatchProcessor.ts"
import type { ImportKind } from "../../services/Imports.ts"

/** A row on its way in. `done` is completed when it is committed; null for one that is only offered. */
export interface Arriving extends BatchRow {
  readonly bytes: number
  readonly done: Deferred.Deferred<void, BatchError> | null
}

/** A row that is held. */
export interface Held extends Arriving {
  /** Among all rows of the buffer that were ever taken, from 1. */
  readonly place: number
  /** Milliseconds of a clock that is never set. */
  readonly takenAt: number
}

interface Producer {
  readonly row: Arriving
  readonly entered: Deferred.Deferred<void, BatchError>
}

const failed = (reason: BatchError["reason"]) => new BatchError({ reason })

/**
 * The rows of one kind between their producers and the flusher.
 *
 * Responsibilities: who gets in, in which order, and what happens when it is full. Queueing: first come first served; those who wait
 * for room (policy `suspend`) enter in the order in which they came, and one that is interrupted leaves no gap. At most `capacity` rows
 * are held, counting those that were taken for a batch and are not settled.
 *
 * Hard cases: a row is dropped (`dropOldest`) only while it waits, never when it is under way; where all that is held is under way the
 * newcomer is the one that is dropped. Closing fails those who wait for room; what is held stays for the flusher.
 */
export class RowBuffer {
  readonly kind: ImportKind
  readonly capacity: number
  private readonly overflow: OverflowPolicy
  private readonly now: () => number
  private readonly changed: () => void
  private readonly dropped: (row: Arriving) => void
  private rows: Array<Held> = []
  private head = 0
  private waiting: Array<Producer> = []
  private closed = false
  /** What was taken for a batch and is not settled. */
  underWay: ReadonlyArray<Held> = []
  /** Rows that were ever taken. */
  taken = 0
  bytes = 0
  droppedOldest = 0
  /** Rows that found no room. */
  refusedFull = 0
  /** Waiting rows whose producer waits for the commit. */
  submitted = 0

  constructor(options: {
    readonly kind: ImportKind
    readonly capacity: number
    readonly overflow: OverflowPolicy
    readonly now: () => number
    /** Called whenever there is more to flush, or room. */
    readonly changed: () => void
    /** Called for each row that has to go for a newer one, or finds no room beside what is under way. */
    readonly dropped?: (row: Arriving) => void
  }) {
    this.kind = options.kind
    this.capacity = options.capacity
    this.overflow = options.overflow
    this.now = options.now
    this.changed = options.changed
    this.dropped = options.dropped ?? (() => {})
  }

  get length(): number {
    return this.rows.length - this.head
  }

  /** Rows that are held. */
  get held(): number {
    return this.length + this.underWay.length
  }

  /** Every row up to this place is committed, dead-lettered or dropped. */
  get settledThrough(): number {
    const oldest = this.underWay[0] ?? this.rows[this.head]
    return oldest === undefined ? this.taken : oldest.place - 1
  }

  /** When the oldest waiting row was taken; null when there is none. */
  get oldest(): number | null {
    return this.rows[this.head]?.takenAt ?? null
  }

  enter(row: Arriving): Effect.Effect<void, BatchError> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.fail(failed(new ProcessorClosed()))
      if (this.held < this.capacity && this.waiting.length === 0) {
        this.add(row)
        return Effect.void
      }
      switch (this.overflow) {
        case "fail":
          this.refusedFull++
          return Effect.fail(failed(new BufferFull({ kind: this.kind, capacity: this.capacity })))
        case "dropOldest":
          return this.dropFor(row)
        case "suspend":
          return this.wait(row)
      }
    })
  }

  private add(row: Arriving): void {
    this.taken++
    this.rows.push({ ...row, place: this.taken, takenAt: this.now() })
    this.bytes += row.bytes
    if (row.done !== null) this.submitted++
    this.changed()
  }

  private dropFor(row: Arriving): Effect.Effect<void, BatchError> {
    this.droppedOldest++
    const dropped = failed(new RowDropped({ kind: this.kind }))
    const oldest = this.shift()
    this.dropped(oldest ?? row)
    if (oldest === undefined) return row.done === null ? Effect.void : Effect.fail(dropped)
    if (oldest.done !== null) Deferred.doneUnsafe(oldest.done, Effect.fail(dropped))
    this.add(row)
    return Effect.void
  }

  private wait(row: Arriving): Effect.Effect<void, BatchError> {
    const producer: Producer = { row, entered: Deferred.makeUnsafe() }
    this.waiting.push(producer)
    return Effect.onInterrupt(Deferred.await(producer.entered), () =>
      Effect.sync(() => {
        this.waiting = this.waiting.filter((other) => other !== producer)
      })
    )
  }

  private shift(): Held | undefined {
    const held = this.rows[this.head]
    if (held === undefined) return undefined
    this.head++
    this.bytes -= held.bytes
    if (held.done !== null) this.submitted--
    if (this.head > 1_024 && this.head * 2 > this.rows.length) {
      this.rows = this.rows.slice(this.head)
      this.head = 0
    }
    return held
  }

  /** The next batch, in order; they are under way until `settle`. At least one row, where there is any. */
  take(maxRows: number, maxBytes: number): ReadonlyArray<Held> {
    const batch: Array<Held> = []
    let bytes = 0
    while (batch.length < maxRows) {
      const next = this.rows[this.head]
      if (next === undefined || (batch.length > 0 && bytes + next.bytes > maxBytes)) break
      this.shift()
      bytes += next.bytes
      batch.push(next)
    }
    this.underWay = [...this.underWay, ...batch]
    return batch
  }

  /** These rows are not under way any more; those who wait for room enter. */
  settle(rows: ReadonlyArray<Held>): void {
    // Batches are halved from the front, so what is settled is what was taken first.
    this.underWay = this.underWay.slice(rows.length)
    while (this.waiting.length > 0 && this.held < this.capacity) {
      const producer = this.waiting.shift()
      if (producer === undefined) break
      this.add(producer.row)
      Deferred.doneUnsafe(producer.entered, Effect.void)
    }
    this.changed()
  }

  /** Nobody enters any more; what is held stays. */
  close(): void {
    this.closed = true
    for (const { entered } of this.waiting) Deferred.doneUnsafe(entered, Effect.fail(failed(new ProcessorClosed())))
    this.waiting = []
    this.changed()
  }
}
