/** The test that docs/embedding.md shows, as it stands there but for the imports. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AdapterRegistry, StitchingCache, Tapestry, TapestryConfig } from "../../src/index.ts"
import { ModelVendor } from "../../src/testing.ts"
import { temporary } from "../rpc/client/support.ts"

const Runtime = Layer.unwrap(
  Effect.map(temporary, (dataDir) => Tapestry.layer({ dataDir, config: TapestryConfig.defaults }))
).pipe(Layer.provide(NodeServices.layer))

describe("an app that embeds Tapestry and tests with ours", () => {
  it.effect("asks once for what is missing", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2024, 2, 15))
      const vendor = ModelVendor.make({ seed: 7, holes: 0.05 })
      const vendors = yield* AdapterRegistry
      yield* vendors.register(Effect.succeed(vendor.adapter))
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = { start: Date.UTC(2024, 2, 1), end: Date.UTC(2024, 2, 2) }
      yield* cache.read({ series, range })
      yield* cache.read({ series, range })
      assert.strictEqual((yield* vendor.log).length, 1)
    }).pipe(Effect.provide(Runtime), Effect.scoped)
  )
})
