import type { StreamEvent, StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { Audience } from "./Audience.ts"
import type { Consumer } from "./Consumer.ts"

const noWords: ReadonlyArray<never> = []

/** Where a consumer is connected to one topic. */
export class Tap {
  readonly audience: Audience
  readonly consumer: Consumer
  readonly stream: number
  /** What it was told up to; for `latest` alone. */
  #seen: number
  #unread: ReadonlyArray<StreamEvent>
  /** Something has changed since it was read, so that a topic marks it once until it is read again. */
  dirty = false
  closed = false

  /** `unread`: what it is to be told first. */
  constructor(audience: Audience, consumer: Consumer, seen: number, unread: ReadonlyArray<StreamEvent>) {
    this.audience = audience
    this.consumer = consumer
    this.stream = consumer.streams
    this.#seen = seen
    this.#unread = unread
  }

  /** Adds what has changed since it was last read, oldest first; for `latest` alone. */
  read(into: Array<StreamItem>): void {
    for (const event of this.#unread) into.push({ stream: this.stream, event })
    this.#unread = noWords
    this.audience.readSince(this.#seen, this.stream, into)
    this.#seen = this.audience.version
  }

  leave(): void {
    this.audience.leave(this)
  }
}
