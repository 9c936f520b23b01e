/** A client that sends the fields it is given and keeps the bytes that come, to see exactly what is on the wire. */
import { createHash } from "node:crypto"
import { connect, type Socket } from "node:net"

const framed = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const bytes = Buffer.alloc(4 + payload.length)
  bytes.writeUInt32BE(payload.length)
  payload.copy(bytes, 4)
  return bytes
}

export class RawClient {
  private chunks: Array<Buffer> = []
  ended = false
  reset = false
  private readonly socket: Socket
  private wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on("data", (chunk) => {
      this.chunks.push(chunk)
      this.wake()
    })
    socket.on("error", (error) => {
      this.reset = "code" in error && error.code === "ECONNRESET"
      this.wake()
    })
    socket.on("close", () => {
      this.ended = true
      this.wake()
    })
  }

  /** Everything that has come. */
  get received(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)]
    return this.chunks[0] ?? Buffer.alloc(0)
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve)
      socket.once("error", reject)
    })
    return new RawClient(socket)
  }

  /** Says hello and starts; done when the first messages have come. */
  static async started(port: number, versions = "v100..193", clientId = 1): Promise<RawClient> {
    const client = await RawClient.connect(port)
    client.hello(versions)
    await client.until((frames) => frames.length > 0)
    client.send(71, 2, clientId, "")
    await client.until((frames) => frames.some(([id, , , code]) => id === "4" && code === "2158"))
    return client
  }

  hello(versions: string): void {
    this.socket.write(Buffer.concat([Buffer.from("API\0"), framed(versions)]))
  }

  send(...fields: ReadonlyArray<string | number>): void {
    this.socket.write(framed(`${fields.join("\0")}\0`))
  }

  raw(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** Whole frames so far, in their fields. */
  frames(): ReadonlyArray<ReadonlyArray<string>> {
    const frames: Array<ReadonlyArray<string>> = []
    const { received } = this
    for (let at = 0; at + 4 <= received.length; ) {
      const length = received.readUInt32BE(at)
      if (at + 4 + length > received.length) break
      frames.push(received.toString("utf8", at + 4, at + 4 + length - 1).split("\0"))
      at += 4 + length
    }
    return frames
  }

  /** Frames with this number. */
  of(id: number): ReadonlyArray<ReadonlyArray<string>> {
    return this.frames().filter(([first]) => first === String(id))
  }

  async until(holds: (frames: ReadonlyArray<ReadonlyArray<string>>) => boolean): Promise<void> {
    while (!holds(this.frames())) {
      if (this.ended) throw new Error("the gateway has closed the connection")
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  /** Everything that was sent before this has been answered. */
  async answered(): Promise<void> {
    const before = this.of(49).length
    this.send(49, 1)
    await this.until((frames) => frames.filter(([id]) => id === "49").length > before)
  }

  async end(): Promise<void> {
    while (!this.ended) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  sha256(): string {
    return createHash("sha256").update(this.received).digest("hex")
  }

  close(): void {
    this.socket.destroy()
  }
}
