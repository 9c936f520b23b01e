import { Effect, type FileSystem, Layer, type Path } from "effect"
import type { TenantName } from "../../domain/Tenant.ts"
import { AdapterRegistry, type AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import { changesFor } from "../config/symbolChanges.ts"
import type { TapestryConfig } from "../config/TapestryConfig.ts"
import * as FallbackAdapter from "./fallback/FallbackAdapter.ts"
import * as FileAdapter from "./file/FileAdapter.ts"
import * as HttpAdapter from "./http/HttpAdapter.ts"
import * as IbkrAdapter from "./ibkr/IbkrAdapter.ts"
import { openReplay } from "./replay/openReplay.ts"
import * as SampleAdapter from "./sample/SampleAdapter.ts"
import * as SimulatedVendor from "./simulated/SimulatedVendor.ts"
import type { VendorConfig } from "./VendorConfig.ts"
import { withSymbolChanges } from "./withSymbolChanges.ts"
import * as YahooAdapter from "./yahoo/YahooAdapter.ts"

/** Two vendors of one name: `sample` is taken unless `sample: false` gives it up. */
export type ConfiguredVendorsError = AdapterRegistryError

const adapterOf = (
  vendor: VendorConfig,
  registry: AdapterRegistry["Service"],
  dataDir: string,
  tenant?: TenantName
) => {
  switch (vendor.adapter) {
    case "fallback":
      return Effect.succeed(FallbackAdapter.make(vendor, registry))
    case "file":
      return FileAdapter.make(vendor, { dataDir })
    case "http":
      return HttpAdapter.make(vendor, { dataDir })
    case "ibkr":
      return IbkrAdapter.make(vendor)
    case "replay":
      return openReplay(vendor, { dataDir, ...(tenant === undefined ? {} : { tenant }) })
    case "simulated":
      return Effect.succeed(SimulatedVendor.make(vendor))
    case "yahoo":
      return YahooAdapter.make(vendor)
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
