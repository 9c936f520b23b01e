/**
 * Payloads too large for a database row: one file each, named by its sha256, at `responses/<2 hex>/<sha256>.bin`.
 *
 * A file is written under a temporary name in the same directory, synced, renamed, and its directory synced, so a file of
 * that name is whole or it was damaged later. An existing file is compared byte by byte before it is relied on and replaced
 * when it differs: that costs less than writing it, and a file which is found torn heals when the same bytes come again.
 * Temporary files carry the process that writes them; those that a dead process left are removed after an unclean end.
 */
import { createHash, randomBytes } from "node:crypto"
import { Effect, FileSystem, Path, type PlatformError, type Scope, Stream } from "effect"
import { FaultPoint } from "../FaultPoint.ts"
import { isAlive } from "./OwnerProcess.ts"

/** A payload that is written while it comes, before its hash is known. */
export interface FileDraft {
  readonly write: (chunk: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
  /** The payload's file holds exactly what was written, on the disk, when this returns. Once, and nothing is written after it. */
  readonly adopt: (sha256: string, size: number) => Effect.Effect<void, PlatformError.PlatformError>
}

export interface PayloadFiles {
  readonly pathOf: (sha256: string) => string
  /** The file holds exactly these bytes, on the disk, when this returns. */
  readonly write: (sha256: string, bytes: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
  /** Fails with NotFound where there is no file. */
  readonly read: (sha256: string) => Effect.Effect<Uint8Array, PlatformError.PlatformError>
  /** As `read`, a piece at a time. */
  readonly stream: (sha256: string) => Stream.Stream<Uint8Array, PlatformError.PlatformError>
  /** An empty draft; what is not adopted is removed when the scope closes. */
  readonly draft: Effect.Effect<FileDraft, PlatformError.PlatformError, Scope.Scope>
  /** Removes the temporary files of processes that are gone. */
  readonly removeLeftovers: Effect.Effect<void, PlatformError.PlatformError>
}

/** Tells this process's own files from those of a predecessor that had the same process id. */
const processToken = randomBytes(6).toString("hex")
const temporary = /^(?:[0-9a-f]{64}|draft)\.(\d+)\.([0-9a-f]{12})\.[0-9a-f]{8}\.tmp$/
/** Beside the folders of the hashes, so that a draft can be renamed into one of them. */
const draftFolder = "drafts"

export const make = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const act = yield* FaultPoint
  const root = path.join(directory, "responses")
  const prepared = new Set<string>()

  const shardOf = (sha256: string) => path.join(root, sha256.slice(0, 2))
  const pathOf: PayloadFiles["pathOf"] = (sha256) => path.join(shardOf(sha256), `${sha256}.bin`)

  const syncDirectory = (name: string) =>
    Effect.scoped(Effect.flatMap(fs.open(name, { flag: "r" }), (handle) => handle.sync))

  const prepare = Effect.fnUntraced(function* (shard: string) {
    if (prepared.has(shard)) return
    yield* fs.makeDirectory(shard, { recursive: true })
    yield* syncDirectory(root)
    yield* syncDirectory(directory)
    prepared.add(shard)
  })

  const holds = (sha256: string, bytes: Uint8Array) =>
    fs.stat(pathOf(sha256)).pipe(
      Effect.flatMap((info) =>
        Number(info.size) === bytes.byteLength
          ? Effect.map(fs.readFile(pathOf(sha256)), (found) => Buffer.compare(found, bytes) === 0)
          : Effect.succeed(false)
      ),
      Effect.catch((error) => (error.reason._tag === "NotFound" ? Effect.succeed(false) : Effect.fail(error)))
    )

  const writeNew = Effect.fnUntraced(function* (sha256: string, bytes: Uint8Array) {
    const shard = shardOf(sha256)
    yield* prepare(shard)
    const draft = path.join(shard, `${sha256}.${process.pid}.${processToken}.${randomBytes(4).toString("hex")}.tmp`)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const handle = yield* fs.open(draft, { flag: "wx" })
        yield* handle.writeAll(bytes)
        yield* handle.sync
      })
    ).pipe(
      Effect.tap(() => Effect.sync(() => act("bytesWritten"))),
      Effect.andThen(fs.rename(draft, pathOf(sha256))),
      Effect.tap(() => Effect.sync(() => act("renamed"))),
      Effect.onError(() => Effect.ignore(fs.remove(draft, { force: true })))
    )
  })

  const write: PayloadFiles["write"] = Effect.fnUntraced(function* (sha256, bytes) {
    act("beforeBytes")
    if (!(yield* holds(sha256, bytes))) yield* Effect.uninterruptible(writeNew(sha256, bytes))
    // Also for a file that was there: whoever renamed it may have died before this.
    yield* syncDirectory(shardOf(sha256))
  })

  const read: PayloadFiles["read"] = (sha256) => fs.readFile(pathOf(sha256))
  const stream: PayloadFiles["stream"] = (sha256) => fs.stream(pathOf(sha256), { chunkSize: 262_144 })

  /** As `holds`, of bytes that are not in memory: a file of that name and size is hashed. */
  const isWhole = (sha256: string, size: number) =>
    fs.stat(pathOf(sha256)).pipe(
      Effect.flatMap((info) =>
        Number(info.size) !== size
          ? Effect.succeed(false)
          : stream(sha256).pipe(
              Stream.runFold(
                () => createHash("sha256"),
                (hash, chunk) => hash.update(chunk)
              ),
              Effect.map((hash) => hash.digest("hex") === sha256)
            )
      ),
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
      const shard = shardOf(sha256)
      if (!(yield* isWhole(sha256, size))) {
        yield* prepare(shard)
        yield* handle.sync
        act("bytesWritten")
        yield* fs.rename(name, pathOf(sha256))
        act("renamed")
      }
      yield* syncDirectory(shard)
    }, Effect.uninterruptible)
    return { write: (chunk) => handle.writeAll(chunk), adopt } satisfies FileDraft
  })

  const abandoned = Effect.fnUntraced(function* (name: string) {
    const [, pid, token] = temporary.exec(name) ?? []
    if (pid === undefined || token === processToken) return false
    return Number(pid) === process.pid || !(yield* isAlive({ pid: Number(pid), start: "" }))
  })

  const removeLeftovers = Effect.fnUntraced(function* () {
    if (!(yield* fs.exists(root))) return
    for (const shard of yield* fs.readDirectory(root)) {
      for (const name of yield* fs.readDirectory(path.join(root, shard))) {
        if (yield* abandoned(name)) yield* fs.remove(path.join(root, shard, name), { force: true })
      }
    }
  })

  return {
    pathOf,
    write,
    read,
    stream,
    draft,
    removeLeftovers: Effect.provideService(removeLeftovers(), FileSystem.FileSystem, fs)
  } satisfies PayloadFiles
})
