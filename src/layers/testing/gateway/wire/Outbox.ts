/**
 * What waits to be sent to one client. Frames of a turn are gathered in one block and handed to the socket together: a call of the socket for
 * each would be most of the cost. Nothing is ever held back for longer than the turn that made it.
 */
import type { ClientSocket } from "./ClientSocket.ts"

const blockSize = 65_536

export class Outbox {
  private readonly socket: ClientSocket
  private block: Buffer = Buffer.alloc(0)
  private used = 0
  frames = 0
  bytes = 0

  constructor(socket: ClientSocket) {
    this.socket = socket
  }

  /** Bytes that the client has not taken from us. */
  get unsent(): number {
    return this.socket.writableLength + this.used
  }

  /** A frame of this text, its fields each with their NUL. */
  frame(text: string): void {
    // The most that UTF-8 makes of a unit of UTF-16 is three bytes.
    const most = 4 + text.length * 3
    if (this.used + most > this.block.length) {
      this.flush()
      this.block = Buffer.allocUnsafeSlow(Math.max(blockSize, most))
    }
    const length = this.block.write(text, this.used + 4, "utf8")
    this.block.writeUInt32BE(length, this.used)
    this.used += 4 + length
    this.frames++
    this.bytes += 4 + length
  }

  /** Bytes as they are, whatever they mean. */
  raw(bytes: Uint8Array): void {
    this.flush()
    this.bytes += bytes.length
    if (this.socket.writable) this.socket.write(bytes)
  }

  flush(): void {
    if (this.used === 0) return
    const bytes = this.block.subarray(0, this.used)
    // The socket keeps what it has not sent, so the next frame goes behind it or into another block.
    this.block = this.block.subarray(this.used)
    this.used = 0
    if (this.socket.writable) this.socket.write(bytes)
  }
}
