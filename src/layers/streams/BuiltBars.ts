/**
 * Bars of a timeframe made of the shorter ones of a stream.
 *
 * Responsibilities: a bar is told when the stream that it is made of is complete through its end, and made of all that it was told for it. Queueing:
 * none; it holds the parts of bars that are not over, and of those that a gap may have left something out of.
 *
 * Hard cases: the stream begins in the middle of a bar (that one is not told: what it began with is not known); a gap (every bar from the one that it
 * began in is held back until the gap is over, its rows were had, and the bar that was open then is complete; a bar of which a part could not be
 * had is told to be missing, and never as whole); another gap meanwhile (one, of both); a stretch without a single part (no trade, no bar).
 */
import type { Bar } from "../../domain/Bar.ts"
import { mergedBar } from "../../domain/mergedBar.ts"
import type { LifecycleEvent, StreamEvent } from "../../domain/streams/StreamEvent.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { Rejected, Unavailable } from "../../services/Adapter.ts"
import type { StreamSink, ToldGap } from "../../services/StreamCapability.ts"

type Missing = Extract<LifecycleEvent, { readonly _tag: "Unrepairable" }>
type Part = ToldGap["parts"][number]

/** Neighbours that say the same, as one. */
const joined = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const joins: Array<Part> = []
  for (const part of parts) {
    const last = joins.at(-1)
    if (last !== undefined && last.why === part.why && last.job === part.job) {
      joins[joins.length - 1] = { ...last, end: part.end, rows: last.rows + part.rows }
    } else joins.push(part)
  }
  return joins
}

export class BuiltBars {
  readonly #timeframe: Timeframe.Timeframe
  readonly #sink: Pick<StreamSink, "row" | "event">
  readonly #parts = new Map<EpochMillis, Array<Bar>>()
  /** The first bar that is told begins here; null before the stream has begun. */
  #begin: EpochMillis | null = null
  /** Up to where the stream is complete. */
  #through: EpochMillis = Number.NEGATIVE_INFINITY
  /** From where on bars are held back, while the vendor does not send. */
  #gap: EpochMillis | null = null
  /** As `gap`, when it sends again: until the stream is complete through `to`. */
  #filling: { readonly from: EpochMillis; readonly to: EpochMillis } | null = null
  #missing: Array<Missing> = []

  constructor(timeframe: Timeframe.Timeframe, sink: Pick<StreamSink, "row" | "event">) {
    this.#timeframe = timeframe
    this.#sink = sink
  }

  /** What the stream of the shorter bars tells. */
  take(event: StreamEvent): void {
    switch (event._tag) {
      case "Bars":
        if (event.snapshot) break
        for (const bar of event.rows) this.#keep(bar)
        if (event.through !== null) this.#pass(event.through)
        break
      case "Started":
        this.#through = event.through
        this.#begin = Timeframe.ceil(this.#timeframe, event.through)
        this.#sink.event({ _tag: "Started", at: this.#begin })
        break
      case "Gap":
        this.#broke(event.from, event.reason)
        break
      case "Resumed":
        this.#resumed(event.at)
        break
      case "Unrepairable":
        this.#missing.push(event)
        this.#pass(event.to)
        break
      case "Repaired":
        this.#pass(event.to)
        break
      case "DataType":
        this.#sink.event({ _tag: "DataType", dataType: event.dataType })
        break
      case "Closed": {
        const { cause: message, retryable } = event
        const cause = retryable ? new Unavailable({ message }) : new Rejected({ message })
        this.#sink.event({ _tag: "Closed", retryable, cause })
        break
      }
    }
  }

  #keep(bar: Bar): void {
    if (this.#begin === null || bar.ts < this.#begin) return
    const at = Timeframe.floor(this.#timeframe, bar.ts)
    const parts = this.#parts.get(at)
    if (parts === undefined) this.#parts.set(at, [bar])
    else parts.push(bar)
  }

  #broke(from: EpochMillis, reason: string): void {
    if (this.#begin === null) return
    const held = this.#filling?.from ?? this.#gap ?? Number.POSITIVE_INFINITY
    this.#gap = Math.min(held, Math.max(this.#begin, Timeframe.floor(this.#timeframe, from)))
    this.#filling = null
    this.#sink.event({ _tag: "Gap", from: this.#gap, reason })
  }

  #resumed(at: EpochMillis): void {
    const from = this.#gap
    if (from === null) return
    const to = Math.max(at, from + 1)
    this.#gap = null
    this.#filling = { from, to: Timeframe.ceil(this.#timeframe, to) }
    this.#sink.event({ _tag: "Resumed", to })
  }

  #pass(to: EpochMillis): void {
    if (to > this.#through) this.#through = to
    if (this.#gap !== null) return
    if (this.#filling !== null) {
      if (this.#through < this.#filling.to) return
      this.#fill(this.#filling)
    }
    for (const at of [...this.#parts.keys()].sort((a, b) => a - b)) {
      if (Timeframe.periodEnd(this.#timeframe, at) > this.#through) break
      const bar = this.#made(at)
      if (bar !== null) this.#sink.row(bar)
    }
  }

  #fill({ from, to }: { readonly from: EpochMillis; readonly to: EpochMillis }): void {
    const rows: Array<Bar> = []
    const parts: Array<Part> = []
    for (let start = from; start < to; ) {
      const end = Timeframe.periodEnd(this.#timeframe, start)
      const lost = this.#missing.find((missing) => missing.from < end && missing.to > start)
      const bar = this.#made(start)
      if (lost === undefined && bar !== null) rows.push(bar)
      parts.push({
        start,
        end,
        why: lost?.why ?? null,
        rows: lost === undefined && bar !== null ? 1 : 0,
        job: lost?.job ?? null
      })
      start = end
    }
    this.#missing = []
    this.#filling = null
    this.#sink.event({ _tag: "Filled", rows, parts: joined(parts) })
  }

  /** The bar of its parts, which are kept no longer; null where it has none. */
  #made(at: EpochMillis): Bar | null {
    const [first, ...rest] = this.#parts.get(at) ?? []
    this.#parts.delete(at)
    return first === undefined ? null : mergedBar(at, [first, ...rest])
  }
}
