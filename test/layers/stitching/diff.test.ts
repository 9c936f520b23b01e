import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, fresh, hour, moving, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const march1 = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const both = between("2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z")

describe("StitchingCache, diff", () => {
  it.effect("C39 what a vendor corrected: both values, both answers, and nothing of what only came later", () => {
    const corrected = between("2024-03-01T05:00:00Z", "2024-03-01T08:00:00Z")
    const vendor = ModelVendor.make({ corrections: [{ ...corrected, at: noon + hour }] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const old = yield* barsOf(yield* cache.read({ series, range: march1 }))
      yield* TestClock.setTime(noon + 2 * hour)
      const now = yield* barsOf(yield* cache.read({ series, range: both, policy: "force" }))
      const found = yield* Stream.runCollect(cache.diff(series, both, [noon, noon + 2 * hour]))
      assert.deepStrictEqual(
        found.map(({ after, before, kind, ts }) => ({ kind, ts, before: before?.bar, after: after?.bar })),
        [5, 6, 7].map((index) => ({
          kind: "changed" as const,
          ts: old[index]?.ts ?? 0,
          before: old[index],
          after: now[index]
        }))
      )
      assert.deepStrictEqual(
        [found[0]?.before?.response, found[0]?.before?.recordedAt, found[0]?.after?.recordedAt].map(Number),
        [1, noon, noon + 2 * hour]
      )
      const [first, second] = [found[0]?.before?.response, found[0]?.after?.response]
      assert.isDefined(first)
      assert.isDefined(second)
      const byResponse = yield* Stream.runCollect(cache.diff(series, both, [{ response: first }, { response: second }]))
      assert.deepStrictEqual(byResponse, found)
      assert.deepStrictEqual(yield* Stream.runCollect(cache.diff(series, both, [noon, noon + hour])), [])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C39 a split across generations: every bar of before it is changed, and as of then the old is read", () => {
    const vendor = ModelVendor.make({ splits: [{ at: noon + hour, ratio: 4 }] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h", "splits")
      const old = yield* barsOf(yield* cache.read({ series, range: march1 }))
      yield* TestClock.setTime(noon + 2 * hour)
      yield* moving(cache.read({ series, range: both }))
      const found = yield* Stream.runCollect(cache.diff(series, both, [noon, noon + 3 * hour]))
      assert.deepStrictEqual(
        found.map(({ before }) => before?.bar),
        old
      )
      for (const { after, before, kind } of found) {
        assert.strictEqual(kind, "changed")
        assert.closeTo((before?.bar?.close ?? 0) / (after?.bar?.close ?? 1), 4, 1e-5)
      }
      assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range: march1 }, { asOf: noon })), old)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "a provisional value that was replaced cannot be told; what was provisional is reported so as of then",
    () => {
      const vendor = ModelVendor.make({})
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon + hour / 2)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        const range = { start: noon - 2 * hour, end: noon + hour }
        yield* cache.read({ series, range })
        yield* TestClock.setTime(noon + 50 * 60_000)
        yield* cache.read({ series, range })
        yield* TestClock.setTime(noon + 3 * hour)
        yield* cache.read({ series, range })
        const found = yield* Stream.runCollect(cache.diff(series, range, [noon + hour / 2, noon + 3 * hour]))
        assert.deepStrictEqual(
          found.map(({ before, kind, ts }) => [kind, ts, before?.final]),
          [["unknown", noon, false]]
        )
        const past = yield* cache.read({ series, range }, { asOf: noon + 50 * 60_000 })
        assert.deepStrictEqual(
          past.coverage.map(({ state }) => state._tag),
          ["Covered", "Provisional"]
        )
        assert.strictEqual((yield* barsOf(past)).length, 3)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("a large range is compared in windows", () => {
    const wide = between("2024-02-20T00:00:00Z", "2024-03-01T00:00:00Z")
    const vendor = ModelVendor.make({ holes: 0.1, corrections: [{ ...wide, at: noon + hour }] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1m")
      const old = yield* barsOf(yield* cache.read({ series, range: wide }))
      yield* TestClock.setTime(noon + 2 * hour)
      const now = yield* barsOf(yield* cache.read({ series, range: wide, policy: "force" }))
      const found = yield* Stream.runCollect(cache.diff(series, wide, [noon, noon + 3 * hour]))
      assert.isAbove(old.length, 10_000)
      assert.deepStrictEqual(
        found.map(({ before }) => before?.bar),
        old
      )
      assert.deepStrictEqual(
        found.map(({ after }) => after?.bar),
        now
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
