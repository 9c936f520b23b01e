import { createHash, hash } from "node:crypto"
import { Effect } from "effect"

/** Larger payloads are hashed in pieces of this size with a turn of the event loop between them. */
const pieceBytes = 1_048_576

/** sha256 as 64 hex digits. */
export const sha256Hex = (bytes: Uint8Array | string): string => hash("sha256", bytes)

/** sha256 of a payload of any size, without holding the event loop. */
export const digest = (bytes: Uint8Array): Effect.Effect<string> => {
  if (bytes.byteLength <= pieceBytes) return Effect.sync(() => sha256Hex(bytes))
  return Effect.gen(function* () {
    const state = createHash("sha256")
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
      state.update(bytes.subarray(at, at + pieceBytes))
      yield* Effect.yieldNow
    }
    return state.digest("hex")
  })
}
