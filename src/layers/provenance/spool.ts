/**
 * Drafts of payloads: up to the size of a database row in memory, from there on in a temporary file, hashed as it grows.
 *
 * The file belongs to the scope of the draft and is removed with it unless the archive has adopted it by then. One that a killed
 * process left is removed at the next start, like every temporary file (see PayloadFiles). Nothing here fails while bytes come:
 * what the disk said is remembered, no more is written, and `adopt` says it.
 */
import { createHash, type Hash } from "node:crypto"
import { Effect, Scope } from "effect"
import { concatenated, type PayloadDraft, type SpooledBody } from "../../services/PayloadDraft.ts"
import type { ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { archiveError } from "./archiveError.ts"
import type { FileDraft, PayloadFiles } from "./PayloadFiles.ts"

interface Spool {
  readonly file: FileDraft
  readonly hash: Hash
  readonly beginning: Uint8Array
}

/** A draft in the scope; `inlineLimit` is how many bytes stay in memory. */
export const draft = (files: PayloadFiles, inlineLimit: number): Effect.Effect<PayloadDraft, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let chunks: Array<Uint8Array> = []
    let size = 0
    let spool: Spool | null = null
    let failure: ProvenanceStoreError | null = null

    const spill = Effect.fnUntraced(function* () {
      const whole = concatenated(chunks, size)
      chunks = []
      const file = yield* Scope.provide(files.draft, scope)
      yield* file.write(whole)
      spool = { file, hash: createHash("sha256").update(whole), beginning: whole.subarray(0, inlineLimit) }
    })

    const take = (chunk: Uint8Array) =>
      Effect.suspend(() => {
        size += chunk.byteLength
        if (spool !== null) {
          spool.hash.update(chunk)
          return spool.file.write(chunk)
        }
        chunks.push(chunk)
        return size > inlineLimit ? spill() : Effect.void
      })

    const write: PayloadDraft["write"] = (chunk) =>
      failure !== null
        ? Effect.succeed(false)
        : Effect.uninterruptible(
            Effect.match(take(chunk), {
              onSuccess: () => true,
              onFailure: (error) => {
                failure = archiveError(error)
                return false
              }
            })
          )

    const finish = Effect.sync(() => {
      if (spool === null && failure === null) return concatenated(chunks, size)
      const sha256 = spool?.hash.digest("hex") ?? ""
      const body: SpooledBody = {
        _tag: "SpooledBody",
        sha256,
        sizeBytes: size,
        beginning: spool?.beginning ?? new Uint8Array(0),
        adopt: Effect.suspend(() => {
          if (failure !== null) return Effect.fail(failure)
          return spool === null
            ? Effect.die(new Error("nothing was spooled"))
            : Effect.mapError(spool.file.adopt(sha256, size), archiveError)
        })
      }
      return body
    })

    return { write, finish }
  })
