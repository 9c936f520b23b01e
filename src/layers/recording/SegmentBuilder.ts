import { frameEncoder, type SegmentFrame, type SegmentOpening } from "../../domain/streams/SegmentFrame.ts"
import { isRows, type StreamEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { millisOf, type StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { passedBy, provesAll } from "./segmentRows.ts"

/** A piece of a recorded stream that is to be archived. */
export interface Segment {
  readonly segment: number
  readonly first: number
  readonly from: EpochMillis | null
  /** Up to where the recording is complete when it ends. */
  readonly to: EpochMillis | null
  /** When its first and its last frame came. */
  readonly firstAt: EpochMillis
  readonly lastAt: EpochMillis
  readonly rows: number
  readonly bytes: Uint8Array
}

interface Told {
  readonly n: number
  readonly at: EpochMillis
  readonly row: StreamRow
}

/** Rows that may have to be told again, before those are left out that will not. */
const prunedFrom = 4_096
/** Rows that are told again at most: of more, those of a gap that is being repaired, the next segment does not prove the instants. */
const mostAgain = 16_384

/**
 * What a stream tells, as the lines of segments.
 *
 * A segment of trades or bars proves the instants that the watermark passes in it, so it has to have all their rows: those of them that came
 * before it began are told in it again. Without that, of two prints alike in everything that come on both sides of a cut one would be lost.
 */
export class SegmentBuilder {
  readonly #encode: (frame: SegmentFrame) => string
  readonly #proves: boolean
  readonly #encoder = new TextEncoder()
  #lines: Array<string> = []
  #characters = 0
  #rows = 0
  #n = 0
  #segment = 0
  #first = 1
  #from: EpochMillis | null = null
  #firstAt: EpochMillis | null = null
  #lastAt: EpochMillis = 0
  #pending: Array<Told> = []
  /** Up to where all has come or was told of as missing; null before the stream has begun. */
  through: EpochMillis | null = null

  constructor({ kind }: StreamKey) {
    this.#encode = frameEncoder(kind)
    this.#proves = provesAll(kind)
  }

  /** About how many bytes wait to be archived; 0: none. */
  get size(): number {
    return this.#characters
  }

  /** The number of the last frame. */
  get last(): number {
    return this.#n
  }

  /** The line that opens the recording. */
  open(at: EpochMillis, open: SegmentOpening): Uint8Array {
    this.#n++
    this.#first = this.#n + 1
    return this.#encoder.encode(`${this.#encode({ n: this.#n, at, open })}\n`)
  }

  /** The line that closes it. */
  close(at: EpochMillis, why: string): Uint8Array {
    this.#n++
    return this.#encoder.encode(`${this.#encode({ n: this.#n, at, closed: { through: this.through, why } })}\n`)
  }

  add(event: StreamEvent, now: EpochMillis): void {
    if (!isRows(event)) {
      this.#push({ n: ++this.#n, at: now, event })
      const passed = passedBy(event)
      if (passed !== null) this.#pass(passed)
      return
    }
    const { receivedAt: at, rows, snapshot } = event
    const moved = event.through !== null && event.through > (this.through ?? Number.NEGATIVE_INFINITY)
    const last = rows.length - 1
    for (let index = 0; index <= last; index++) {
      const row = rows[index]
      if (row === undefined) continue
      const n = ++this.#n
      this.#push({
        n,
        at,
        row,
        ...(moved && !snapshot && index === last && event.through !== null ? { through: event.through } : {}),
        ...(snapshot ? { snapshot: true as const } : {})
      })
      if (snapshot) continue
      this.#rows++
      if (this.#proves) this.#pending.push({ n, at, row })
    }
    if (moved && !snapshot && event.through !== null) this.#pass(event.through)
  }

  #push(frame: SegmentFrame): void {
    const line = this.#encode(frame)
    this.#lines.push(line)
    this.#characters += line.length + 1
    this.#firstAt ??= frame.at
    this.#lastAt = frame.at
  }

  #pass(to: EpochMillis): void {
    this.through = Math.max(this.through ?? to, to)
    if (this.#pending.length > prunedFrom) this.#prune()
  }

  #prune(): void {
    const { through } = this
    if (through !== null) this.#pending = this.#pending.filter(({ row }) => millisOf(row) >= through)
  }

  /** What waits, as a segment; the next one begins behind it. Null while nothing waits. */
  cut(): Segment | null {
    const firstAt = this.#firstAt
    if (firstAt === null) return null
    const segment: Segment = {
      segment: ++this.#segment,
      first: this.#first,
      from: this.#from,
      to: this.through,
      firstAt,
      lastAt: this.#lastAt,
      rows: this.#rows,
      bytes: this.#encoder.encode(`${this.#lines.join("\n")}\n`)
    }
    this.#prune()
    this.#from = this.through
    if (this.#pending.length > mostAgain) {
      const newest = this.#pending.reduce((most, { row }) => Math.max(most, millisOf(row)), Number.NEGATIVE_INFINITY)
      this.#pending = this.#pending.filter(({ row }) => millisOf(row) >= newest)
      this.#from = newest
    }
    this.#first = this.#n + 1
    this.#lines = this.#pending.map(({ at, n, row }) => this.#encode({ n, at, row, again: true }))
    this.#characters = 0
    this.#rows = 0
    this.#firstAt = null
    return segment
  }
}
