/** The whole way of a call, over a fresh data directory: archive, registry, quota, session. */
import { Effect, Layer } from "effect"
import * as IngestSessionLive from "../../../src/layers/ingest/IngestSessionLive.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import type { Adapter } from "../../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { platform, temporaryDirectory } from "../provenance/temporary.ts"

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

/** As {@link ingestOver} in a directory of its own. */
export const ingest = (...adapters: ReadonlyArray<Adapter>) =>
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => ingestOver({ directory }, adapters)))
