/** A stream of text or bytes as a file's name asks for it: `.gz`, `.zst`, or as it is. What reads it knows by the first bytes. */
import { createGzip, createZstdCompress } from "node:zlib"
import { pipeThroughDuplex } from "@effect/platform-node/NodeStream"
import { Data, Stream } from "effect"

/** The compressor has failed: for want of memory, as far as is known. */
export class PackingFailed extends Data.TaggedError("PackingFailed")<{ readonly message: string }> {}

/** The name without the end that says how it is packed. */
export const unpackedName = (file: string): string => file.replace(/\.(gz|zst)$/i, "")

export const packed = <E, R>(
  file: string,
  chunks: Stream.Stream<string | Uint8Array, E, R>
): Stream.Stream<string | Uint8Array, E | PackingFailed, R> => {
  const through = file.toLowerCase().endsWith(".gz")
    ? createGzip
    : file.toLowerCase().endsWith(".zst")
      ? createZstdCompress
      : null
  if (through === null) return chunks
  const encoder = new TextEncoder()
  const bytes = Stream.map(chunks, (chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk))
  return pipeThroughDuplex(bytes, {
    evaluate: () => through(),
    onError: (error) => new PackingFailed({ message: `${file} cannot be packed: ${String(error)}` })
  })
}
