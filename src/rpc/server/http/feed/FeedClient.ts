/**
 * One client of a feed, as far as it is not a socket.
 *
 * Responsibilities: sends at once what can be sent at once; keeps the rest, in order, within its bounds; counts what the client is not given and
 * says so in the next message of a row (`dropped`). Queueing: `maxQueueSize` messages. Where the client conflates, a row that waits is replaced by the
 * next one, unless something was said in between; else the oldest row goes when there is no room. Words are never dropped: a client for
 * which there is no room for another word is ended.
 *
 * Hard cases: rows wait for the rate, words do not, and what waits before a word goes with it, so that the order holds; a client that is not read
 * from is sent nothing until its socket has room, whatever the rate is.
 */
import type { FeedLimits } from "../../../../layers/config/FeedLimits.ts"
import type { FeedDropReason } from "../../../../services/Metrics.ts"
import { type Frame, frameOf, withField } from "./Frame.ts"
import type { Pace, Paced } from "./Pace.ts"
import type { FeedTally } from "./Tally.ts"
import { errorText } from "./words.ts"

/** What a client is sent with. */
export interface FeedWire {
  /** Whether the network takes more; where not, `hasRoom` of the client is called when it does. */
  readonly write: (bytes: Uint8Array) => boolean
  /** Begins to close. */
  readonly close: (code: number, reason: string) => void
}

export interface Message {
  readonly frame: Frame
  readonly isRow: boolean
}

/** What came in one turn, and all of it as one piece. */
export interface Batch {
  readonly messages: ReadonlyArray<Message>
  readonly bytes: Uint8Array
  readonly rows: number
}

export const batchOf = (messages: ReadonlyArray<Message>): Batch => {
  const [only] = messages
  return {
    messages,
    bytes: messages.length === 1 && only !== undefined ? only.frame.bytes : Buffer.concat(messages.map(bytesOf)),
    rows: messages.reduce((sum, { isRow }) => sum + (isRow ? 1 : 0), 0)
  }
}

const bytesOf = ({ frame }: Message): Uint8Array => frame.bytes

/** Why a client is sent no more. `text` is a message that says so, where none has. */
export interface FeedEnd {
  readonly code: number
  readonly reason: string
  readonly text: string | null
}

const tooSlow: FeedEnd = (() => {
  const reason = "this client does not take what it is told, and there is no room for more of it"
  return { code: 1013, reason, text: errorText("SlowConsumer", reason, true) }
})()

/** The share of a second's messages that may go at once. */
const burst = 10

export class FeedClient implements Paced {
  readonly #wire: FeedWire
  readonly #limits: FeedLimits
  readonly #conflate: boolean
  readonly #tally: FeedTally
  readonly #pace: Pace
  readonly #interval: number
  readonly #burst: number
  #queue: Array<Message> = []
  #words = 0
  /** When the next row may go, in milliseconds of the pace. */
  #next = Number.NEGATIVE_INFINITY
  #room = true
  #unsaid = 0
  #ended = false
  #sent = 0
  #dropped = 0

  constructor(wire: FeedWire, limits: FeedLimits, conflate: boolean, tally: FeedTally, pace: Pace) {
    this.#wire = wire
    this.#limits = limits
    this.#conflate = conflate
    this.#tally = tally
    this.#pace = pace
    this.#interval = 1_000 / limits.maxMessagesPerSecond
    this.#burst = Math.max(1, Math.floor(limits.maxMessagesPerSecond / burst))
  }

  /** What came in a turn. */
  give(batch: Batch, now: number): void {
    if (this.#ended) return
    if (this.#queue.length === 0 && this.#room && this.#unsaid === 0 && this.#spend(batch.rows, now)) {
      this.#count(batch.messages.length)
      this.#room = this.#wire.write(batch.bytes)
      return
    }
    for (const message of batch.messages) this.#push(message)
    this.flush(now)
  }

  /** Rows that nobody had who reads this feed. */
  lose(rows: number, reason: FeedDropReason): void {
    this.#unsaid += rows
    this.#dropped += rows
    this.#tally.dropped[reason] += rows
  }

  /** Says that all is well, and what it was sent and not given so far; pings are nothing that a page can see. */
  beat(at: string, now: number): void {
    const text = JSON.stringify({ type: "heartbeat", ts: at, sent: this.#sent, dropped_total: this.#dropped })
    this.give(batchOf([{ frame: frameOf(text), isRow: false }]), now)
  }

  readonly hasRoom = (): void => {
    this.#room = true
    this.flush(this.#pace.now())
  }

  /** Sends what may be sent. */
  flush(now: number): void {
    let sent = 0
    while (this.#room && !this.#ended) {
      const first = this.#queue[sent]
      if (first === undefined) break
      if (first.isRow && this.#words === 0 && !this.#spend(1, now)) {
        this.#pace.wake(this, this.#next)
        break
      }
      if (!first.isRow) this.#words--
      sent++
      this.#send(first)
    }
    if (sent > 0) this.#queue.splice(0, sent)
  }

  /** Sends what waits, and `text` behind it, whether there is room or not: it is the last of it. */
  end({ code, reason, text }: FeedEnd): void {
    if (this.#ended) return
    const last = this.#queue
    this.leave()
    for (const message of last) this.#send(message)
    if (text !== null) this.#send({ frame: frameOf(text), isRow: false })
    this.#wire.close(code, reason)
  }

  /** Takes no more, and is sent no more: its socket has closed. */
  leave(): void {
    this.#ended = true
    this.#queue = []
    this.#pace.forget(this)
  }

  /** Whether so many rows may go now; then they have. */
  #spend(rows: number, now: number): boolean {
    if (rows === 0) return true
    const next = Math.max(this.#next, now - (this.#burst - 1) * this.#interval)
    if (next + (rows - 1) * this.#interval > now) {
      this.#next = next
      return false
    }
    this.#next = next + rows * this.#interval
    return true
  }

  #send({ frame, isRow }: Message): void {
    const told = isRow && this.#unsaid > 0 ? withField(frame, `"dropped":${this.#unsaid}`) : frame
    if (isRow) this.#unsaid = 0
    this.#count(1)
    this.#room = this.#wire.write(told.bytes)
  }

  #count(messages: number): void {
    this.#sent += messages
    this.#tally.sent += messages
  }

  #push(message: Message): void {
    const last = this.#queue.length - 1
    if (this.#conflate && message.isRow && this.#queue[last]?.isRow === true) {
      this.#queue[last] = message
      this.lose(1, "conflated")
      return
    }
    if (this.#queue.length >= this.#limits.maxQueueSize) {
      const oldest = this.#queue.findIndex(({ isRow }) => isRow)
      if (oldest === -1) {
        this.end(tooSlow)
        return
      }
      this.#queue.splice(oldest, 1)
      this.lose(1, "queue_full")
    }
    if (!message.isRow) this.#words++
    this.#queue.push(message)
  }
}
