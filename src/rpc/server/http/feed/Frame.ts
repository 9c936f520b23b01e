/**
 * A text message as one frame of a server (RFC 6455, 5.2: whole, never masked), made once and written to the sockets of all who get it. It is
 * written beside what `ws` writes itself (pongs, the close frame), which is whole frames, too: nothing here is compressed, so `ws` keeps nothing back.
 */
export interface Frame {
  readonly bytes: Buffer
  /** Where the text begins. */
  readonly start: number
}

const headerLength = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

const framed = (length: number): Frame => {
  const start = headerLength(length)
  const bytes = Buffer.allocUnsafe(start + length)
  bytes[0] = 0x81
  if (start === 2) bytes[1] = length
  else if (start === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeUInt32BE(0, 2)
    bytes.writeUInt32BE(length, 6)
  }
  return { bytes, start }
}

export const frameOf = (text: string): Frame => {
  const frame = framed(Buffer.byteLength(text))
  frame.bytes.write(text, frame.start)
  return frame
}

/** The same JSON object with another field in front, written as `"name":value`. */
export const withField = ({ bytes, start }: Frame, field: string): Frame => {
  const front = `{${field},`
  const extended = framed(bytes.length - start - 1 + Buffer.byteLength(front))
  const written = extended.bytes.write(front, extended.start)
  bytes.copy(extended.bytes, extended.start + written, start + 1)
  return extended
}
