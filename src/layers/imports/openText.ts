/** The text of a file, unpacked as its first bytes say (gzip, zstd, or as it is), and what it is: Arrow IPC, or lines. */
import { createGunzip, createZstdDecompress } from "node:zlib"
import { pipeThroughDuplex } from "@effect/platform-node/NodeStream"
import { Effect, type Scope, Stream } from "effect"
import { ImportsError, UnreadableText } from "../../services/Imports.ts"

export type Packing = "gzip" | "zstd" | null

const magics: ReadonlyArray<readonly [Exclude<Packing, null>, ReadonlyArray<number>]> = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]]
]
const packingOf = (bytes: Uint8Array): Packing =>
  magics.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte))?.[0] ?? null

const damaged = (packing: Exclude<Packing, null>) => (cause: unknown) =>
  new ImportsError({
    reason: new UnreadableText({
      line: null,
      message: `the ${packing} data is damaged or breaks off (${cause instanceof Error ? cause.message : String(cause)}); copy the file again`
    })
  })

/** What a text says it is: nothing, where it is lines of text. */
export type Content = "arrow" | "parquet" | null

const arrowFile = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]
const arrowStream = [0xff, 0xff, 0xff, 0xff]
const parquet = [0x50, 0x41, 0x52, 0x31]

const contentOf = (bytes: Uint8Array): Content => {
  const begins = (magic: ReadonlyArray<number>) => magic.every((byte, index) => bytes[index] === byte)
  if (begins(arrowFile) || begins(arrowStream)) return "arrow"
  return begins(parquet) ? "parquet" : null
}

export interface OpenText<E> {
  readonly packing: Packing
  readonly content: Content
  readonly text: Stream.Stream<Uint8Array, E | ImportsError>
}

const longestMagic = 6

/** Takes the first bytes, and gives them back in front of the rest. */
const peek = Effect.fnUntraced(function* <E>(bytes: Stream.Stream<Uint8Array, E>) {
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
  return { start, whole: Stream.concat(Stream.fromArray(first), Stream.fromPull(Effect.succeed(pull))) }
})

/** Names of files are not believed: what packs a text, and what it is, its first bytes say. */
export const openText: <E>(
  bytes: Stream.Stream<Uint8Array, E>
) => Effect.Effect<OpenText<E>, E | ImportsError, Scope.Scope> = Effect.fnUntraced(function* <E>(
  bytes: Stream.Stream<Uint8Array, E>
) {
  const outer = yield* peek(bytes)
  const packing = packingOf(outer.start)
  if (packing === null) return { packing, content: contentOf(outer.start), text: outer.whole }
  const inner = yield* peek(
    pipeThroughDuplex(outer.whole, {
      evaluate: () => (packing === "gzip" ? createGunzip() : createZstdDecompress()),
      onError: damaged(packing)
    })
  )
  return { packing, content: contentOf(inner.start), text: inner.whole }
})
