/**
 * Cuts Arrow IPC into its messages, in whatever pieces it comes. The stream format and the file format alike: a file is a stream between
 * its first eight bytes and its footer, which is not needed by one who reads it through. Sizes are not believed: a message is held whole,
 * so what is larger than may be held is refused before there is room made for it.
 */
import { Message } from "apache-arrow"
import { Result } from "effect"
import { checkMetadata } from "./checkMetadata.ts"

/** A message with its prefix, its metadata and its body, as it came. */
export interface ArrowMessage {
  readonly message: Message
  /** The byte at which it begins. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Bytes of a record batch or a dictionary. */
export const largestMessage = 256 * 1024 * 1024
const largestMetadata = 16 * 1024 * 1024

const largestBareSchema = 64 * 1024
const damagedSchema = "its schema cannot be read; write it in the stream format"

const fileMagic = Buffer.from("ARROW1\0\0", "latin1")
const prefixBytes = 8
const continuation = 0xffff_ffff

/** Throws where the header cannot be read, which the library would find out when it is first asked for. */
const decoded = (metadata: Uint8Array): Message => {
  checkMetadata(metadata)
  const message = Message.decode(metadata)
  message.header()
  return message
}

type State = "magic" | "bare" | "prefix" | "metadata" | "body" | "message" | "ended"

export class ArrowFraming {
  private state: State = "magic"
  private isFile = false
  private held = new Uint8Array(prefixBytes)
  private filled = 0
  private metadataLength = 0
  private found: Message | null = null
  private bare: ArrowMessage | null = null
  /** Of the text, up to what is held. */
  private offset = 0

  /** As much of `chunk`, from `from` on, as belongs to the message under way; gives where to go on. Take after each push. */
  push(chunk: Uint8Array, from: number): number {
    if (this.state === "ended") return chunk.length
    const taken = Math.min(this.held.length - this.filled, chunk.length - from)
    this.held.set(chunk.subarray(from, from + taken), this.filled)
    this.filled += taken
    return from + taken
  }

  private grow(length: number): void {
    const grown = new Uint8Array(length)
    grown.set(this.held)
    this.held = grown
  }

  private restart(): void {
    this.offset += this.held.length
    this.held = new Uint8Array(prefixBytes)
    this.filled = 0
    this.state = "prefix"
  }

  /** A whole message; null when more is needed; a sentence when what is there cannot be read. */
  take(): Result.Result<ArrowMessage | null, string> {
    for (;;) {
      if (this.state === "ended" || this.filled < this.held.length) return Result.succeed(null)
      const problem = this.step()
      if (problem !== null) return Result.fail(problem)
      if (this.bare !== null) {
        const schema = this.bare
        this.bare = null
        return Result.succeed(schema)
      }
      if (this.state !== "message" || this.found === null) continue
      const whole: ArrowMessage = { message: this.found, offset: this.offset, bytes: this.held }
      this.restart()
      return Result.succeed(whole)
    }
  }

  private step(): string | null {
    const view = new DataView(this.held.buffer)
    switch (this.state) {
      case "magic":
        this.isFile = fileMagic.equals(this.held)
        if (this.isFile) this.restart()
        else this.state = "prefix"
        return null
      case "bare":
        return this.bareSchema(view)
      case "prefix": {
        if (view.getUint32(0, true) !== continuation && this.isFile && this.offset === prefixBytes) {
          this.state = "bare"
          return this.bareSchema(view)
        }
        if (view.getUint32(0, true) !== continuation) return "it is damaged, or older than Arrow 0.15; write it again"
        this.metadataLength = view.getInt32(4, true)
        if (this.metadataLength === 0) this.state = "ended"
        else if (this.metadataLength < 0 || this.metadataLength > largestMetadata) return "it is damaged; copy it again"
        else this.grow(prefixBytes + this.metadataLength)
        if (this.state === "prefix") this.state = "metadata"
        return null
      }
      case "metadata": {
        const read = Result.try(() => {
          const message = decoded(this.held.slice(prefixBytes))
          return { message, body: Number(message.bodyLength) }
        })
        if (Result.isFailure(read)) return "a message of it cannot be read; copy it again"
        const { body, message } = read.success
        if (!Number.isSafeInteger(body) || body < 0) return "it is damaged; copy it again"
        if (body > largestMessage) {
          return `a record batch of ${body} bytes is more than may be held; write it in smaller ones (pyarrow: max_chunksize=65536; Polars: record_batch_size=65536)`
        }
        this.found = message
        this.grow(this.held.length + body)
        this.state = this.filled === this.held.length ? "message" : "body"
        return null
      }
      case "body":
        this.state = "message"
        return null
      default:
        return null
    }
  }

  /** Polars writes the schema at the beginning of a file without its prefix: it ends where the next message begins. */
  private bareSchema(view: DataView): string | null {
    const end = this.held.length - prefixBytes
    const length = view.getInt32(end + 4, true)
    if (view.getUint32(end, true) !== continuation || length < 0 || length % 8 !== 0) {
      if (end > largestBareSchema) return damagedSchema
      this.grow(this.held.length + prefixBytes)
      return null
    }
    const bare = this.held.subarray(0, end)
    const read = Result.try(() => decoded(bare.slice()))
    if (Result.isFailure(read) || !read.success.isSchema()) return damagedSchema
    const framed = new Uint8Array(prefixBytes + end)
    const prefix = new DataView(framed.buffer)
    prefix.setUint32(0, continuation, true)
    prefix.setInt32(4, end, true)
    framed.set(bare, prefixBytes)
    this.bare = { message: read.success, offset: this.offset, bytes: framed }
    this.offset += end
    this.held = this.held.slice(end)
    this.filled = prefixBytes
    this.state = "prefix"
    return null
  }

  /** Whether something is missing when the text ends here; a stream may end without saying so, a file may not. */
  get brokenOff(): boolean {
    if (this.state === "ended") return false
    return this.isFile || this.filled > 0 || this.state !== "prefix"
  }
}
