/**
 * One feed: the streams that an address means, written once for all who read it.
 *
 * Responsibilities: what MarketStreams tells becomes JSON messages, each written and framed once, whoever gets it; who joins late is first told how
 * things stand. Queueing: none; each client has its own (FeedClient.ts), and none delays another or the feed. What came in a turn of the
 * event loop is given to each client as one piece.
 *
 * Hard cases: the order of rows and words is that of the streams, so rows of a turn become one only between two words; a client that joins
 * before the stream has begun is told nothing of it until it has; one that joins a feed that has just ended is told its end.
 */
import { isRows, type LifecycleEvent, type StreamItem } from "../../../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../../../domain/streams/StreamKey.ts"
import type { EpochMillis } from "../../../../domain/TimeRange.ts"
import type { Content, RowText } from "./Content.ts"
import { batchOf, type FeedClient, type FeedEnd, type Message } from "./FeedClient.ts"
import { frameOf } from "./Frame.ts"
import { Standing } from "./Standing.ts"
import { wordText } from "./words.ts"

/** A feed that another attempt may continue, and one that it will not: codes of the closing WebSocket. */
const tryAgainCode = 1013
const endedCode = 4000

const wordMessage = (text: string): Message => ({ frame: frameOf(text), isRow: false })

export class Feed {
  readonly #keys: ReadonlyArray<StreamKey>
  readonly #content: Content
  readonly #conflate: boolean
  readonly #standings: ReadonlyArray<Standing>
  readonly #clients = new Set<FeedClient>()
  #closed: ReadonlyArray<readonly [stream: number, event: Extract<LifecycleEvent, { readonly _tag: "Closed" }>]> = []
  #end: FeedEnd | null = null

  constructor(keys: ReadonlyArray<StreamKey>, content: Content, conflate: boolean) {
    this.#keys = keys
    this.#content = content
    this.#conflate = conflate
    this.#standings = keys.map(() => new Standing())
  }

  /** What came in a turn. */
  receive(items: ReadonlyArray<StreamItem>, now: number): void {
    const messages: Array<Message> = []
    let rows: Array<RowText> = []
    const writeRows = () => {
      const dataType = this.#dataType
      for (const text of this.#conflate ? rows.slice(-1) : rows) {
        messages.push({ frame: frameOf(text(dataType, false)), isRow: true })
      }
      rows = []
    }
    for (const { event, stream } of items) {
      if (isRows(event)) {
        this.#standings[stream]?.rows(event)
        if (event.dropped > 0) for (const client of this.#clients) client.lose(event.dropped, "upstream")
        // One by one: there may be more than a call has room for arguments.
        for (const text of this.#content.rows(event)) rows.push(text)
        continue
      }
      writeRows()
      const text = this.#hear(stream, event)
      if (text !== null) messages.push(wordMessage(text))
      const changed = this.#content.word(stream, event)
      if (changed !== null) rows.push(changed)
    }
    writeRows()
    if (messages.length === 0) return
    const batch = batchOf(messages)
    for (const client of this.#clients) client.give(batch, now)
  }

  /** From now on the client is given what comes; first how things stand. */
  join(client: FeedClient, greeting: string, at: EpochMillis, now: number): void {
    const before: Array<string> = []
    const after: Array<string> = []
    for (const [stream, key] of this.#keys.entries()) {
      const words = this.#standings[stream]?.words(at)
      before.push(...(words?.before ?? []).map((event) => wordText(event, key)))
      after.push(...(words?.after ?? []).map((event) => wordText(event, key)))
    }
    for (const [stream, event] of this.#closed) {
      const key = this.#keys[stream]
      if (key !== undefined) after.push(wordText(event, key))
    }
    const latest = this.#content.latest()
    const row: ReadonlyArray<Message> =
      latest === null ? [] : [{ frame: frameOf(latest(this.#dataType, true)), isRow: true }]
    client.give(batchOf([...[greeting, ...before].map(wordMessage), ...row, ...after.map(wordMessage)]), now)
    if (this.#end === null) this.#clients.add(client)
    else client.end(this.#end)
  }

  leave(client: FeedClient): void {
    this.#clients.delete(client)
  }

  /** No more of it comes. */
  finish(end: FeedEnd): void {
    this.#end = end
    const clients = [...this.#clients]
    this.#clients.clear()
    for (const client of clients) client.end(end)
  }

  /** How the streams have ended, which each of them has said. */
  get ending(): FeedEnd {
    const again = this.#closed.some(([, { retryable }]) => retryable)
    const reason = this.#closed.at(-1)?.[1].cause ?? "the streams have ended"
    return { code: again ? tryAgainCode : endedCode, reason, text: null }
  }

  get #dataType() {
    return this.#standings.find(({ dataType }) => dataType !== null)?.dataType ?? null
  }

  #hear(stream: number, event: LifecycleEvent): string | null {
    const key = this.#keys[stream]
    if (key === undefined) return null
    this.#standings[stream]?.word(event)
    if (event._tag === "Closed") this.#closed = [...this.#closed, [stream, event]]
    return wordText(event, key)
  }
}
