/** What a client sends: after `API\0` frames of a length (32 bits, big-endian) and so many bytes. */

/** No request is longer. */
const longest = 0xffffff

const greeting = Buffer.from("API\0")

/** What came of the bytes so far. `broken`: what follows cannot be read, and the connection has to be closed. */
export interface Frames {
  readonly frames: ReadonlyArray<Buffer>
  readonly broken: string | null
}

export class FrameReader {
  private pending: Buffer = Buffer.alloc(0)
  private greeted = false

  push(chunk: Buffer): Frames {
    let bytes = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk])
    const frames: Array<Buffer> = []
    let broken: string | null = null
    if (!this.greeted && bytes.length >= greeting.length) {
      if (!bytes.subarray(0, greeting.length).equals(greeting)) return { frames, broken: "no greeting" }
      this.greeted = true
      bytes = bytes.subarray(greeting.length)
    }
    while (this.greeted && bytes.length >= 4) {
      const length = bytes.readUInt32BE(0)
      if (length === 0 || length > longest) {
        broken = `a frame of ${length} bytes`
        break
      }
      if (bytes.length < 4 + length) break
      frames.push(bytes.subarray(4, 4 + length))
      bytes = bytes.subarray(4 + length)
    }
    this.pending = bytes
    return { frames, broken }
  }
}
