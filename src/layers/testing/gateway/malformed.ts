import type { Malformation } from "./Faults.ts"
import { message } from "./wire/text.ts"

const framed = (payload: Buffer, length = payload.length): Buffer => {
  const bytes = Buffer.alloc(4 + payload.length)
  bytes.writeInt32BE(length)
  payload.copy(bytes, 4)
  return bytes
}

const header = (length: number): Buffer => framed(Buffer.alloc(0), length)

/** The bytes of a damaged frame, in the pieces in which they are sent. What is sound in them tells the time, in seconds. */
export const malformed = (what: Malformation, seconds: number): ReadonlyArray<Buffer> => {
  const sound = Buffer.from(message(49, 1, seconds))
  switch (what) {
    case "halfFrame": {
      const whole = framed(sound)
      return [whole.subarray(0, whole.length >> 1)]
    }
    case "everyByteApart":
      return Array.from(framed(sound), (byte) => Buffer.from([byte]))
    case "coalesced":
      return [Buffer.concat(Array.from({ length: 100 }, () => framed(sound)))]
    case "zeroLength":
      return [header(0)]
    case "negativeLength":
      return [header(-1)]
    case "hugeLength":
      return [header(0x7fffffff)]
    case "noTrailingNul":
      return [framed(sound.subarray(0, -1))]
    case "unknownId":
      return [framed(Buffer.from(message(999, 1, "unknown")))]
    case "missingField":
      return [framed(Buffer.from(message(1, 6)))]
    case "extraField":
      return [framed(Buffer.from(message(49, 1, seconds, "one", "too", "many")))]
    case "invalidJson":
      return [framed(Buffer.from(message(4, 2, 1, 201, "Order rejected", "{not JSON")))]
    case "negativeCount":
      return [framed(Buffer.from(message(96, 1, -5)))]
    case "nonUtf8": {
      const start = Buffer.from("4\u00002\u0000-1\u00002104\u0000")
      return [framed(Buffer.concat([start, Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0, 0])]))]
    }
  }
}
