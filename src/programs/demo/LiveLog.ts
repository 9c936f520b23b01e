/** What happens to the live part of the demo, as sentences with the second in which it happened; and the count of its trades. */
import { isRows, type StreamEvent } from "../../domain/streams/StreamEvent.ts"
import { millisOf, type StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { counted } from "../format/Numbers.ts"

const clock = (millis: EpochMillis): string => new Date(millis).toISOString().slice(11, 19)

export class LiveLog {
  readonly said: Array<{ readonly second: number; readonly text: string }> = []
  /** Of the tape: from when on all was promised, how far that has come, and what of it was told as missing. */
  from: EpochMillis | null = null
  through: EpochMillis = Number.NEGATIVE_INFINITY
  readonly missing: Array<TimeRange> = []
  readonly rows: Array<StreamRow> = []
  repaired: { readonly from: EpochMillis; readonly to: EpochMillis; readonly rows: number } | null = null
  readonly #began: EpochMillis
  readonly #told = new Set<string>()
  #broken: EpochMillis | null = null

  constructor(began: EpochMillis) {
    this.#began = began
  }

  say(now: EpochMillis, text: string): void {
    this.said.push({ second: Math.max(0, Math.floor((now - this.#began) / 1_000)), text })
  }

  /** Said of the first of several streams to which the same happens. */
  #once(now: EpochMillis, what: string, text: string): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    this.say(now, text)
  }

  /** Of a quote. What it was in a gap nobody keeps. */
  quote(now: EpochMillis, event: StreamEvent): void {
    if (event._tag === "Gap") {
      this.#once(now, "stale", "the quotes are marked stale: what is shown may not hold any more")
    }
    if (event._tag === "Unrepairable") {
      this.#once(now, "fresh", "the quotes are fresh again; what they were in between nobody keeps, and that is told")
    }
  }

  /** Of the trades. */
  trades(now: EpochMillis, event: StreamEvent): void {
    if (isRows(event)) {
      if (event.through !== null) this.through = Math.max(this.through, event.through)
      if (!event.snapshot) this.rows.push(...event.rows)
      return
    }
    switch (event._tag) {
      case "Started":
        this.from ??= event.through
        break
      case "Gap":
        this.#broken ??= event.from
        this.#once(now, "gap", `a gap is told: from ${clock(event.from)} on trades may be missing`)
        break
      case "Resumed":
        this.#once(
          now,
          "resumed",
          "a new connection, and everything is asked for again; new trades wait for those of the gap"
        )
        break
      case "Repaired":
        this.through = Math.max(this.through, event.to)
        this.repaired = { from: event.from, to: event.to, rows: event.rows }
        this.say(
          now,
          `repaired: ${counted(event.rows, "trade")} between ${clock(event.from)} and ${clock(event.to)} came from history, each in its place`
        )
        break
      case "Unrepairable":
        this.through = Math.max(this.through, event.to)
        this.missing.push({ start: event.from, end: event.to })
        this.say(now, `${clock(event.from)} to ${clock(event.to)} is missing, and that is told: ${event.why}`)
    }
  }

  /** Whether a row is of the time about which all was said to be there. */
  counts(millis: EpochMillis): boolean {
    return (
      this.from !== null &&
      millis >= this.from &&
      millis < this.through &&
      !this.missing.some(({ end, start }) => start <= millis && millis < end)
    )
  }

  /** Trades that were told of that time. */
  get told(): number {
    return this.rows.filter((row) => this.counts(millisOf(row))).length
  }
}
