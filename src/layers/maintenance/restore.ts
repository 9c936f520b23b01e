/**
 * A backup put back as a data directory.
 *
 * Everything is copied beside the place where it is to be (`<place>.restoring`), verified there (each database by the manifest, each
 * payload file by its hash), and then takes its name in one step. A directory that it replaces is set aside first
 * (`<place>.replaced-<pid>`) and removed last, and comes back when the new one cannot take its name. Queueing: none; a second restore to
 * the same place is refused, by a lock in the copy that the kernel drops with its process.
 *
 * Hard cases: killed anywhere it leaves what was there, or what is to be there, or, between the two names, both beside it: the next restore
 * then goes through. What was set aside by one that was killed may be all that somebody has, so it is named and never removed.
 */
import { Effect, FileSystem, Path, Schema } from "effect"
import { FaultPoint } from "../FaultPoint.ts"
import * as ExclusiveFile from "../owner/ExclusiveFile.ts"
import * as OwnerLock from "../owner/OwnerLock.ts"
import * as PayloadFiles from "../provenance/PayloadFiles.ts"
import { BackupError } from "./BackupError.ts"
import { BackupManifest, manifestName } from "./BackupManifest.ts"
import { failing, hashFile, namedFiles, syncFolders, syncPath } from "./backupFiles.ts"
import { setAside } from "./setAside.ts"

export interface RestoreOptions {
  readonly directory: string
  readonly dataDir: string
  /** Replaces a data directory that is there, which must have no owner. */
  readonly overwrite: boolean
  readonly progress?: (files: number) => Effect.Effect<void>
}

export interface Restored {
  readonly manifest: BackupManifest
  /** Data directories that restores to this place, killed or refused, have left beside it. */
  readonly setAside: ReadonlyArray<string>
}

/** In the copy, and for an instant in the directory that it becomes. */
const lockName = "restoring"

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

/** Makes the place of the copy, held until the scope closes, and empties it of what a killed restore has left there. */
const takeDraft = Effect.fnUntraced(function* (target: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const draft = `${target}.restoring`
  const lock = path.join(draft, lockName)
  yield* fs.makeDirectory(draft, { recursive: true })
  const held = yield* Effect.mapError(ExclusiveFile.hold(lock), failing("the restore failed"))
  // A lock that another one has just ended with is gone, and the copy with it.
  if (!held || !(yield* fs.exists(lock))) {
    return yield* new BackupError({ message: `another restore to ${target} is running; wait for its end, or stop it` })
  }
  for (const name of yield* fs.readDirectory(draft)) {
    if (name !== lockName) yield* fs.remove(path.join(draft, name), { recursive: true })
  }
  return draft
})

/** Gives the copy its name; what is there is set aside under `aside`, and put back when that fails. */
const takeName = Effect.fnUntraced(function* (draft: string, target: string, aside: string | null) {
  const fs = yield* FileSystem.FileSystem
  const act = yield* FaultPoint
  if (aside !== null) yield* fs.rename(target, aside)
  act("upkeep")
  const putBack =
    aside === null
      ? Effect.void
      : Effect.mapError(
          fs.rename(aside, target),
          (error) =>
            new BackupError({
              message: `the restore failed, and so did putting back what was there (${error.message}): it is whole in ${aside}; rename it to ${target}`
            })
        )
  yield* Effect.catch(fs.rename(draft, target), (error) => Effect.andThen(putBack, Effect.fail(error)))
}, Effect.uninterruptible)

/** Puts a backup back at a place where nothing is, or (`overwrite`) in place of what is there. Verified before it appears. */
export const restore = Effect.fn("Backup.restore")(
  function* (options: RestoreOptions) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const act = yield* FaultPoint
    const target = path.resolve(options.dataDir)
    const parent = path.dirname(target)
    const manifest = yield* readManifest(options.directory)
    /** Whether a directory is there; refused where it may not be replaced. */
    const replaceable = Effect.gen(function* () {
      const entries = yield* Effect.orElseSucceed(fs.readDirectory(target), () => null)
      if (entries === null || entries.length === 0) return entries !== null
      if (!options.overwrite) {
        return yield* new BackupError({
          message: `${target} is there already; name another with --data-dir, or replace it with --overwrite`
        })
      }
      if ((yield* OwnerLock.find(target)) === null) return true
      return yield* new BackupError({
        message: `${target} is in use; stop the process that owns it (tapestry doctor names it)`
      })
    })
    yield* replaceable
    yield* fs.makeDirectory(parent, { recursive: true })
    const draft = yield* takeDraft(target)
    const aside = `${target}.replaced-${process.pid}`
    const replaced = yield* Effect.gen(function* () {
      yield* copyDatabases(options.directory, draft, manifest)
      act("upkeep")
      yield* copyFiles(options, draft)
      yield* syncFolders(draft)
      // Asked again: the copy took its time, and who began to own it meanwhile would write into what is removed.
      const there = yield* replaceable
      yield* takeName(draft, target, there ? aside : null)
      return there
    }).pipe(Effect.onError(() => Effect.ignore(fs.remove(draft, { recursive: true }))))
    yield* syncPath(parent)
    yield* fs.remove(path.join(target, lockName))
    act("upkeep")
    // What was there is of no use any more; where it cannot be removed the restore is done all the same.
    if (replaced) yield* Effect.ignore(fs.remove(aside, { recursive: true }))
    const restored: Restored = { manifest, setAside: yield* setAside(target) }
    return restored
  },
  Effect.scoped,
  Effect.catchTag("PlatformError", (error) => Effect.fail(failing("the restore failed")(error)))
)
