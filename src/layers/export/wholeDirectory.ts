/**
 * A directory that is there whole or not at all.
 *
 * Responsibilities: its files are written into a draft beside it, `.<name>.<pid>.<random>.tmp`; the draft is synced, takes the name in
 * one rename, and the parent is synced. A failure or an interruption removes the draft and leaves what was there before.
 *
 * Queueing: none; two that write to one place race for the name, and one of them is told that it is taken.
 *
 * Hard cases: a directory that holds anything cannot be replaced in one step, so the old one is moved aside first, then the new one
 * takes the name, then the old one is removed: a process that dies between the two leaves nothing at that name, and the old one whole
 * in `.<name>.<pid>.<random>.old`. Only what is an export, or empty, is ever replaced. Drafts of processes that died are removed by the
 * next export to the same place; what was moved aside is not, since it may be the only copy.
 */
import { randomBytes } from "node:crypto"
import { Effect, FileSystem, Path, type PlatformError } from "effect"
import { wordsOf } from "../platformWords.ts"
import { isAlive } from "../provenance/OwnerProcess.ts"
import { ExportError, ExportExists, ExportNotWritten } from "./ExportError.ts"
import { manifestName } from "./Manifest.ts"

const exists = (directory: string, message: string) =>
  new ExportError({ reason: new ExportExists({ directory, message: `${directory} ${message}` }) })

const notWritten = (directory: string) => (error: PlatformError.PlatformError) =>
  new ExportError({
    reason: new ExportNotWritten({ directory, message: `${directory} cannot be written: ${wordsOf(error)}` })
  })

/** What stands in the place: nothing, or something that may be replaced. */
const placeOf = Effect.fnUntraced(function* (directory: string, overwrite: boolean) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(directory))
  if (info._tag === "None") return "free"
  if (info.value.type !== "Directory")
    return yield* exists(directory, "is there and is no directory; choose another name")
  const entries = yield* Effect.mapError(fs.readDirectory(directory), notWritten(directory))
  if (entries.length === 0) return "empty"
  if (!overwrite)
    return yield* exists(directory, "is there already; add --overwrite to replace it, or choose another name")
  return entries.includes(manifestName)
    ? "export"
    : yield* exists(
        directory,
        `is not an export (it has no ${manifestName}), so it is not replaced; choose another name`
      )
})

const draftOf = /^\.(.+)\.(\d+)\.[0-9a-f]{8}\.tmp$/

const removeLeftovers = Effect.fnUntraced(function* (parent: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const entries = yield* Effect.orElseSucceed(fs.readDirectory(parent), () => [])
  for (const entry of entries) {
    const [, of, pid] = draftOf.exec(entry) ?? []
    if (of !== name || pid === undefined || (yield* isAlive({ pid: Number(pid), start: "" }))) continue
    yield* Effect.ignore(fs.remove(path.join(parent, entry), { recursive: true, force: true }))
  }
})

/** Fails before anything is read or fetched where the place is taken, or there is nothing that it could be in. */
export const checkPlace = Effect.fnUntraced(function* (directory: string, overwrite: boolean) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* placeOf(directory, overwrite)
  const parent = path.dirname(path.resolve(directory))
  const info = yield* Effect.option(fs.stat(parent))
  if (info._tag === "Some" && info.value.type === "Directory") return
  const message = `${parent} is no directory; make it first, or choose another place`
  return yield* new ExportError({ reason: new ExportNotWritten({ directory, message }) })
})

/** Runs `write` over the draft, and gives the draft the name when it has succeeded. */
export const wholeDirectory = Effect.fnUntraced(function* <A, E, R>(
  directory: string,
  overwrite: boolean,
  write: (draft: string) => Effect.Effect<A, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = Effect.mapError(notWritten(directory))
  const target = path.resolve(directory)
  const parent = path.dirname(target)
  const name = path.basename(target)
  const sync = (file: string) => Effect.scoped(Effect.flatMap(fs.open(file, { flag: "r" }), (handle) => handle.sync))

  yield* placeOf(directory, overwrite)
  yield* removeLeftovers(parent, name)
  const token = `.${name}.${process.pid}.${randomBytes(4).toString("hex")}`
  const draft = path.join(parent, `${token}.tmp`)
  const aside = path.join(parent, `${token}.old`)

  const publish = Effect.gen(function* () {
    yield* failed(sync(draft))
    // Looked at again: the rows took their time, and what came meanwhile is not ours to replace unasked.
    const place = yield* placeOf(directory, overwrite)
    if (place === "export") {
      yield* failed(fs.rename(target, aside))
      yield* failed(fs.rename(draft, target)).pipe(Effect.onError(() => Effect.ignore(fs.rename(aside, target))))
    } else yield* failed(fs.rename(draft, target))
    yield* failed(sync(parent))
    if (place === "export") yield* Effect.ignore(fs.remove(aside, { recursive: true, force: true }))
  })

  return yield* Effect.gen(function* () {
    yield* failed(fs.makeDirectory(draft))
    const written = yield* write(draft)
    yield* Effect.uninterruptible(publish)
    return written
  }).pipe(Effect.onError(() => Effect.ignore(fs.remove(draft, { recursive: true, force: true }))))
})
