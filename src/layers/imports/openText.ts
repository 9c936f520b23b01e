/** The text of a file, unpacked as its first bytes say: gzip, zstd, or as it is. */
import { createGunzip, createZstdDecompress } from "node:zlib"
import { pipeThroughDuplex } from "@effect/platform-node/NodeStream"
import { Effect, type Scope, Stream } from "effect"
import { ImportsError, UnreadableText } from "../../services/Imports.ts"

export type Packing = "gzip" | "zstd" | null

const magics: ReadonlyArray<readonly [Exclude<Packing, null>, ReadonlyArray<number>]> = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]]
]
const longestMagic = 4

/** Names of files are not believed. */
const packingOf = (bytes: Uint8Array): Packing =>
  magics.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte))?.[0] ?? null

const damaged = (packing: Exclude<Packing, null>) => (cause: unknown) =>
  new ImportsError({
    reason: new UnreadableText({
      line: null,
      message: `the ${packing} data is damaged or breaks off (${cause instanceof Error ? cause.message : String(cause)}); copy the file again`
    })
  })

export interface OpenText<E> {
  readonly packing: Packing
  readonly text: Stream.Stream<Uint8Array, E | ImportsError>
}

/** Takes the first bytes and gives them back in front of the rest. */
export const openText: <E>(bytes: Stream.Stream<Uint8Array, E>) => Effect.Effect<OpenText<E>, E, Scope.Scope> =
  Effect.fnUntraced(function* <E>(bytes: Stream.Stream<Uint8Array, E>) {
    const pull = yield* Stream.toPull(Stream.filter(bytes, (chunk) => chunk.length > 0))
    const first: Array<Uint8Array> = []
    let known = 0
    // A pipe may give its bytes one by one.
    while (known < longestMagic) {
      const more = yield* pull.pipe(
        Effect.map((chunks): ReadonlyArray<Uint8Array> | null => chunks),
        Effect.catchTag("Done", () => Effect.succeed(null))
      )
      if (more === null) break
      for (const chunk of more) {
        first.push(chunk)
        known += chunk.length
      }
    }
    const start = new Uint8Array(Math.min(known, longestMagic))
    let at = 0
    for (const chunk of first) {
      const part = chunk.subarray(0, start.length - at)
      start.set(part, at)
      at += part.length
    }
    const whole = Stream.concat(Stream.fromArray(first), Stream.fromPull(Effect.succeed(pull)))
    const packing = packingOf(start)
    const text: Stream.Stream<Uint8Array, E | ImportsError> =
      packing === null
        ? whole
        : pipeThroughDuplex(whole, {
            evaluate: () => (packing === "gzip" ? createGunzip() : createZstdDecompress()),
            onError: damaged(packing)
          })
    return { packing, text }
  })
