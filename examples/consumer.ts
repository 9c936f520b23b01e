/** The smallest use of each entry point: five real bars through the archive and the store, and a seeded vendor beside them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, FileSystem, Layer, Stream } from "effect"
import { AdapterRegistry, StitchingCache, Tapestry, TapestryConfig } from "tapestry"
import { ModelVendor } from "tapestry/testing"

const program = Effect.gen(function* () {
  const vendors = yield* AdapterRegistry
  const cache = yield* StitchingCache
  const sample = yield* vendors.fetcher("sample")
  const series = yield* sample.fetch.series({ symbol: "SPX", kind: "bar", timeframe: "1d" })
  const range = { start: Date.UTC(2019, 0, 2), end: Date.UTC(2019, 0, 9) }
  const answer = yield* cache.read({ series, range })
  const bars = yield* Stream.runCollect(answer.bars)
  yield* Console.log(`${bars.length} bars of ${series.symbol}, the first closes at ${bars[0]?.close.toFixed(2)}`)
  yield* Console.log(`tapestry/testing has ${typeof ModelVendor.make}`)
})

const main = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const dataDir = yield* fs.makeTempDirectoryScoped()
  yield* program.pipe(Effect.provide(Tapestry.layer({ dataDir, config: TapestryConfig.defaults })))
}).pipe(Effect.scoped, Effect.provide(Layer.fresh(NodeServices.layer)))

await Effect.runPromise(main)
