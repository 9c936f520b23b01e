import type { RpcSerialization } from "effect/rpc"
import { maxRequestBytes } from "./limits.ts"

/** A call that no server takes: thrown by the encoder, and caught where the call is sent. */
export class RequestTooLong extends Error {
  readonly bytes: number

  constructor(bytes: number) {
    super(`the call has ${bytes} bytes, and may have ${maxRequestBytes}; it was not sent`)
    this.bytes = bytes
  }
}

const utf8 = new TextEncoder()

/** Of a line, without its end, or of a binary frame. A character of a text has at most three bytes for each of its units. */
const bytesOf = (encoded: Uint8Array | string): number => {
  if (typeof encoded !== "string") return encoded.length
  return encoded.length * 3 <= maxRequestBytes ? encoded.length : utf8.encode(encoded).length - 1
}

/** The same format, but what is longer than a server takes is refused here: there it would cost all calls their connection. */
export const withRequestLimit = (
  serialization: RpcSerialization.RpcSerialization["Service"]
): RpcSerialization.RpcSerialization["Service"] => ({
  ...serialization,
  makeUnsafe: () => {
    const parser = serialization.makeUnsafe()
    return {
      decode: parser.decode,
      encode: (message) => {
        const encoded = parser.encode(message)
        if (encoded === undefined) return encoded
        const bytes = bytesOf(encoded)
        if (bytes > maxRequestBytes) throw new RequestTooLong(bytes)
        return encoded
      }
    }
  }
})
