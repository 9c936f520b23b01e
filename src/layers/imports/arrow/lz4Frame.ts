/** LZ4 frames, as the bodies of Arrow messages are packed with; checksums are passed over, since the archive has its own hashes. */

const magic = 0x184d_2204

class Output {
  bytes = new Uint8Array(65_536)
  length = 0
  private readonly most: number
  constructor(most: number) {
    this.most = most
  }
  room(more: number): void {
    const needed = this.length + more
    if (needed > this.most) throw new RangeError(`more than ${this.most} bytes unpacked`)
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
  append(part: Uint8Array): void {
    this.room(part.length)
    this.bytes.set(part, this.length)
    this.length += part.length
  }
  /** A match may reach into what it writes itself. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) throw new RangeError("an LZ4 match before the beginning")
    this.room(count)
    for (let done = 0; done < count; done++, this.length++) {
      this.bytes[this.length] = this.bytes[this.length - distance] ?? 0
    }
  }
}

const block = (bytes: Uint8Array, output: Output): void => {
  let at = 0
  const next = (): number => {
    const byte = bytes[at++]
    if (byte === undefined) throw new RangeError("an LZ4 block breaks off")
    return byte
  }
  const extended = (length: number): number => {
    if (length !== 15) return length
    let total = length
    for (let more = 255; more === 255; ) {
      more = next()
      total += more
    }
    return total
  }
  while (at < bytes.length) {
    const token = next()
    const literals = extended(token >> 4)
    if (at + literals > bytes.length) throw new RangeError("an LZ4 block breaks off")
    output.append(bytes.subarray(at, at + literals))
    at += literals
    // The last sequence has no match.
    if (at === bytes.length) return
    const distance = next() | (next() << 8)
    output.repeat(distance, extended(token & 15) + 4)
  }
}

/** Throws where the bytes are no whole frame, or unpack to more than `most` bytes. */
export const lz4Frame = (bytes: Uint8Array, most: number): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== magic) throw new RangeError("no LZ4 frame")
  const flags = view.getUint8(4)
  const hasBlockSums = (flags & 0x10) !== 0
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4)
  const output = new Output(most)
  for (;;) {
    const size = view.getUint32(at, true)
    at += 4
    if (size === 0) return output.bytes.slice(0, output.length)
    const length = size & 0x7fff_ffff
    if (at + length > bytes.length) throw new RangeError("an LZ4 frame breaks off")
    const part = bytes.subarray(at, at + length)
    if (size >= 0x8000_0000) output.append(part)
    else block(part, output)
    at += length + (hasBlockSums ? 4 : 0)
  }
}
