import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, FileSystem, Layer } from "effect"

export const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** A directory that is removed when the test ends. */
export const temporaryDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-archive-" })
}).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)
