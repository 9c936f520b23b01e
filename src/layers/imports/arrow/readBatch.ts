/** The one record batch of a segment. What packs bodies is made known to the library here, and nowhere else. */
import { zstdDecompressSync } from "node:zlib"
import { CompressionType, compressionRegistry, type RecordBatch, RecordBatchReader } from "apache-arrow"
import { Result } from "effect"
import { lz4Frame } from "./lz4Frame.ts"

/** Of one column, unpacked. */
const largestBuffer = 512 * 1024 * 1024

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes) => lz4Frame(bytes, largestBuffer) })
compressionRegistry.set(CompressionType.ZSTD, {
  // A copy: numbers of eight bytes are read where they lie.
  decode: (bytes) => Uint8Array.from(zstdDecompressSync(bytes, { maxOutputLength: largestBuffer }))
})

export const readBatch = (bytes: Uint8Array): Result.Result<RecordBatch, string> =>
  Result.flatMap(
    Result.mapError(
      Result.try(() => {
        const reader = RecordBatchReader.from(bytes)
        const { value } = reader.next()
        return (value ?? null) as RecordBatch | null
      }),
      (cause) =>
        `a record batch cannot be read (${cause instanceof Error ? cause.message : String(cause)}); write the file again`
    ),
    (batch) => (batch === null ? Result.fail("a record batch is missing; write the file again") : Result.succeed(batch))
  )
