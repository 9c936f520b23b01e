/** The real file system with something in front of it that a test decides. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Layer, PlatformError } from "effect"

interface FileHooks {
  readonly writeAll: (file: FileSystem.File, buffer: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
  /** What was done to which path, in order. */
  readonly done: (what: "write" | "sync" | "rename", path: string) => void
}

const over = (hooks: FileHooks): Layer.Layer<FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const hooked =
        (path: string) =>
        (file: FileSystem.File): FileSystem.File => ({
          [FileSystem.FileTypeId]: FileSystem.FileTypeId,
          stat: file.stat,
          seek: (offset, from) => file.seek(offset, from),
          sync: Effect.tap(file.sync, () => Effect.sync(() => hooks.done("sync", path))),
          read: (buffer, options) => file.read(buffer, options),
          readAlloc: (size, options) => file.readAlloc(size, options),
          truncate: (length) => file.truncate(length),
          write: (buffer) => file.write(buffer),
          writeAll: (buffer) =>
            Effect.tap(hooks.writeAll(file, buffer), () => Effect.sync(() => hooks.done("write", path)))
        })
      return {
        ...fs,
        open: (path, options) => Effect.map(fs.open(path, options), hooked(path)),
        rename: (from, to) => Effect.tap(fs.rename(from, to), () => Effect.sync(() => hooks.done("rename", to)))
      }
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))

const full = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "writeAll",
  cause: Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
})

/** A disk that fills up: writing fails with ENOSPC once this many bytes have been written. */
export const fullAfter = (limit: number): Layer.Layer<FileSystem.FileSystem> => {
  let written = 0
  return over({
    done: () => {},
    writeAll: (file, buffer) =>
      Effect.suspend(() => {
        const fits = Math.min(buffer.byteLength, limit - written)
        written += fits
        return fits === buffer.byteLength
          ? file.writeAll(buffer)
          : Effect.andThen(file.writeAll(buffer.subarray(0, fits)), Effect.fail(full))
      })
  })
}

/** A disk that is full while `isFull` says so. */
export const fullWhile = (isFull: () => boolean): Layer.Layer<FileSystem.FileSystem> =>
  over({
    done: () => {},
    writeAll: (file, buffer) => Effect.suspend(() => (isFull() ? Effect.fail(full) : file.writeAll(buffer)))
  })

/** Writes down what is done, as `sync <path>`. */
export const recorded = (log: Array<string>): Layer.Layer<FileSystem.FileSystem> =>
  over({
    done: (what, path) => log.push(`${what} ${path}`),
    writeAll: (file, buffer) => file.writeAll(buffer)
  })
