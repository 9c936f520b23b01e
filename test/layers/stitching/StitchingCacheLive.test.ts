import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, fresh, outline, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")

describe("StitchingCache", () => {
  it.effect("C32 a range that is covered makes no call", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("alpha", "1m")
      const range = between("2024-03-01T00:00:00Z", "2024-03-01T02:00:00Z")
      const first = yield* cache.read({ series, range })
      assert.strictEqual(first.rowCount, 120)
      assert.strictEqual(first.rowsFromVendor, 120)
      assert.strictEqual(first.requests, 1)
      assert.deepStrictEqual(yield* barsOf(first), yield* vendor.direct(series, range))
      assert.deepStrictEqual(outline(first.coverage), ["2024-03-01T00:00:00.000Z Covered"])
      const second = yield* cache.read({ series, range })
      assert.deepStrictEqual(yield* barsOf(second), yield* barsOf(first))
      assert.strictEqual(second.requests, 0)
      assert.strictEqual((yield* vendor.log).length, 1)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
