import { Context, Effect, type Stream } from "effect"
import type { ProvenanceStoreError } from "./ProvenanceStore.ts"

/**
 * A body that was too large to be kept in memory while it came: it lies in a temporary file of the archive that started the
 * draft, and only that archive can take it, by `append`. `sha256` and `sizeBytes` are those of the whole; `beginning` is its
 * first 64 KiB.
 */
export interface SpooledBody {
  readonly _tag: "SpooledBody"
  readonly sha256: string
  readonly sizeBytes: number
  readonly beginning: Uint8Array
  /** Makes it the archive's payload of this hash, durably, and says how it is kept. Fails when it could not be written down whole. */
  readonly adopt: Effect.Effect<KeptBody, ProvenanceStoreError>
}

/** How the archive keeps a body in a file: as it came or as one zstd frame, and the size of the file in bytes. */
export interface KeptBody {
  readonly encoding: "raw" | "zstd"
  readonly stored: number
}

/** The body of an answer, as an adapter hands it over. */
export type AnswerBody = Uint8Array | SpooledBody

/** The bytes of a body, or the first 64 KiB of one that is on disk: enough to read what an error says. */
export const beginningOf = (body: AnswerBody): Uint8Array => (body instanceof Uint8Array ? body : body.beginning)

/** An archived payload that may not be held in memory whole. Its chunks are verified at the end: a damaged one fails there. */
export interface LargePayload {
  readonly _tag: "LargePayload"
  readonly sha256: string
  readonly sizeBytes: number
  /** The most that may be held, in bytes. */
  readonly limit: number
  readonly stream: Stream.Stream<Uint8Array, ProvenanceStoreError>
}

/** An archived payload: in memory up to the archive's payload limit. */
export type ArchivedBytes = Uint8Array | LargePayload

/**
 * Where an adapter puts the bytes of an answer as they come. `write` copies nothing: a chunk must not change after it
 * was given away. It says false when no more can be kept (a full disk); the adapter then ends its fetch with what it has,
 * and the archive says why when the answer is handed to it.
 */
export interface PayloadDraft {
  readonly write: (chunk: Uint8Array) => Effect.Effect<boolean>
  /** What was written, as the body of a VendorAnswer. Once. */
  readonly finish: Effect.Effect<AnswerBody>
}

/** One array of all chunks. */
export const concatenated = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

/** Keeps the bytes in memory, for adapters whose answers are bounded and are looked into before they are handed over. */
export const inMemory: Effect.Effect<PayloadDraft> = Effect.sync(() => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  return {
    write: (chunk) =>
      Effect.sync(() => {
        chunks.push(chunk)
        size += chunk.byteLength
        return true
      }),
    finish: Effect.sync(() => concatenated(chunks, size))
  }
})

/** Starts a draft. The session that archives the answer provides one of its own; by default the bytes stay in memory. */
export const PayloadDrafts = Context.Reference<Effect.Effect<PayloadDraft>>("tapestry/PayloadDrafts", {
  defaultValue: () => inMemory
})
