/** Where a replay puts the bytes of its responses: each into a file of its own, or all to standard output. */
import { Effect, FileSystem, Path, Stream } from "effect"
import type { ArchivedBytes } from "../../../services/PayloadDraft.ts"
import type { ProvenanceStoreError, ReplayedResponse } from "../../../services/ProvenanceStore.ts"
import { FileNotWritten, writeAtomically } from "../../terminal/AtomicFile.ts"
import { Output } from "../../terminal/Output.ts"

/** What became of one response's bytes: no bytes leave both null. */
export interface Written {
  readonly file: string | null
  readonly problem: string | null
}

const chunksOf = (bytes: ArchivedBytes): Stream.Stream<Uint8Array, ProvenanceStoreError> =>
  bytes instanceof Uint8Array ? Stream.succeed(bytes) : bytes.stream

/** Made when it is not there. */
export const directory = Effect.fnUntraced(function* (out: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    fs.makeDirectory(out, { recursive: true }),
    (error) => new FileNotWritten({ message: `${out} cannot be made: ${error.message}` })
  )
})

/**
 * Writes the bytes to `<out>/<place in the replay>-<response>-<12 digits of the sha256>.bin`, whole or not at all. Bytes that are
 * damaged, or were collected meanwhile, are a problem that is reported and no failure: what follows is still written.
 */
export const toFile = Effect.fnUntraced(function* (out: string, place: number, { bytes, response }: ReplayedResponse) {
  const path = yield* Path.Path
  const { id, sha256 } = response
  if (sha256 === null) return { file: null, problem: null }
  const file = `${String(place).padStart(6, "0")}-${id}-${sha256.slice(0, 12)}.bin`
  const write = Effect.gen(function* () {
    const payload = yield* bytes
    if (payload !== null) yield* writeAtomically(path.join(out, file), chunksOf(payload))
  })
  const written: Written = yield* Effect.as(write, { file, problem: null }).pipe(
    Effect.catchReason("ProvenanceStoreError", "PayloadDamaged", ({ message }) =>
      Effect.succeed({ file: null, problem: `response ${id}: ${message}` })
    )
  )
  return written
})

/** Writes the bytes to standard output; fails at the first that are damaged, since a gap could not be seen there. */
export const toOutput = Effect.fnUntraced(function* ({ bytes }: ReplayedResponse) {
  const { write } = yield* Output
  const payload = yield* bytes
  if (payload !== null) yield* Stream.runForEach(chunksOf(payload), write)
})
