import { Effect, type FileSystem, Layer, type Path } from "effect"
import type { TenantName } from "../../domain/Tenant.ts"
import { AdapterRegistry, type AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import { changesFor } from "../config/symbolChanges.ts"
import type { TapestryConfig } from "../config/TapestryConfig.ts"
import * as FileAdapter from "./file/FileAdapter.ts"
import * as SampleAdapter from "./sample/SampleAdapter.ts"
import * as SimulatedVendor from "./simulated/SimulatedVendor.ts"
import type { VendorConfig } from "./VendorConfig.ts"
import { withSymbolChanges } from "./withSymbolChanges.ts"

/** Two vendors of one name: `sample` is taken unless `sample: false` gives it up. */
export type ConfiguredVendorsError = AdapterRegistryError

/** Most configurations have vendors of one kind or two, and the code of the others costs memory. */
const load = <Module>(module: () => Promise<Module>): Effect.Effect<Module> => Effect.promise(module)

const adapterOf = (
  vendor: VendorConfig,
  registry: AdapterRegistry["Service"],
  dataDir: string,
  tenant?: TenantName
) => {
  switch (vendor.adapter) {
    case "fallback":
      return Effect.map(
        load(() => import("./fallback/FallbackAdapter.ts")),
        ({ make }) => make(vendor, registry)
      )
    case "file":
      return FileAdapter.make(vendor, { dataDir })
    case "http":
      return Effect.flatMap(
        load(() => import("./http/HttpAdapter.ts")),
        ({ make }) => make(vendor, { dataDir })
      )
    case "ibkr":
      return Effect.flatMap(
        load(() => import("./ibkr/IbkrAdapter.ts")),
        ({ make }) => make(vendor)
      )
    case "replay":
      return Effect.flatMap(
        load(() => import("./replay/openReplay.ts")),
        ({ openReplay }) => openReplay(vendor, { dataDir, ...(tenant === undefined ? {} : { tenant }) })
      )
    case "simulated":
      return SimulatedVendor.make(vendor)
    case "yahoo":
      return Effect.flatMap(
        load(() => import("./yahoo/YahooAdapter.ts")),
        ({ make }) => make(vendor)
      )
  }
}

/**
 * Registers every vendor of a configuration, and `sample` unless it is switched off, for as long as the layer lives. When one
 * cannot be registered, those before it are closed again. `dataDir` is where rows that lenient vendors skip are written.
 */
export const layer = (
  config: Pick<TapestryConfig, "vendors" | "sample" | "dataDir"> & Partial<Pick<TapestryConfig, "aliases" | "tenant">>
): Layer.Layer<never, ConfiguredVendorsError, AdapterRegistry | FileSystem.FileSystem | Path.Path> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      if (config.sample) yield* registry.register(SampleAdapter.make)
      for (const vendor of config.vendors) {
        const changes = changesFor(config.aliases ?? [], vendor.name)
        yield* registry.register(
          Effect.map(adapterOf(vendor, registry, config.dataDir, config.tenant), (adapter) =>
            withSymbolChanges(adapter, changes)
          )
        )
      }
    })
  )
