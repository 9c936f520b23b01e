/**
 * A backup put back as a data directory.
 *
 * Everything is copied beside the place where it is to be, verified there (each database by the manifest, each payload file by its
 * hash), and then takes its name in one step. A directory that it replaces is set aside first and removed last, and comes back when
 * the new one cannot take its name. Killed anywhere it leaves what was there, or what is to be there, or, between the two names, both
 * beside it: the next restore then goes through.
 */
import { Effect, FileSystem, Path, Schema } from "effect"
import { FaultPoint } from "../FaultPoint.ts"
import * as OwnerLock from "../owner/OwnerLock.ts"
import * as PayloadFiles from "../provenance/PayloadFiles.ts"
import { BackupError } from "./BackupError.ts"
import { BackupManifest, manifestName } from "./BackupManifest.ts"
import { failing, hashFile, namedFiles, syncFolders, syncPath } from "./backupFiles.ts"

export interface RestoreOptions {
  readonly directory: string
  readonly dataDir: string
  /** Replaces a data directory that is there, which must have no owner. */
  readonly overwrite: boolean
  readonly progress?: (files: number) => Effect.Effect<void>
}

const decodeManifest = Schema.decodeUnknownEffect(Schema.fromJsonString(BackupManifest))

const readManifest = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* fs.readFileString(path.join(directory, manifestName)).pipe(
    Effect.mapError(
      () =>
        new BackupError({
          message: `${directory} has no ${manifestName}: it is no backup, or one that was not finished`
        })
    )
  )
  return yield* Effect.mapError(
    decodeManifest(text),
    (error) => new BackupError({ message: `${path.join(directory, manifestName)} cannot be read: ${error.message}` })
  )
})

const copyDatabases = Effect.fnUntraced(function* (directory: string, draft: string, manifest: BackupManifest) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const { file, name, sha256 } of manifest.databases) {
    const target = path.join(draft, path.basename(name))
    yield* fs.copyFile(path.join(directory, path.basename(file)), target)
    if ((yield* hashFile(target)).sha256 !== sha256) {
      return yield* new BackupError({
        message: `${path.join(directory, file)} is damaged: it is not what was backed up`
      })
    }
    yield* syncPath(target)
  }
})

const copyFiles = Effect.fnUntraced(function* ({ directory, progress }: RestoreOptions, draft: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const act = yield* FaultPoint
  const from = yield* PayloadFiles.make(directory)
  const to = yield* PayloadFiles.make(draft)
  let after = 0
  let count = 0
  for (;;) {
    const page = yield* namedFiles(path.join(draft, "provenance.sqlite"), after)
    const last = page.at(-1)
    if (last === undefined) return
    after = last.id
    for (const { encoding, sha256 } of page) {
      const source = from.pathOf(sha256, encoding)
      const target = to.pathOf(sha256, encoding)
      yield* fs.makeDirectory(path.dirname(target), { recursive: true })
      yield* fs.copyFile(source, target)
      if ((yield* to.hash(sha256, encoding)) !== sha256) {
        return yield* new BackupError({ message: `${source} is damaged: it does not hash to its name` })
      }
      yield* syncPath(target)
      act("upkeep")
      if (++count % 100 === 0) yield* progress?.(count) ?? Effect.void
    }
  }
})

/** Puts a backup back at a place where nothing is, or (`overwrite`) in place of what is there. Verified before it appears. */
export const restore = Effect.fn("Backup.restore")(
  function* (options: RestoreOptions) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const act = yield* FaultPoint
    const target = path.resolve(options.dataDir)
    const manifest = yield* readManifest(options.directory)
    const entries = yield* Effect.orElseSucceed(fs.readDirectory(target), () => null)
    const taken = entries !== null && entries.length > 0
    const unowned = Effect.gen(function* () {
      if (!taken || (yield* OwnerLock.find(target)) === null) return
      return yield* new BackupError({
        message: `${target} is in use; stop the process that owns it (tapestry doctor names it)`
      })
    })
    if (taken && !options.overwrite) {
      return yield* new BackupError({
        message: `${target} is there already; name another with --data-dir, or replace it with --overwrite`
      })
    }
    yield* unowned
    const parent = path.dirname(target)
    yield* fs.makeDirectory(parent, { recursive: true })
    for (const name of yield* fs.readDirectory(parent)) {
      if (!name.startsWith(`${path.basename(target)}.restoring-`)) continue
      yield* fs.remove(path.join(parent, name), { recursive: true })
    }
    const draft = `${target}.restoring-${process.pid}`
    yield* fs.makeDirectory(draft)
    yield* Effect.gen(function* () {
      yield* copyDatabases(options.directory, draft, manifest)
      act("upkeep")
      yield* copyFiles(options, draft)
      yield* syncFolders(draft)
      // Asked again: the copy took its time, and who began to own it meanwhile would write into what is removed.
      yield* unowned
    }).pipe(Effect.onError(() => Effect.ignore(fs.remove(draft, { recursive: true }))))
    const aside = `${target}.replaced-${process.pid}`
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        if (entries !== null) yield* fs.rename(target, aside)
        act("upkeep")
        yield* fs
          .rename(draft, target)
          .pipe(
            Effect.onError(() =>
              Effect.andThen(
                entries === null ? Effect.void : Effect.ignore(fs.rename(aside, target)),
                Effect.ignore(fs.remove(draft, { recursive: true }))
              )
            )
          )
        yield* syncPath(parent)
      })
    )
    act("upkeep")
    if (entries !== null) yield* fs.remove(aside, { recursive: true })
    return manifest
  },
  Effect.catchTag("PlatformError", (error) => Effect.fail(failing("the restore failed")(error)))
)
