/**
 * A copy of a data directory while it is in use, and its way back.
 *
 * Responsibilities: (1) the market store, then the quota, then the archive, each as of one instant, so that the archive is never older
 * than the rows that refer to it; (2) the payload files that this archive names, linked where the file system can, else copied; those that
 * an earlier backup in the same directory has are kept; (3) last of all the manifest. A directory without one is no backup.
 *
 * It runs in a process of its own beside the owner, and touches no file of the owner's lock: closing a copy of that in the owner's
 * process would let go of it.
 *
 * Hard cases: killed anywhere it leaves the earlier backup as it was, with files beside it that the next run uses or removes. A gc or a
 * compaction that takes a file away in the meantime, or removes what the copied rows refer to, makes it begin again. Payload files never
 * change once they have their name, so a link is as good as a copy until the disk itself fails.
 */
import { Clock, Effect, FileSystem, Path, Schema } from "effect"
import { FaultPoint } from "../FaultPoint.ts"
import * as PayloadFiles from "../provenance/PayloadFiles.ts"
import { BackupError } from "./BackupError.ts"
import { BackupManifest, manifestName } from "./BackupManifest.ts"
import { copyDatabase, failing, hashFile, namedFiles, removalsOf, syncFolders, syncPath } from "./backupFiles.ts"

export interface BackupOptions {
  readonly dataDir: string
  readonly directory: string
  readonly product: string
  readonly progress?: (files: number) => Effect.Effect<void>
}

/** In this order. */
const databases = ["market.sqlite", "quota.sqlite", "provenance.sqlite"] as const
const archiveName = "provenance.sqlite"
const tries = 5

const encodeManifest = Schema.encodeSync(Schema.fromJsonString(BackupManifest))

/** A directory that holds something else than a backup is left alone. */
const prepare = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory, { recursive: true })
  const entries = yield* fs.readDirectory(directory)
  const other = entries.find(
    (name) =>
      name !== "responses" && !name.startsWith(manifestName) && !/^(market|quota|provenance)-\d+\.sqlite/.test(name)
  )
  if (other === undefined) return
  return yield* new BackupError({
    message: `${directory} holds ${other}, which is of no backup; give an empty directory, or that of an earlier backup`
  })
})

const copyFiles = Effect.fnUntraced(function* (options: BackupOptions, archive: string) {
  const fs = yield* FileSystem.FileSystem
  const act = yield* FaultPoint
  const from = yield* PayloadFiles.make(options.dataDir)
  const to = yield* PayloadFiles.make(options.directory)
  const path = yield* Path.Path
  const names = new Set<string>()
  let bytes = 0
  let after = 0
  for (;;) {
    const page = yield* namedFiles(archive, after)
    const last = page.at(-1)
    if (last === undefined) return { names, bytes }
    after = last.id
    for (const { encoding, sha256 } of page) {
      const source = from.pathOf(sha256, encoding)
      const target = to.pathOf(sha256, encoding)
      const size = yield* Effect.map(fs.stat(source), (info) => Number(info.size))
      const there = yield* fs.stat(target).pipe(
        Effect.map((info) => Number(info.size) === size),
        Effect.orElseSucceed(() => false)
      )
      if (!there) {
        yield* fs.makeDirectory(path.dirname(target), { recursive: true })
        const draft = `${target}.tmp`
        yield* fs.remove(draft, { force: true })
        yield* Effect.catch(fs.link(source, draft), () => Effect.andThen(fs.copyFile(source, draft), syncPath(draft)))
        yield* fs.rename(draft, target)
        act("upkeep")
      }
      names.add(path.basename(target))
      bytes += size
      if (names.size % 100 === 0) yield* options.progress?.(names.size) ?? Effect.void
    }
  }
})

/** Null: something was removed in the meantime, so that the copies do not fit together. */
const attempt = Effect.fnUntraced(function* (options: BackupOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const act = yield* FaultPoint
  const takenAt = yield* Clock.currentTimeMillis
  const source = (name: string) => path.join(options.dataDir, name)
  const removals = yield* removalsOf(source(archiveName))
  const copied: Array<BackupManifest["databases"][number]> = []
  for (const name of databases) {
    if (!(yield* fs.exists(source(name)))) continue
    const file = name.replace(".sqlite", `-${takenAt}.sqlite`)
    const target = path.join(options.directory, file)
    yield* copyDatabase(source(name), target)
    yield* syncPath(target)
    copied.push({ name, file, ...(yield* hashFile(target)) })
    act("upkeep")
  }
  const archive = path.join(options.directory, archiveName.replace(".sqlite", `-${takenAt}.sqlite`))
  if ((yield* removalsOf(archive)) !== removals) return null
  const files = yield* copyFiles(options, archive).pipe(
    Effect.catchIf(
      (error) => error._tag === "PlatformError" && error.reason._tag === "NotFound",
      () => Effect.succeed(null)
    )
  )
  if (files === null) return null
  const manifest: BackupManifest = {
    format: 1,
    product: options.product,
    takenAt: Math.floor(takenAt),
    databases: copied,
    payloadFiles: files.names.size,
    payloadFileBytes: files.bytes
  }
  return { manifest, names: files.names }
})

/** What belongs to no backup any more: databases of earlier ones, and payloads that a gc has removed. */
const tidy = Effect.fnUntraced(function* (directory: string, manifest: BackupManifest, names: ReadonlySet<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const kept = new Set([manifestName, "responses", ...manifest.databases.map(({ file }) => file)])
  for (const name of yield* fs.readDirectory(directory)) {
    if (!kept.has(name)) yield* fs.remove(path.join(directory, name), { force: true })
  }
  const root = path.join(directory, "responses")
  if (!(yield* fs.exists(root))) return
  for (const shard of yield* fs.readDirectory(root)) {
    for (const name of yield* fs.readDirectory(path.join(root, shard))) {
      if (!names.has(name)) yield* fs.remove(path.join(root, shard, name), { force: true })
    }
  }
})

/** Copies a data directory into a directory that is empty or holds an earlier backup of it. */
export const backup = Effect.fn("Backup.backup")(
  function* (options: BackupOptions) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const act = yield* FaultPoint
    if (!(yield* fs.exists(path.join(options.dataDir, archiveName)))) {
      return yield* new BackupError({
        message: `${options.dataDir} holds no archive; name the data directory with --data-dir`
      })
    }
    yield* prepare(options.directory)
    for (let round = 1; round <= tries; round++) {
      const made = yield* attempt(options)
      if (made === null) continue
      const target = path.join(options.directory, manifestName)
      yield* syncFolders(options.directory)
      yield* fs.writeFileString(`${target}.tmp`, `${encodeManifest(made.manifest)}\n`)
      yield* syncPath(`${target}.tmp`)
      act("upkeep")
      yield* fs.rename(`${target}.tmp`, target)
      yield* syncPath(options.directory)
      act("upkeep")
      yield* tidy(options.directory, made.manifest, made.names)
      return made.manifest
    }
    return yield* new BackupError({
      message: `${options.dataDir} was cleared of old answers ${tries} times while it was copied; try again when archive gc has ended`
    })
  },
  Effect.catchTag("PlatformError", (error) => Effect.fail(failing("the backup failed")(error)))
)
