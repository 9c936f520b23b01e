import { constants, gunzip } from "node:zlib"
import { Data, Effect, Stream } from "effect"
import { Zip } from "effect/encoding"

/** The payload cannot be unpacked; `message` has no file name, the caller knows it. */
export class UnpackFailure extends Data.TaggedError("UnpackFailure")<{ readonly message: string }> {}

export type Packing = "gzip" | "zip" | null

/** What the first bytes say; names of files are not believed. */
export const packingOf = (bytes: Uint8Array): Packing => {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip"
  const pk = bytes[0] === 0x50 && bytes[1] === 0x4b
  return pk && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6)) ? "zip" : null
}

/** The text of a payload; `member` is the name of the file inside a zip that it is. */
export interface Unpacked {
  readonly bytes: Uint8Array
  readonly member: string | null
}

/** Nothing unpacked may be larger, so that a small archive cannot fill the memory. */
const maxUnpacked = 1_073_741_824

const tooLarge = new UnpackFailure({ message: `it unpacks to more than ${maxUnpacked} bytes; split the file` })

const gunzipBytes = (bytes: Uint8Array): Effect.Effect<Uint8Array, UnpackFailure> =>
  Effect.callback((resume) => {
    gunzip(bytes, { maxOutputLength: maxUnpacked, finishFlush: constants.Z_FINISH }, (error, result) => {
      if (error === null) resume(Effect.succeed(result))
      else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") resume(Effect.fail(tooLarge))
      else if ("code" in error && error.code === "Z_BUF_ERROR") {
        resume(
          Effect.fail(new UnpackFailure({ message: "the gzip data breaks off: the file is truncated; copy it again" }))
        )
      } else
        resume(
          Effect.fail(new UnpackFailure({ message: `the gzip data is damaged (${error.message}); copy it again` }))
        )
    })
  })

const concatenated = Effect.fnUntraced(function* (body: Stream.Stream<Uint8Array, Zip.ZipError>) {
  const chunks: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(body, (chunk) => {
    size += chunk.length
    chunks.push(chunk)
    return size > maxUnpacked ? Effect.fail(tooLarge) : Effect.void
  })
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
})

/** The end record of a zip, which a file that was cut off does not have. Its comment may be up to 65,535 bytes long. */
const hasZipEnd = (bytes: Uint8Array): boolean => {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 65_535); at--) {
    if (bytes[at] === 0x50 && bytes[at + 1] === 0x4b && bytes[at + 2] === 5 && bytes[at + 3] === 6) return true
  }
  return false
}

const zipFailure = (error: Zip.ZipError | UnpackFailure): UnpackFailure =>
  error._tag === "UnpackFailure"
    ? error
    : new UnpackFailure({ message: `the zip is damaged (${error.message}); copy it again` })

/** `wanted` null takes the one file that there is, and fails where there are several. */
const unzip = Effect.fnUntraced(function* (bytes: Uint8Array, wanted: string | null) {
  if (!hasZipEnd(bytes)) {
    return yield* new UnpackFailure({ message: "the zip breaks off: the file is truncated; copy it again" })
  }
  const names: Array<string> = []
  const entries = Stream.make(bytes).pipe(
    Stream.pipeThroughChannel(Zip.decode()),
    Stream.filter(({ header }) => header.type === "File"),
    Stream.tap(({ header }) => Effect.sync(() => names.push(header.path)))
  )
  // A body can only be read before the next entry is pulled, so the search and the reading are one pass.
  const found = yield* entries.pipe(
    Stream.filter(({ header }) => wanted === null || header.path === wanted),
    Stream.mapEffect(({ header, body }) =>
      Effect.map(concatenated(body), (unpacked): Unpacked => ({ bytes: unpacked, member: header.path }))
    ),
    Stream.take(wanted === null ? 2 : 1),
    Stream.runCollect,
    Effect.mapError(zipFailure)
  )
  const [only, second] = found
  const some = names.slice(0, 5).join(", ")
  if (only === undefined) {
    return yield* new UnpackFailure({
      message:
        wanted === null
          ? "the zip holds no file"
          : `the zip holds no ${wanted}; it holds ${some === "" ? "nothing" : some}`
    })
  }
  if (second !== undefined) {
    return yield* new UnpackFailure({ message: `the zip holds several files (${some}); name one with member` })
  }
  return only
})

const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** The text inside a payload that may be gzipped or zipped, without its byte order mark. UTF-8 is expected. */
export const unpack = Effect.fnUntraced(function* (bytes: Uint8Array, member: string | null) {
  const packing = packingOf(bytes)
  const unpacked: Unpacked =
    packing === "gzip"
      ? { bytes: yield* gunzipBytes(bytes), member: null }
      : packing === "zip"
        ? yield* unzip(bytes, member)
        : { bytes, member: null }
  const text = unpacked.bytes
  if ((text[0] === 0xff && text[1] === 0xfe) || (text[0] === 0xfe && text[1] === 0xff)) {
    return yield* new UnpackFailure({ message: "the text is UTF-16; save it as UTF-8" })
  }
  return { bytes: withoutMark(text), member: unpacked.member }
})
