/**
 * What commands work with: the services over a data directory, or the vendors alone. The layers, and with them the database
 * driver, are loaded when a command needs them and not before, so that `--help` stays light.
 */
import { Data, Effect, FileSystem, Layer, Path, References } from "effect"
import { levelOf } from "./logLevels.ts"
import { settings } from "./Settings.ts"

/** A command that only reads found nothing to read. */
export class NoDataDirectory extends Data.TaggedError("NoDataDirectory")<{ readonly message: string }> {}

const requireDirectory = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const there = yield* Effect.orElseSucceed(fs.exists(path.join(directory, "market.sqlite")), () => false)
  if (there) return
  const message = `nothing is stored in ${directory} yet; fetch something with 'tapestry bars', or name another with --data-dir`
  return yield* new NoDataDirectory({ message })
})

const loadLayers = Effect.promise(() => import("../layers/Tapestry.ts"))

/** Runs a command over the data directory of its settings. `readonly` ones write nothing and need it to be there. */
export const withData = <A, E, R>(options: { readonly readonly: boolean }, use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { config, dataDir, logLevel } = yield* settings
    if (options.readonly) yield* requireDirectory(dataDir.value)
    const { layer } = yield* loadLayers
    const data = layer({
      dataDir: dataDir.value,
      config: { ...config, dataDir: dataDir.value },
      readonly: options.readonly
    })
    return yield* Effect.provideService(Effect.provide(use, data), References.MinimumLogLevel, levelOf(logLevel.value))
  })

/** Runs a command over a data directory of its own, with the default configuration. */
export const withDataIn = <A, E, R>(dataDir: string, use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { defaults } = yield* Effect.promise(() => import("../layers/config/TapestryConfig.ts"))
    const { layer } = yield* loadLayers
    return yield* Effect.provide(use, layer({ dataDir, config: { ...defaults, dataDir } }))
  })

const vendors = Layer.unwrap(
  Effect.gen(function* () {
    const { config, dataDir } = yield* settings
    const [configured, registry] = yield* Effect.promise(() =>
      Promise.all([
        import("../layers/adapters/ConfiguredVendors.ts"),
        import("../layers/registry/AdapterRegistryInMemory.ts")
      ])
    )
    return configured.layer({ ...config, dataDir: dataDir.value }).pipe(Layer.provideMerge(registry.layer))
  })
)

/** Runs a command over the vendors alone; no data directory is touched. */
export const withVendors = <A, E, R>(use: Effect.Effect<A, E, R>) => Effect.provide(use, vendors)
