/** The embedded composition: every service over one data directory, with the vendors of one configuration. */
import { Effect, FileSystem, Layer, Path } from "effect"
import type { AdapterRegistry, AdapterRegistryError } from "../services/AdapterRegistry.ts"
import type { IngestSession } from "../services/IngestSession.ts"
import type { MarketStore, MarketStoreError } from "../services/MarketStore.ts"
import {
  ArchiveReadOnly,
  ArchiveUnavailable,
  type ProvenanceStore,
  ProvenanceStoreError
} from "../services/ProvenanceStore.ts"
import type { Quota, QuotaError } from "../services/Quota.ts"
import type { StitchingCache } from "../services/StitchingCache.ts"
import * as ConfiguredVendors from "./adapters/ConfiguredVendors.ts"
import type { TapestryConfig } from "./config/TapestryConfig.ts"
import * as IngestSessionLive from "./ingest/IngestSessionLive.ts"
import * as MarketStoreSqlite from "./market/MarketStoreSqlite.ts"
import * as ProvenanceStoreSqlite from "./provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "./quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "./registry/AdapterRegistryInMemory.ts"
import { MaxAnswerRows } from "./stitching/MaxAnswerRows.ts"
import * as StitchingCacheLive from "./stitching/StitchingCacheLive.ts"

export interface TapestryOptions {
  /** Holds provenance.sqlite, responses/, market.sqlite and quota.sqlite; made when it is not there. */
  readonly dataDir: string
  readonly config: TapestryConfig
  /** Reads what is stored and writes nothing; the data directory must exist. */
  readonly readonly?: boolean
}

export type TapestryServices = AdapterRegistry | ProvenanceStore | IngestSession | Quota | MarketStore | StitchingCache

const ensureDirectory = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory, { recursive: true }).pipe(
    Effect.mapError((error) => {
      const denied = error.reason._tag === "PermissionDenied"
      const message = `the data directory ${directory} cannot be made: ${error.message}${denied ? "; choose another with --data-dir" : ""}`
      return new ProvenanceStoreError({
        reason: denied ? new ArchiveReadOnly({ message }) : new ArchiveUnavailable({ message })
      })
    })
  )
})

/** All services over `dataDir`. Opening fails with the error of the store that could not be opened. */
export const layer = (
  options: TapestryOptions
): Layer.Layer<
  TapestryServices,
  | ProvenanceStoreError
  | MarketStoreError
  | QuotaError
  | AdapterRegistryError
  | ConfiguredVendors.ConfiguredVendorsError,
  FileSystem.FileSystem | Path.Path
> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const path = yield* Path.Path
      const readonly = options.readonly === true
      if (!readonly) yield* ensureDirectory(options.dataDir)
      const stores = Layer.mergeAll(
        ProvenanceStoreSqlite.layer({ directory: options.dataDir, readonly, ...options.config.archive }),
        MarketStoreSqlite.layer({ filename: path.join(options.dataDir, "market.sqlite"), readonly }),
        // Who may only read spends nothing, so there is nothing to write down.
        QuotaSqlite.layer({ filename: readonly ? ":memory:" : path.join(options.dataDir, "quota.sqlite") })
      )
      const vendors = ConfiguredVendors.layer(options.config).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer))
      return StitchingCacheLive.layer.pipe(
        Layer.provide(Layer.succeed(MaxAnswerRows, options.config.maxRows)),
        Layer.provideMerge(IngestSessionLive.layer),
        Layer.provideMerge(Layer.mergeAll(stores, vendors))
      )
    })
  )
