/** A real data directory with everything over it: the sample vendor, and a model of a vendor whose market can be corrected. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Context, Effect, FileSystem, Layer, References } from "effect"
import type { Timeframe } from "../../../src/domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../../src/domain/TimeRange.ts"
import { defaults, type TapestryConfig } from "../../../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"

/** The vendor of a world, and how to change its past. */
export class World extends Context.Service<
  World,
  {
    readonly dataDir: string
    readonly vendor: ModelVendor.ModelVendor
    readonly correct: (range: TimeRange, at: EpochMillis) => void
  }
>()("test/World") {}

export const utc = (text: string): number => Date.parse(text)
export const between = (start: string, end: string): TimeRange => ({ start: utc(start), end: utc(end) })

/** A series of the model vendor. */
export const seriesOf = (symbol: string, timeframe: Timeframe) => ModelVendor.make().series(symbol, timeframe)

const directory = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  fs.makeTempDirectoryScoped({ prefix: "tapestry-rpc-" })
).pipe(Effect.orDie)

export const layer = (options: ModelVendor.ModelVendorOptions = {}, config: Partial<TapestryConfig> = {}) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const dataDir = yield* directory
      const corrections: Array<TimeRange & { at: EpochMillis }> = []
      const vendor = ModelVendor.make({ symbols: ["ALPHA", "BETA", "GAMMA"], ...options, corrections })
      const registered = Layer.effectDiscard(
        Effect.flatMap(AdapterRegistry, (registry) => registry.register(Effect.succeed(vendor.adapter)))
      )
      const world = Layer.succeed(World, {
        dataDir,
        vendor,
        correct: (range, at) => {
          corrections.push({ ...range, at })
        }
      })
      return Layer.merge(world, registered).pipe(
        Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...defaults, ...config, dataDir } }))
      )
    })
  ).pipe(
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Fatal")),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.orDie,
    Layer.fresh
  )
