import { Context, Effect } from "effect"

/**
 * Where an adapter puts the bytes of an answer as they come. `write` keeps a copy of nothing: a chunk must not change after it
 * was given away. It says false when no more can be kept (a full disk); the adapter then ends its fetch with what it has,
 * and the archive says why when the answer is handed to it.
 */
export interface PayloadDraft {
  readonly write: (chunk: Uint8Array) => Effect.Effect<boolean>
  /** What was written, as the body of a VendorAnswer. Once. */
  readonly finish: Effect.Effect<Uint8Array>
}

const inMemory: Effect.Effect<PayloadDraft> = Effect.sync(() => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  return {
    write: (chunk) =>
      Effect.sync(() => {
        chunks.push(chunk)
        size += chunk.byteLength
        return true
      }),
    finish: Effect.sync(() => {
      const whole = new Uint8Array(size)
      let at = 0
      for (const chunk of chunks) {
        whole.set(chunk, at)
        at += chunk.byteLength
      }
      return whole
    })
  }
})

/** Starts a draft. The session that archives the answer provides one of its own; by default the bytes stay in memory. */
export const PayloadDrafts = Context.Reference<Effect.Effect<PayloadDraft>>("tapestry/PayloadDrafts", {
  defaultValue: () => inMemory
})
