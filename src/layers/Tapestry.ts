/** The embedded composition: every service over one data directory, with the vendors of one configuration. */
import { Effect, FileSystem, Layer, Path, type PlatformError } from "effect"
import type { AdapterRegistry, AdapterRegistryError } from "../services/AdapterRegistry.ts"
import type { IngestSession } from "../services/IngestSession.ts"
import { MarketStore, type MarketStoreError } from "../services/MarketStore.ts"
import {
  ArchiveLost,
  ArchiveReadOnly,
  ArchiveUnavailable,
  ProvenanceStore,
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

const noDirectory = (directory: string, error: PlatformError.PlatformError) => {
  const denied = error.reason._tag === "PermissionDenied"
  const why = denied
    ? "this user may not write there"
    : error.reason._tag === "AlreadyExists" || error.reason._tag === "BadResource"
      ? "something that is no directory stands in its place"
      : error.message
  const message = `the data directory ${directory} cannot be made: ${why}; choose another with --data-dir`
  return new ProvenanceStoreError({
    reason: denied ? new ArchiveReadOnly({ message }) : new ArchiveUnavailable({ message })
  })
}

/** Makes a directory and those above it, one by one: where a parent is there and takes no child (/proc), Node's own way never ends. */
const ensureDirectory = (
  directory: string
): Effect.Effect<void, ProvenanceStoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const known = yield* Effect.result(fs.stat(directory))
    if (known._tag === "Success" && known.success.type === "Directory") return
    const parent = path.dirname(path.resolve(directory))
    if (known._tag === "Failure" && parent !== path.resolve(directory)) yield* ensureDirectory(parent)
    yield* fs.makeDirectory(directory).pipe(
      // Two processes may begin at once.
      Effect.catchIf(
        (error) => error.reason._tag === "AlreadyExists" && known._tag === "Failure",
        () => Effect.void
      ),
      Effect.mapError((error) => noDirectory(directory, error))
    )
  })

/** Refuses a market store whose rows came from another archive: their lineage would name the wrong answers. */
const sameArchive = (dataDir: string) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const archive = yield* ProvenanceStore
      const market = yield* MarketStore
      const referred = yield* market.newestResponse
      if (referred === null) return
      const [newest] = yield* archive.responses({ limit: 1 })
      if (newest !== undefined && newest.id >= referred) return
      return yield* new ProvenanceStoreError({
        reason: new ArchiveLost({
          message: `the market store in ${dataDir} refers to response ${referred}, and the archive there ends at ${newest?.id ?? 0}: it was lost or replaced. Put provenance.sqlite and responses/ back from a copy, or move market.sqlite away to begin anew`
        })
      })
    })
  )

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
      const opened = Layer.mergeAll(
        ProvenanceStoreSqlite.layer({ directory: options.dataDir, readonly, ...options.config.archive }),
        MarketStoreSqlite.layer({ filename: path.join(options.dataDir, "market.sqlite"), readonly }),
        // Who may only read spends nothing, so there is nothing to write down.
        QuotaSqlite.layer({ filename: readonly ? ":memory:" : path.join(options.dataDir, "quota.sqlite") })
      )
      const stores = Layer.provideMerge(sameArchive(options.dataDir), opened)
      const vendors = ConfiguredVendors.layer(options.config).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer))
      return StitchingCacheLive.layer.pipe(
        Layer.provide(Layer.succeed(MaxAnswerRows, options.config.maxRows)),
        Layer.provideMerge(IngestSessionLive.layer),
        Layer.provideMerge(Layer.mergeAll(stores, vendors))
      )
    })
  )
