/** Takes the content encodings off a body, last applied first. What is archived keeps them; this is for decoders. */
import type { Transform } from "node:stream"
import {
  type BrotliOptions,
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  type ZlibOptions,
  zstdDecompress
} from "node:zlib"
import { Effect, Schema } from "effect"
import { concatenated } from "../../services/PayloadDraft.ts"

/** The body is not what its `Content-Encoding` says, or becomes too large. */
export class ContentUndecodable extends Schema.TaggedError<ContentUndecodable>()("ContentUndecodable", {
  message: Schema.String
}) {}

/** What a request may say it accepts: all that `decodeContent` takes off. */
export const acceptedEncodings = "gzip, br, zstd"

type Unpack = (
  bytes: Uint8Array,
  options: ZlibOptions & BrotliOptions,
  done: (error: Error | null, result: Uint8Array) => void
) => void

const unpackers: Readonly<Record<string, Unpack>> = {
  gzip: gunzip,
  "x-gzip": gunzip,
  deflate: inflate,
  br: brotliDecompress,
  zstd: (bytes, { maxOutputLength }, done) =>
    zstdDecompress(bytes, maxOutputLength === undefined ? {} : { maxOutputLength }, done)
}

const unpack = (bytes: Uint8Array, encoding: string, limit: number): Effect.Effect<Uint8Array, ContentUndecodable> => {
  const with_ = unpackers[encoding]
  if (with_ === undefined) {
    return Effect.fail(new ContentUndecodable({ message: `nothing here reads content encoding ${encoding}` }))
  }
  return Effect.callback((resume) => {
    with_(bytes, { maxOutputLength: limit }, (error, result) => {
      if (error === null) return resume(Effect.succeed(result))
      const tooLarge = "code" in error && error.code === "ERR_BUFFER_TOO_LARGE"
      resume(
        Effect.fail(
          new ContentUndecodable({
            message: tooLarge
              ? `the ${encoding} body unpacks to more than ${limit} bytes`
              : `the body is not what its content encoding ${encoding} says (${error.message})`
          })
        )
      )
    })
  })
}

const streams: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress
}

/** As far as the bytes go, whole or not, up to `limit`; nothing where they are not what the encoding says. */
const unpackBeginning = (bytes: Uint8Array, encoding: string, limit: number): Effect.Effect<Uint8Array> => {
  const make = streams[encoding]
  if (make === undefined) return Effect.succeed(new Uint8Array(0))
  return Effect.callback((resume) => {
    const stream = make()
    const chunks: Array<Uint8Array> = []
    let size = 0
    const done = () => {
      stream.destroy()
      resume(Effect.succeed(concatenated(chunks, size).subarray(0, limit)))
    }
    stream.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk)
      size += chunk.byteLength
      if (size >= limit) done()
    })
    // Bytes that end too early have given what they hold before they fail.
    for (const event of ["end", "error"]) stream.on(event, done)
    stream.end(bytes)
    return Effect.sync(() => stream.destroy())
  })
}

/** The first `limit` bytes of a body, of which only a beginning may be there. */
export const decodeBeginning = (bytes: Uint8Array, header: string | null, limit: number): Effect.Effect<Uint8Array> =>
  Effect.map(
    encodingsOf(header).reduce<Effect.Effect<Uint8Array>>(
      (body, encoding) => Effect.flatMap(body, (packed) => unpackBeginning(packed, encoding, limit)),
      Effect.succeed(bytes)
    ),
    (plain) => plain.subarray(0, limit)
  )

/** The names in a `Content-Encoding`, in the order to take them off. */
export const encodingsOf = (header: string | null): ReadonlyArray<string> =>
  (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")
    .reverse()

/** `limit` bounds what each layer may unpack to, in bytes. */
export const decodeContent = (
  bytes: Uint8Array,
  header: string | null,
  limit: number
): Effect.Effect<Uint8Array, ContentUndecodable> =>
  encodingsOf(header).reduce<Effect.Effect<Uint8Array, ContentUndecodable>>(
    (body, encoding) => Effect.flatMap(body, (packed) => unpack(packed, encoding, limit)),
    Effect.succeed(bytes)
  )
