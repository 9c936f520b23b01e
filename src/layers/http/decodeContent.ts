/** Takes the content encodings off a body, last applied first. What is archived keeps them; this is for decoders. */
import { type BrotliOptions, brotliDecompress, gunzip, inflate, type ZlibOptions, zstdDecompress } from "node:zlib"
import { Effect, Schema } from "effect"

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
