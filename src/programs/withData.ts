/**
 * What commands work with: the services over a data directory, or the vendors alone. The layers, and with them the database
 * driver, are loaded when a command needs them and not before, so that `--help` stays light.
 */
import { Effect, FileSystem, Layer, References } from "effect"
import manifest from "../../package.json" with { type: "json" }
import { defaultTenant } from "../domain/Tenant.ts"
import type { TapestryConfig } from "../layers/config/TapestryConfig.ts"
import type { TapestryClient } from "../rpc/client/TapestryClient.ts"
import { holdsData } from "./holdsData.ts"
import { levelOf } from "./logLevels.ts"
import type { ThroughOwnerOptions } from "./owner/throughOwner.ts"
import { settings } from "./Settings.ts"
import { Output } from "./terminal/Output.ts"

const loadLayers = Effect.promise(() => import("../layers/Tapestry.ts"))

/**
 * What there is to read. A data directory that is not there reads as an empty one, so that the answer is the same kind of answer
 * (nothing covered, no sessions); standard error says so, in case the name is mistyped.
 */
const stored = Effect.fnUntraced(function* (dataDir: string, config: TapestryConfig) {
  const { layer, layerReadonly } = yield* loadLayers
  if (yield* holdsData(dataDir)) return layerReadonly({ dataDir, config: { ...config, dataDir } })
  const { note } = yield* Output
  yield* note(`nothing is stored in ${dataDir} yet`)
  const fs = yield* FileSystem.FileSystem
  const empty = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-empty-" })
  // An empty file knows no tenants; that of whoever names none is as empty.
  const tenant = config.store === null ? defaultTenant.name : config.tenant
  return layer({ dataDir: empty, config: { ...config, dataDir: empty, tenant } })
})

/** Runs a command over what is stored in the data directory of its settings, beside an owner or without one; nothing is written. */
export const withData = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { config, dataDir, logLevel } = yield* settings
      const data = yield* stored(dataDir.value, config)
      return yield* Effect.provideService(
        Effect.provide(use, data),
        References.MinimumLogLevel,
        levelOf(logLevel.value)
      )
    })
  )

/**
 * Runs a command that may need a vendor, the quota or writes: as the owner of the data directory of its settings, or through the
 * process that owns it (see throughOwner). Until its calls to the cache are done it prints nothing: it may be run again.
 */
export const withCache = <A, E, R>(use: Effect.Effect<A, E, R>) => withOwner(use, () => use)

/**
 * As `withCache`, for what only an owner can do: `own` does it here, with all services; `ask` has it done by the process that owns
 * the directory.
 */
export const withOwner = <A, E, R, E2, R2>(
  own: Effect.Effect<A, E, R>,
  ask: (client: TapestryClient["Service"]) => Effect.Effect<A, E2, R2>,
  options: Pick<ThroughOwnerOptions<never, never>, "leavesPlace"> = {}
) =>
  Effect.gen(function* () {
    const { config, dataDir: where, logLevel } = yield* settings
    const { throughOwner } = yield* Effect.promise(() => import("./owner/throughOwner.ts"))
    const dataDir = where.value
    const product = manifest.version
    const services = Effect.map(loadLayers, ({ layer }) => layer({ dataDir, config: { ...config, dataDir }, product }))
    const vendors = new Set([...(config.sample ? ["sample"] : []), ...config.vendors.map(({ name }) => name)])
    return yield* Effect.provideService(
      throughOwner(
        { dataDir, product, vendors, store: config.store, tenant: config.tenant, services, ...options },
        own,
        ask
      ),
      References.MinimumLogLevel,
      levelOf(logLevel.value)
    )
  })

/**
 * As `withOwner`, for what needs no data directory: by the process that owns it where there is one, else by `own`, which becomes no owner and
 * leaves nothing behind.
 */
export const besideOwner = <A, E, R, E2, R2>(
  own: Effect.Effect<A, E, R>,
  ask: (client: TapestryClient["Service"]) => Effect.Effect<A, E2, R2>
) =>
  Effect.gen(function* () {
    const { config, dataDir } = yield* settings
    const { find } = yield* Effect.promise(() => import("../layers/owner/OwnerLock.ts"))
    // Who may not look there owns nothing there either.
    const owner = yield* Effect.orElseSucceed(find(dataDir.value), () => null)
    const details = owner?.details ?? null
    if (details === null || details.socket === null) return yield* own
    const { asClient } = yield* Effect.promise(() => import("./owner/asClient.ts"))
    const vendors = new Set(config.vendors.map(({ name }) => name))
    const { store, tenant } = config
    const turn = yield* asClient(
      {
        dataDir: dataDir.value,
        product: manifest.version,
        vendors,
        store,
        tenant,
        owner: details,
        socket: details.socket
      },
      ask
    )
    return turn._tag === "Done" ? turn.value : yield* turn.why(0)
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

const calendars = Layer.unwrap(
  Effect.gen(function* () {
    const { config } = yield* settings
    const { layerWith } = yield* Effect.promise(() => import("../layers/calendar/CalendarLive.ts"))
    return layerWith(config.calendars)
  })
)

/** Runs a command over the calendars alone; no data directory is touched. */
export const withCalendars = <A, E, R>(use: Effect.Effect<A, E, R>) => Effect.provide(use, calendars)
