/**
 * One stream of a vendor, as all who want it see it.
 *
 * Responsibilities: what the upstream puts into the sink becomes, in that order, rows and words for every consumer; the table that those
 * read who want what holds; the state of the gap, if there is one; the complete-through watermark. It does nothing but keep this: opening
 * the upstream (upstream.ts) and fetching what a gap left out (repair.ts) are done by fibers that tell it what became of it.
 *
 * Queueing: what comes in a turn of the event loop waits until the next one and is worked off as a piece. Each consumer has its own
 * backlog (Backlog.ts). Rows of a tape that come while the rows of a gap are fetched are held, up to `held`; when there are more, the gap
 * is given up and they go on. Nothing here ever waits for anybody.
 *
 * Hard cases: rows that come in a gap, before anybody has said that it is over (they end it); a gap in the middle of a repair (one gap, of
 * which the whole is fetched when it is over); rows that both the history and the vendor bring, before the gap, in it or after it (told
 * once, see fuse.ts); rows of the vendor that the history had already told (`ahead`); a stream that ends while a gap is open (the gap is told as
 * Unrepairable first); one that joins while rows are held (it is told of the gap, and gets them with the others).
 */
import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { isTape } from "../../domain/streams/StreamKind.ts"
import { millisOf, type StreamRow } from "../../domain/streams/StreamRow.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { StreamState } from "../../services/MarketStreams.ts"
import type { StreamHistory, ToldGap, UpstreamEvent } from "../../services/StreamCapability.ts"
import { Audience } from "./Audience.ts"
import type { Consumer } from "./Consumer.ts"
import { fuse } from "./fuse.ts"
import { type Phase, wordsOf } from "./phase.ts"
import { Recent } from "./Recent.ts"
import type { Flushable } from "./Turns.ts"
import type { Filled, TopicDuties, TopicOptions, TopicShared } from "./topicParts.ts"

/** Rows that are remembered so that they are known again. */
const mostRemembered = 65_536

type Waiting = Array<StreamRow> | UpstreamEvent

const nothing: Array<never> = []

export class Topic implements Flushable {
  readonly key: StreamKey
  readonly #shared: TopicShared
  readonly #history: StreamHistory | null
  readonly #lateness: number
  readonly #duties: TopicDuties
  readonly #tape: boolean
  readonly #audience: Audience
  readonly #recent: Recent | null
  #waiting: Array<Waiting> = nothing
  #tail: Array<StreamRow> | null = null
  #scheduled = false
  #phase: Phase = { _tag: "starting" }
  #held: Array<StreamRow> = nothing
  #dataType: Extract<LifecycleEvent, { readonly _tag: "DataType" }> | null = null
  #resumedAt = 0
  /** What the vendor sends of itself has come whole, and holds. */
  #whole = false
  /** The vendor has no room for it; of a gap. */
  #waits = false
  #heardAt: EpochMillis | null = null
  #rows = 0
  #opened = 0
  #gaps = 0
  readonly #madeAt: EpochMillis

  constructor(shared: TopicShared, key: StreamKey, { history, lateness, tally }: TopicOptions, duties: TopicDuties) {
    this.key = key
    this.#shared = shared
    this.#history = history
    this.#lateness = lateness
    this.#duties = duties
    this.#tape = isTape(key.kind)
    this.#audience = new Audience(key.kind, lateness > 0, tally, shared.now, duties)
    this.#recent = this.#tape ? new Recent(key.kind, lateness + this.#overlap, mostRemembered) : null
    this.#madeAt = shared.now()
  }

  get #overlap(): number {
    return this.#history?.overlap ?? 0
  }

  // ---- the upstream's side

  /** A row into the sink. */
  row(row: StreamRow): void {
    if (this.#tail === null) {
      this.#tail = []
      this.#wait(this.#tail)
    }
    this.#tail.push(row)
  }

  rows(rows: ReadonlyArray<StreamRow>): void {
    if (rows.length === 0) return
    if (this.#tail === null) {
      this.#tail = rows.slice()
      this.#wait(this.#tail)
      return
    }
    for (const row of rows) this.#tail.push(row)
  }

  event(event: UpstreamEvent): void {
    this.#tail = null
    this.#wait(event)
  }

  /** Another attempt to open it is under way. */
  opening(): void {
    this.#opened++
    this.#audience.tally.opened++
  }

  /** Rows that have come, and when the vendor was heard last. */
  get heard(): { readonly rows: number; readonly at: EpochMillis | null } {
    return { rows: this.#rows, at: this.#heardAt }
  }

  #wait(what: Waiting): void {
    if (this.#waiting.length === 0) this.#waiting = [what]
    else this.#waiting.push(what)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#shared.turns.flushLater(this)
  }

  flush(): void {
    this.#scheduled = false
    const waiting = this.#waiting
    this.#waiting = nothing
    this.#tail = null
    this.#heardAt = this.#shared.now()
    for (const what of waiting) {
      if (this.#phase._tag === "closed") return
      if (Array.isArray(what)) this.#receive(what)
      else this.#hear(what)
    }
  }

  #hear(event: UpstreamEvent): void {
    switch (event._tag) {
      case "Started":
        this.#started(Math.ceil(event.at))
        break
      case "Resumed":
        this.#started(Math.ceil(event.to), true)
        break
      case "Gap":
        this.#waits = event.waits === true
        this.#gap(event.from === null ? null : Math.floor(event.from), event.reason)
        break
      case "DataType":
        if (this.#dataType?.dataType === event.dataType) break
        this.#dataType = { _tag: "DataType", dataType: event.dataType }
        this.#audience.say(this.#dataType)
        break
      case "SnapshotComplete":
        // What the vendor sends of itself is whole: what it did not send again it does not have any more.
        if (!this.#tape && this.#resumedAt > 0) this.#audience.forgetBefore(this.#resumedAt)
        this.#resumedAt = 0
        this.#whole = true
        this.#audience.say({ _tag: "SnapshotComplete" })
        break
      case "Filled":
        if (this.#phase._tag === "filling") this.#settleTold(event)
        break
      case "Closed":
        this.#duties.ended(event)
    }
  }

  #receive(rows: Array<StreamRow>): void {
    const { tally } = this.#audience
    this.#rows += rows.length
    tally.rowsIn += rows.length
    const first = rows[0]
    if (first === undefined) return
    if (this.#phase._tag === "starting" || this.#phase._tag === "gap") this.#started(millisOf(first))
    if (this.#phase._tag !== "filling") {
      const news = this.#tape ? this.#known(rows) : rows
      this.#advance(news)
      this.#audience.tell(news, false)
      return
    }
    this.#audience.tell(rows, true)
    if (this.#held.length === 0) this.#held = rows.slice()
    else for (const row of rows) this.#held.push(row)
    if (this.#held.length > this.#shared.held) {
      const { from, to } = this.#phase
      this.#duties.stopFilling()
      const why = `more than ${this.#shared.held} rows came before those of the gap`
      this.#settle({ rows: [], parts: [{ start: from, end: to, why }] })
    }
  }

  /** Without those that were told before. */
  #known(rows: Array<StreamRow>): ReadonlyArray<StreamRow> {
    if (this.#recent !== null) this.#audience.tally.rowsRepeated += this.#recent.admit(rows)
    return rows
  }

  // ---- gaps

  /** `resumed`: the upstream goes on, and knows of the gap if there was one. */
  #started(at: EpochMillis, resumed = false): void {
    const phase = this.#phase
    if (phase._tag === "starting") {
      this.#phase = { _tag: "live" }
      this.#audience.through = at
      this.#audience.say({ _tag: "Started", at: this.#shared.now(), through: at })
    }
    if (phase._tag !== "gap") return
    const { from } = phase
    const now = this.#shared.now()
    this.#audience.tally.gapSeconds += (now - phase.since) / 1_000
    // Nobody has been told yet that there is a stream: it begins with the gap.
    if (this.#audience.through === null) {
      this.#audience.through = from
      this.#audience.say({ _tag: "Started", at: now, through: from })
    }
    this.#resumedAt = this.#audience.version
    // A bar that was open when the vendor came back may be a part of one: it is had from the history, once it has closed.
    const { timeframe } = this.key
    const least = Math.max(at, from + 1)
    const to = timeframe === null ? least : Timeframe.ceil(timeframe, least)
    const range = { start: from, end: to }
    this.#audience.say({ _tag: "Resumed", at })
    const history = this.#history
    const told = history?._tag === "told"
    if (told && resumed) this.#phase = { _tag: "filling", from, to }
    else if (this.#tape && history !== null && !told) {
      this.#phase = { _tag: "filling", from, to }
      this.#duties.fill(range)
    } else {
      this.#settle({ rows: [], parts: [{ ...range, why: "nobody keeps what it was in between" }] })
    }
  }

  #gap(given: EpochMillis | null, reason: string): void {
    const phase = this.#phase
    const now = this.#shared.now()
    if (phase._tag === "closed") return
    this.#whole = false
    if (phase._tag === "gap") {
      if (phase.reason === reason) return
      this.#phase = { ...phase, from: Math.min(phase.from, given ?? phase.from), reason }
    } else {
      const from =
        phase._tag === "filling"
          ? Math.min(phase.from, given ?? phase.from)
          : (given ?? this.#audience.through ?? this.#madeAt)
      if (phase._tag === "filling") this.#duties.stopFilling()
      this.#phase = { _tag: "gap", from, since: now, reason }
      this.#gaps++
      this.#audience.tally.gaps++
    }
    this.#audience.say({ _tag: "Gap", from: this.#phase.from, reason })
  }

  /** The rows of the gap have come, or why they have not; ignored unless it is the gap of now. */
  filled(filled: Filled): void {
    const phase = this.#phase
    if (phase._tag !== "filling") return
    if (filled.parts[0]?.start === phase.from && filled.parts.at(-1)?.end === phase.to) this.#settle(filled)
  }

  #settle({ parts, rows }: Filled): void {
    const phase = this.#phase
    const [first] = parts
    const last = parts.at(-1)
    if (first === undefined || last === undefined) return
    const { key } = this
    const told = this.#recent?.since(first.start - this.#overlap) ?? []
    const { added, ahead, rows: fused } = fuse(key.kind, this.#audience.promised(rows, first.start), told, this.#held)
    this.#held = nothing
    const split = fused.findIndex((row) => millisOf(row) >= last.end)
    const before = split === -1 ? fused : fused.slice(0, split)
    const behind = split === -1 ? [] : fused.slice(split)
    if (phase._tag !== "closed") this.#phase = { _tag: "live" }
    this.#recent?.remember(before)
    this.#audience.makeUp(before)
    const brings = (row: StreamRow, { end, start }: TimeRange) =>
      added.has(row) && millisOf(row) >= start && millisOf(row) < end
    this.#tellParts(
      parts.map((part) => ({
        ...part,
        rows: part.why === null ? before.reduce((sum, row) => sum + Number(brings(row, part)), 0) : 0,
        job: part.why === null ? null : this.#duties.later({ start: part.start, end: part.end })
      }))
    )
    this.#recent?.expect(ahead, last.end + this.#lateness + this.#overlap)
    this.#recent?.remember(behind)
    this.#advance(behind)
    this.#audience.makeUp(behind)
  }

  /** As it was told before, by who recorded it: nothing of it is weighed against what came. */
  #settleTold({ parts, rows }: ToldGap): void {
    const held = this.#held
    this.#held = nothing
    this.#phase = { _tag: "live" }
    this.#recent?.remember(rows)
    this.#audience.makeUp(rows)
    this.#tellParts(parts)
    if (held.length > 0) this.#receive(held)
  }

  #tellParts(parts: ToldGap["parts"]): void {
    const { tally } = this.#audience
    for (const { end, job, rows, start, why } of parts) {
      if (why === null) tally.repaired++
      else tally.unrepairable++
      this.#audience.advance(end)
      this.#audience.say(
        why === null
          ? { _tag: "Repaired", from: start, to: end, rows }
          : { _tag: "Unrepairable", from: start, to: end, why, job }
      )
    }
  }

  /** Rows that wait to be worked off, or for the slowest of the consumers that want every one. */
  get waiting(): number {
    const here = this.#waiting.reduce((sum, what) => sum + (Array.isArray(what) ? what.length : 0), 0)
    return here + this.#audience.waiting
  }

  /** Stamps of this and before may be forgotten, so that a repair that reaches further would tell rows twice. */
  get forgotten(): EpochMillis {
    return this.#recent?.forgotten ?? Number.NEGATIVE_INFINITY
  }

  // ---- the consumers' side

  #advance(rows: ReadonlyArray<StreamRow>): void {
    const last = rows[rows.length - 1]
    if (last === undefined) return
    const newest = this.#recent?.newest ?? millisOf(last)
    const { timeframe } = this.key
    this.#audience.advance((timeframe === null ? newest : Timeframe.periodEnd(timeframe, newest)) - this.#lateness)
  }

  /** From now on the consumer is told of it; first how things stand. */
  join(consumer: Consumer): void {
    const phase = this.#phase
    const words: Array<LifecycleEvent> = []
    const { through } = this.#audience
    // Of the newest instant some rows may have been told before: it has all of those after it.
    const told = this.#recent?.newest ?? Number.NEGATIVE_INFINITY
    if (through !== null) words.push({ _tag: "Started", at: this.#shared.now(), through: Math.max(through, told + 1) })
    if (this.#dataType !== null) words.push(this.#dataType)
    if (this.#whole) words.push({ _tag: "SnapshotComplete" })
    words.push(...wordsOf(phase))
    const tap = this.#audience.join(consumer, words)
    if (phase._tag === "closed") consumer.close(tap)
  }

  /** What came could not be worked off, so that nobody knows what is missing: another subscription begins anew. */
  broke(defect: unknown): void {
    if (this.#phase._tag !== "closed") this.#end(true, "it failed here; the log says how")
    this.#duties.broke(defect)
  }

  /** The last word; nothing comes after it. */
  close(retryable: boolean, cause: string): void {
    const phase = this.#phase
    if (phase._tag === "closed") return
    if (phase._tag === "filling" || (phase._tag === "gap" && this.#audience.through !== null)) {
      this.#duties.stopFilling()
      const end = Math.max(phase._tag === "filling" ? phase.to : this.#shared.now(), phase.from + 1)
      this.#settle({ rows: [], parts: [{ start: phase.from, end, why: `the stream ended: ${cause}` }] })
    }
    this.#end(retryable, cause)
  }

  #end(retryable: boolean, cause: string): void {
    const event = { _tag: "Closed" as const, retryable, cause }
    this.#audience.say(event)
    this.#phase = { _tag: "closed", event }
    this.#waiting = nothing
    this.#held = nothing
    this.#audience.dismiss()
  }

  get state(): StreamState {
    const { _tag } = this.#phase
    return {
      key: this.key,
      state: _tag === "gap" && this.#waits ? "waiting" : _tag,
      consumers: this.#audience.size,
      rows: this.#rows,
      through: this.#audience.through,
      heardAt: this.#heardAt,
      opened: this.#opened,
      gaps: this.#gaps
    }
  }
}
