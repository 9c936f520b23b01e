/**
 * Payloads too large for a database row: one file each, named by the sha256 of the bytes as they came, at
 * `responses/<2 hex>/<sha256>.bin`, or `.zst` where the file is one zstd frame of them.
 *
 * A file is written under a temporary name in the same directory, synced, renamed, and its directory synced, so a file of
 * that name is whole or it was damaged later. An existing file is compared byte by byte before it is relied on and replaced
 * when it differs: that costs less than writing it, and a file which is found torn heals when the same bytes come again.
 * Temporary files carry the process that writes them; those that a dead process left are removed after an unclean end.
 *
 * A file of a final name is only ever removed by `removeSync`, within a transaction that has seen that no row speaks of it; and a
 * row that speaks of a file is only written in a transaction that has seen the file (`isThereSync`). The database lets one of the
 * two go first, so neither can pull the ground from under the other, in whatever processes they are.
 */
import { createHash, randomBytes } from "node:crypto"
import { createReadStream, existsSync, rmSync, statSync } from "node:fs"
import { createZstdDecompress } from "node:zlib"
import { Effect, FileSystem, Path, PlatformError, Predicate, type Scope, Stream } from "effect"
import { FaultPoint } from "../FaultPoint.ts"
import { decode, type Encoded, type Encoding, encode, encoder, pays } from "./compression.ts"
import { isAlive } from "./OwnerProcess.ts"

/** How a payload is kept in a file. `stored`: bytes of the file. */
export interface StoredFile {
  readonly encoding: Encoding
  readonly stored: number
}

/** A payload that is written while it comes, before its hash is known. */
export interface FileDraft {
  readonly write: (chunk: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
  /** A file holds exactly what was written, on the disk, when this returns. Once, and nothing is written after it. */
  readonly adopt: (sha256: string, size: number) => Effect.Effect<StoredFile, PlatformError.PlatformError>
}

export interface PayloadFiles {
  readonly pathOf: (sha256: string, encoding: Encoding) => string
  /** A file holds exactly these bytes, on the disk, when this returns. `known`: as the database says that they are kept. */
  readonly write: (
    sha256: string,
    bytes: Uint8Array,
    known: Encoding | null
  ) => Effect.Effect<StoredFile, PlatformError.PlatformError>
  /** The bytes as they came; null where the frame is damaged. Fails with NotFound where there is no file. */
  readonly read: (
    sha256: string,
    encoding: Encoding,
    size: number
  ) => Effect.Effect<Uint8Array | null, PlatformError.PlatformError>
  /** The bytes as they came, a piece at a time; fails with InvalidData where the frame is damaged. */
  readonly stream: (sha256: string, encoding: Encoding) => Stream.Stream<Uint8Array, PlatformError.PlatformError>
  /** An empty draft; what is not adopted is removed when the scope closes. */
  readonly draft: Effect.Effect<FileDraft, PlatformError.PlatformError, Scope.Scope>
  /** sha256 of the bytes as they came, whatever their number; null where the frame is damaged. */
  readonly hash: (sha256: string, encoding: Encoding) => Effect.Effect<string | null, PlatformError.PlatformError>
  /**
   * Makes the compressed file of a plain one, which stays. `raw`: that would not pay; null: the plain one is damaged. Neither
   * leaves anything.
   */
  readonly compress: (sha256: string, size: number) => Effect.Effect<StoredFile | null, PlatformError.PlatformError>
  readonly isThereSync: (sha256: string, encoding: Encoding) => boolean
  /** Milliseconds since the file was written, by the clock of the file system; none: it is gone. */
  readonly ageSync: (sha256: string, encoding: Encoding) => number
  readonly removeSync: (sha256: string, encoding: Encoding) => void
  /** The directories that hold files, and what each holds. */
  readonly shards: Effect.Effect<ReadonlyArray<string>, PlatformError.PlatformError>
  readonly inShard: (
    shard: string
  ) => Effect.Effect<
    ReadonlyArray<{ readonly sha256: string; readonly encoding: Encoding }>,
    PlatformError.PlatformError
  >
  /** Removes the temporary files of processes that are gone. */
  readonly removeLeftovers: Effect.Effect<void, PlatformError.PlatformError>
}

/** Tells this process's own files from those of a predecessor that had the same process id. */
const processToken = randomBytes(6).toString("hex")
const temporary = /^(?:[0-9a-f]{64}|draft)\.(\d+)\.([0-9a-f]{12})\.[0-9a-f]{8}\.tmp$/
const final = /^([0-9a-f]{64})\.(bin|zst)$/
const extension = { raw: "bin", zstd: "zst" } as const

/** Beside the folders of the hashes, so that a draft can be renamed into one of them. */
const draftFolder = "drafts"

/** The decoder's own errors are about the bytes; all others are about the file. */
const readFailure = (path: string) => (cause: unknown) =>
  PlatformError.systemError({
    _tag: Predicate.hasProperty(cause, "code") && /^Z(STD)?_/.test(String(cause.code)) ? "InvalidData" : "Unknown",
    module: "FileSystem",
    method: "read",
    pathOrDescriptor: path,
    cause
  })

/** Reads a file through a transform, in pieces; `seen` gets those of the file, `took` those that come out. */
const transformed = (
  from: string,
  transform: NodeJS.ReadWriteStream,
  seen: (piece: Uint8Array) => void,
  took: (piece: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
) =>
  Effect.gen(function* () {
    const source = createReadStream(from, { highWaterMark: 262_144 })
    source.on("data", (piece: string | Buffer) => seen(typeof piece === "string" ? Buffer.from(piece) : piece))
    source.on("error", (cause) => transform.emit("error", cause))
    const iterator = source.pipe(transform)[Symbol.asyncIterator]()
    yield* Effect.addFinalizer(() => Effect.sync(() => void source.destroy()))
    for (;;) {
      const next = yield* Effect.tryPromise({ try: () => iterator.next(), catch: readFailure(from) })
      if (next.done === true) return
      if (next.value instanceof Uint8Array) yield* took(next.value)
    }
  })

export const make = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const act = yield* FaultPoint
  const root = path.join(directory, "responses")
  const prepared = new Set<string>()

  const shardOf = (sha256: string) => path.join(root, sha256.slice(0, 2))
  const pathOf: PayloadFiles["pathOf"] = (sha256, encoding) =>
    path.join(shardOf(sha256), `${sha256}.${extension[encoding]}`)

  const syncDirectory = (name: string) =>
    Effect.scoped(Effect.flatMap(fs.open(name, { flag: "r" }), (handle) => handle.sync))

  const prepare = Effect.fnUntraced(function* (shard: string) {
    if (prepared.has(shard)) return
    yield* fs.makeDirectory(shard, { recursive: true })
    yield* syncDirectory(root)
    yield* syncDirectory(directory)
    prepared.add(shard)
  })

  const sizeOf = (sha256: string, encoding: Encoding) =>
    Effect.map(fs.stat(pathOf(sha256, encoding)), ({ size }) => Number(size))

  const holds = Effect.fnUntraced(
    function* (sha256: string, encoding: Encoding, bytes: Uint8Array) {
      const stored = yield* sizeOf(sha256, encoding)
      if (encoding === "raw" && stored !== bytes.byteLength) return null
      const found = yield* decode(encoding, yield* fs.readFile(pathOf(sha256, encoding)), bytes.byteLength)
      return found !== null && Buffer.compare(found, bytes) === 0 ? { encoding, stored } : null
    },
    Effect.catch((error) => (error.reason._tag === "NotFound" ? Effect.succeed(null) : Effect.fail(error)))
  )

  const draftOf = (sha256: string) =>
    path.join(shardOf(sha256), `${sha256}.${process.pid}.${processToken}.${randomBytes(4).toString("hex")}.tmp`)

  /** A draft that is filled by `fill`, and takes its final name when that says so. */
  const written = Effect.fnUntraced(function* (
    sha256: string,
    encoding: Encoding,
    fill: (handle: FileSystem.File) => Effect.Effect<boolean, PlatformError.PlatformError>
  ) {
    yield* prepare(shardOf(sha256))
    const draft = draftOf(sha256)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const handle = yield* fs.open(draft, { flag: "wx" })
        const wanted = yield* fill(handle)
        if (wanted) yield* handle.sync
        return wanted
      })
    ).pipe(
      Effect.tap(() => Effect.sync(() => act("bytesWritten"))),
      Effect.tap((wanted) => (wanted ? fs.rename(draft, pathOf(sha256, encoding)) : fs.remove(draft))),
      Effect.tap(() => Effect.sync(() => act("renamed"))),
      Effect.onError(() => Effect.ignore(fs.remove(draft, { force: true })))
    )
  })

  const writeNew = (sha256: string, { bytes, encoding }: Encoded) =>
    Effect.uninterruptible(written(sha256, encoding, (handle) => Effect.as(handle.writeAll(bytes), true)))

  const write: PayloadFiles["write"] = Effect.fnUntraced(function* (sha256, bytes, known) {
    act("beforeBytes")
    let found: StoredFile | null = null
    for (const encoding of known === null ? (["zstd", "raw"] as const) : [known]) {
      found ??= yield* holds(sha256, encoding, bytes)
    }
    if (found === null) {
      const encoded = yield* encode(bytes)
      yield* writeNew(sha256, encoded)
      found = { encoding: encoded.encoding, stored: encoded.bytes.byteLength }
    }
    // Also for a file that was there: whoever renamed it may have died before this.
    yield* syncDirectory(shardOf(sha256))
    return found
  })

  /** The compressed file of what another holds; null where that holds something else. */
  const squeezed = Effect.fnUntraced(function* (from: string, sha256: string, size: number) {
    const hash = createHash("sha256")
    let stored = 0
    let whole = false
    const done = yield* written(sha256, "zstd", (handle) =>
      Effect.gen(function* () {
        yield* transformed(
          from,
          encoder(size),
          (piece) => hash.update(piece),
          (piece) => {
            stored += piece.byteLength
            return handle.writeAll(piece)
          }
        )
        whole = hash.digest("hex") === sha256
        return whole && pays(size, stored)
      }).pipe(Effect.scoped)
    )
    if (!whole) return null
    if (!done) return { encoding: "raw", stored: size } as const
    yield* syncDirectory(shardOf(sha256))
    return { encoding: "zstd", stored } as const
  })

  const compress: PayloadFiles["compress"] = Effect.fnUntraced(function* (sha256, size) {
    return (yield* sizeOf(sha256, "raw")) === size ? yield* squeezed(pathOf(sha256, "raw"), sha256, size) : null
  })

  const stream: PayloadFiles["stream"] = (sha256, encoding) => {
    const from = pathOf(sha256, encoding)
    return encoding === "raw"
      ? fs.stream(from, { chunkSize: 262_144 })
      : // Looked at first, so that a file that is not there is NotFound.
        Stream.unwrap(
          Effect.as(
            fs.access(from),
            Stream.suspend(() => {
              const source = createReadStream(from, { highWaterMark: 262_144 })
              const decoded = source.pipe(createZstdDecompress())
              source.on("error", (cause) => decoded.destroy(cause))
              return Stream.fromAsyncIterable(decoded, readFailure(from)).pipe(
                Stream.ensuring(Effect.sync(() => void source.destroy()))
              )
            })
          )
        )
  }

  const hash: PayloadFiles["hash"] = (sha256, encoding) =>
    stream(sha256, encoding).pipe(
      Stream.runFold(
        () => createHash("sha256"),
        (state, piece) => state.update(piece)
      ),
      Effect.map((state) => state.digest("hex")),
      Effect.catchIf(
        (error) => error.reason._tag === "InvalidData",
        () => Effect.succeed(null)
      )
    )

  /** As `holds`, of bytes that are not in memory. */
  const isWhole = (sha256: string, encoding: Encoding) =>
    hash(sha256, encoding).pipe(
      Effect.map((found) => found === sha256),
      Effect.catch((error) => (error.reason._tag === "NotFound" ? Effect.succeed(false) : Effect.fail(error)))
    )

  const draft: PayloadFiles["draft"] = Effect.gen(function* () {
    const folder = path.join(root, draftFolder)
    yield* prepare(folder)
    const name = path.join(folder, `draft.${process.pid}.${processToken}.${randomBytes(4).toString("hex")}.tmp`)
    yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(name, { force: true })))
    const handle = yield* fs.open(name, { flag: "wx" })
    const adopt: FileDraft["adopt"] = Effect.fnUntraced(function* (sha256, size) {
      act("beforeBytes")
      for (const encoding of ["zstd", "raw"] as const) {
        if (!(yield* isWhole(sha256, encoding))) continue
        yield* syncDirectory(shardOf(sha256))
        return { encoding, stored: yield* sizeOf(sha256, encoding) }
      }
      const made = yield* squeezed(name, sha256, size)
      if (made?.encoding === "zstd") return made
      yield* prepare(shardOf(sha256))
      yield* handle.sync
      act("bytesWritten")
      yield* fs.rename(name, pathOf(sha256, "raw"))
      act("renamed")
      yield* syncDirectory(shardOf(sha256))
      return { encoding: "raw" as const, stored: size }
    }, Effect.uninterruptible)
    return { write: (chunk) => handle.writeAll(chunk), adopt } satisfies FileDraft
  })

  const abandoned = Effect.fnUntraced(function* (name: string) {
    const [, pid, token] = temporary.exec(name) ?? []
    if (pid === undefined || token === processToken) return false
    return Number(pid) === process.pid || !(yield* isAlive({ pid: Number(pid), start: "" }))
  })

  const shards = Effect.gen(function* () {
    return (yield* fs.exists(root)) ? (yield* fs.readDirectory(root)).filter((name) => /^[0-9a-f]{2}$/.test(name)) : []
  })

  const inShard: PayloadFiles["inShard"] = Effect.fnUntraced(function* (shard) {
    return (yield* fs.readDirectory(path.join(root, shard))).flatMap((name) => {
      const [, sha256, kind] = final.exec(name) ?? []
      return sha256 === undefined ? [] : [{ sha256, encoding: kind === "zst" ? ("zstd" as const) : ("raw" as const) }]
    })
  })

  const removeLeftovers = Effect.fnUntraced(function* () {
    const drafts = (yield* fs.exists(path.join(root, draftFolder))) ? [draftFolder] : []
    for (const shard of [...drafts, ...(yield* shards)]) {
      for (const name of yield* fs.readDirectory(path.join(root, shard))) {
        if (yield* abandoned(name)) yield* fs.remove(path.join(root, shard, name), { force: true })
      }
    }
  })

  return {
    pathOf,
    write,
    read: (sha256, encoding, size) =>
      Effect.flatMap(fs.readFile(pathOf(sha256, encoding)), (bytes) => decode(encoding, bytes, size)),
    stream,
    draft,
    hash,
    compress,
    isThereSync: (sha256, encoding) => existsSync(pathOf(sha256, encoding)),
    ageSync: (sha256, encoding) =>
      Date.now() - (statSync(pathOf(sha256, encoding), { throwIfNoEntry: false })?.mtimeMs ?? Date.now()),
    removeSync: (sha256, encoding) => rmSync(pathOf(sha256, encoding), { force: true }),
    shards,
    inShard,
    removeLeftovers: Effect.provideService(removeLeftovers(), FileSystem.FileSystem, fs)
  } satisfies PayloadFiles
})
