/** The real file system of a disk that fills up: writing fails with ENOSPC once this many bytes have been written. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Layer, PlatformError } from "effect"

const full = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "writeAll",
  cause: Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
})

export const fullAfter = (limit: number): Layer.Layer<FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      let written = 0
      const limited = (file: FileSystem.File): FileSystem.File => ({
        [FileSystem.FileTypeId]: FileSystem.FileTypeId,
        stat: file.stat,
        seek: (offset, from) => file.seek(offset, from),
        sync: file.sync,
        read: (buffer, options) => file.read(buffer, options),
        readAlloc: (size, options) => file.readAlloc(size, options),
        truncate: (length) => file.truncate(length),
        write: (buffer) => file.write(buffer),
        writeAll: (buffer) =>
          Effect.suspend(() => {
            const fits = Math.min(buffer.byteLength, limit - written)
            written += fits
            return fits === buffer.byteLength
              ? file.writeAll(buffer)
              : Effect.andThen(file.writeAll(buffer.subarray(0, fits)), Effect.fail(full))
          })
      })
      return { ...fs, open: (path, options) => Effect.map(fs.open(path, options), limited) }
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))
