/**
 * Stands between a gateway's socket and the library, and lets nothing through but whole frames that are well made. The library hangs
 * in a loop over a length below zero, waits for ever for one that is too large, and glues a frame without its last NUL to the next.
 *
 * Bytes are held until a frame is whole, at most one frame of them, and are handed on one frame at a time: what the library does with
 * a frame (an exception included) is then known to be about that frame.
 */
import { isUtf8 } from "node:buffer"
import { headerSize, messageIdOf } from "./frames.ts"

/** The library gives up a connection of which it holds more than this; nothing that a gateway sends is near it. */
export const maxFrame = 0xff_ff_ff - headerSize

/** What is wrong with the bytes of a gateway. After it nothing of the connection can be trusted. */
export interface FrameDamage {
  readonly fault: "length" | "terminator" | "encoding" | "message-number"
  readonly message: string
}

const damage = (fault: FrameDamage["fault"], message: string): FrameDamage => ({ fault, message })

export interface FrameGuard {
  /**
   * Takes what came from the socket and gives every frame that is whole to `deliver`, its length in front. Not null: the bytes are
   * damaged, frames before the damage were delivered, and the guard takes no more.
   */
  readonly push: (chunk: Buffer) => FrameDamage | null
}

export const makeFrameGuard = (deliver: (frame: Buffer, messageId: number) => void): FrameGuard => {
  let held: Array<Buffer> = []
  let heldBytes = 0
  /** Bytes that the frame at the head of what is held has, its length included; 0 while that is not known. */
  let needed = 0
  let broken: FrameDamage | null = null

  const defectOf = (frame: Buffer): FrameDamage | null => {
    if (frame[frame.length - 1] !== 0) return damage("terminator", "a frame does not end with NUL")
    if (messageIdOf(frame) < 0) return damage("message-number", "a frame does not begin with a number")
    return isUtf8(frame.subarray(headerSize)) ? null : damage("encoding", "a frame is not UTF-8")
  }

  const lengthDefect = (length: number): FrameDamage | null =>
    length > 0 && length <= maxFrame
      ? null
      : damage("length", `a frame says that it has ${length} bytes; 1 to ${maxFrame} are possible`)

  const hold = (rest: Buffer, frame: number) => {
    held = rest.length === 0 ? [] : [rest]
    heldBytes = rest.length
    needed = frame
  }

  const scan = (bytes: Buffer): FrameDamage | null => {
    let at = 0
    while (bytes.length - at >= headerSize) {
      const length = bytes.readInt32BE(at)
      const wrong = lengthDefect(length)
      if (wrong !== null) return wrong
      const end = at + headerSize + length
      if (end > bytes.length) {
        hold(bytes.subarray(at), headerSize + length)
        return null
      }
      const frame = bytes.subarray(at, end)
      const defect = defectOf(frame)
      if (defect !== null) return defect
      deliver(frame, messageIdOf(frame))
      at = end
    }
    hold(bytes.subarray(at), 0)
    return null
  }

  return {
    push: (chunk) => {
      if (broken !== null) return broken
      if (heldBytes > 0) {
        held.push(chunk)
        heldBytes += chunk.length
        if (needed > heldBytes) return null
      }
      broken = scan(heldBytes > 0 ? Buffer.concat(held, heldBytes) : chunk)
      return broken
    }
  }
}
