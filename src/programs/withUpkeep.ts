/**
 * Runs a command over the upkeep of the store of its settings, whatever release wrote it. Null: the data directory has no store yet.
 * The drivers are loaded when they are needed.
 */
import { Effect, References } from "effect"
import manifest from "../../package.json" with { type: "json" }
import type { StoreUpkeep } from "../layers/market/upkeep/StoreUpkeep.ts"
import { holdsData } from "./holdsData.ts"
import { levelOf } from "./logLevels.ts"
import { settings } from "./Settings.ts"

const loadOwners = Effect.promise(() => import("./owner/upkeepOfOwner.ts").then(({ upkeepOfOwner }) => upkeepOfOwner))

export const withUpkeep = <A, E, R>(
  options: {
    readonly readonly: boolean
    readonly create?: boolean
    /** Whether an owner of the data directory may be asked to do what changes the store, in place of waiting for it to end. */
    readonly throughOwner?: boolean
    /** Whether the store of a data directory that has an owner is written to beside it: rows that no process keeps in mind. */
    readonly besideOwner?: boolean
  },
  use: (upkeep: StoreUpkeep | null) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { config, dataDir: where, logLevel } = yield* settings
      const dataDir = where.value
      // A directory that cannot be looked into is an error, and no store that is not there.
      if (config.store === null) yield* holdsData(dataDir)
      const { besideOwner = false, create = false, readonly, throughOwner = false } = options
      const owners =
        throughOwner && config.store === null ? yield* Effect.flatMap(loadOwners, (load) => load(dataDir)) : null
      const { openUpkeep } = yield* Effect.promise(() => import("../layers/market/upkeep/openUpkeep.ts"))
      const { store, tenant } = config
      const upkeep =
        owners ??
        (yield* openUpkeep({ dataDir, store, tenant, product: manifest.version, readonly, create, besideOwner }))
      return yield* Effect.provideService(use(upkeep), References.MinimumLogLevel, levelOf(logLevel.value))
    })
  )

/** What is said where a data directory has no store yet. */
export const nothingYet = Effect.map(
  settings,
  ({ dataDir }) => `nothing is stored in ${dataDir.value} yet: the first command that fetches makes the tables`
)
