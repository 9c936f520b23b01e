/**
 * What commands work with: the services over a data directory, or the vendors alone. The layers, and with them the database
 * driver, are loaded when a command needs them and not before, so that `--help` stays light.
 */
import { Effect, FileSystem, Layer, References } from "effect"
import { holdsData } from "./holdsData.ts"
import { levelOf } from "./logLevels.ts"
import { settings } from "./Settings.ts"
import { Output } from "./terminal/Output.ts"

/**
 * Where to read from. A data directory that is not there reads as an empty one, so that the answer is the same kind of answer
 * (nothing covered, no sessions); standard error says so, in case the name is mistyped.
 */
const directoryToRead = Effect.fnUntraced(function* (directory: string) {
  if (yield* holdsData(directory)) return { dataDir: directory, readonly: true }
  const { note } = yield* Output
  yield* note(`nothing is stored in ${directory} yet`)
  const fs = yield* FileSystem.FileSystem
  return { dataDir: yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-empty-" }), readonly: false }
})

const loadLayers = Effect.promise(() => import("../layers/Tapestry.ts"))

/** Runs a command over the data directory of its settings. `readonly` ones write nothing there. */
export const withData = <A, E, R>(options: { readonly readonly: boolean }, use: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { config, dataDir, logLevel } = yield* settings
      const where = options.readonly
        ? yield* directoryToRead(dataDir.value)
        : { dataDir: dataDir.value, readonly: false }
      const { layer } = yield* loadLayers
      const data = layer({ ...where, config: { ...config, dataDir: where.dataDir } })
      return yield* Effect.provideService(
        Effect.provide(use, data),
        References.MinimumLogLevel,
        levelOf(logLevel.value)
      )
    })
  )

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
