/** The whole way of a call, over a fresh data directory: archive, registry, quota, session. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, FileSystem, Layer } from "effect"
import * as IngestSessionLive from "../../../src/layers/ingest/IngestSessionLive.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import type { Adapter } from "../../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"

export const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** Registers these adapters for as long as the layer lives. */
export const vendors = (...adapters: ReadonlyArray<Adapter>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      for (const adapter of adapters) yield* Effect.orDie(registry.register(Effect.succeed(adapter)))
    })
  )

export const ingestOver = (
  options: ProvenanceStoreSqlite.ProvenanceStoreOptions,
  adapters: ReadonlyArray<Adapter>,
  store = ProvenanceStoreSqlite.layer(options)
) =>
  IngestSessionLive.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        store,
        vendors(...adapters).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer)),
        QuotaSqlite.layer({ filename: ":memory:" })
      )
    ),
    Layer.provide(platform),
    Layer.fresh
  )

/** A directory that is removed when the test ends. */
export const temporaryDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-archive-" })
}).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

/** As {@link ingestOver} in a directory of its own. */
export const ingest = (...adapters: ReadonlyArray<Adapter>) =>
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => ingestOver({ directory }, adapters)))
