/** A vendor that no longer has a symbol takes nothing from what it gave before. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { NotEntitled, NotFound } from "../../../src/services/Adapter.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, day, fresh, hour, moving, outline, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z")
const recheckAfter = 3 * day

/** A vendor from whose list the symbol can be struck. */
const listed = (limits: ModelVendor.ModelVendorOptions["limits"], says: "NotFound" | "NotEntitled" = "NotFound") => {
  const state = { delisted: false }
  const refusal = says === "NotFound" ? new NotFound({ message: "gone" }) : new NotEntitled({ message: "no" })
  const vendor = ModelVendor.make({
    weekends: true,
    limits: limits ?? {},
    trouble: () => (state.delisted ? refusal : null)
  })
  return { vendor, state, series: vendor.series("ALPHA", "1d") }
}

/** What `rebuild --check` finds: which series differ from what the archive makes of them. */
const differing = StitchingCache.use((cache) =>
  Effect.map(Stream.runCollect(cache.rebuild({ check: true })), (events) =>
    events.filter((event) => event._tag === "Compared" && !event.same)
  )
)

describe("StitchingCache, a refusal of what was had", () => {
  for (const says of ["NotFound", "NotEntitled"] as const) {
    it.effect(`a recheck that is refused (${says}) takes nothing, is told, and is put off`, () => {
      const { series, state, vendor } = listed({ recheckAfter, refusalFor: day }, says)
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const before = yield* barsOf(yield* cache.read({ series, range }))
        assert.strictEqual(before.length, 1)
        yield* TestClock.adjust(10 * day)
        state.delisted = true
        const answer = yield* moving(cache.read({ series, range }))
        assert.deepStrictEqual(outline(answer.coverage), ["2024-03-04T00:00:00.000Z Covered"])
        assert.deepStrictEqual(yield* barsOf(answer), before)
        assert.deepStrictEqual([answer.requests, answer.rowCount, answer.rowsFromVendor], [1, 1, 0])
        const refusal = answer.coverage[0]?.refusal
        assert.strictEqual(refusal?.tag, says)
        assert.strictEqual(refusal?.until, noon + 11 * day)
        assert.deepStrictEqual((yield* cache.explain(series, range.start)).refusal, refusal)
        // Put off: nobody is asked while the refusal is believed.
        const calls = (yield* vendor.log).length
        yield* TestClock.adjust(day - 1)
        assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
        assert.strictEqual((yield* vendor.log).length, calls)
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* moving(cache.read({ series, range }))).requests, 1)
        assert.deepStrictEqual(yield* differing, [])
        // It is listed again, and the recheck is made at last.
        state.delisted = false
        yield* TestClock.adjust(day)
        const again = yield* cache.read({ series, range })
        assert.deepStrictEqual([again.requests, again.coverage[0]?.refusal], [1, undefined])
        yield* TestClock.adjust(100 * day)
        assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
        assert.deepStrictEqual(yield* differing, [])
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    })
  }

  it.effect("a refused force says so itself, and the next reader has the rows as before", () => {
    const { series, state, vendor } = listed({})
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const before = yield* barsOf(yield* cache.read({ series, range }))
      state.delisted = true
      const failed = yield* moving(Effect.flip(cache.read({ series, range, policy: "force" })))
      assert.strictEqual(
        failed.reason._tag === "VendorError" ? failed.reason.reason._tag : failed.reason._tag,
        "NotFound"
      )
      const forced = yield* moving(cache.read({ series, range, policy: "force" }, { onMissing: "partial" }))
      assert.deepStrictEqual(outline(forced.coverage), ["2024-03-04T00:00:00.000Z NotFound"])
      assert.deepStrictEqual(yield* barsOf(forced), before)
      const next = yield* cache.read({ series, range })
      assert.deepStrictEqual(outline(next.coverage), ["2024-03-04T00:00:00.000Z Covered"])
      assert.deepStrictEqual([next.requests, next.rowCount], [0, 1])
      assert.deepStrictEqual(yield* differing, [])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "an Empty that has run out is refused: the range stays whole, and is asked again when the refusal has run out",
    () => {
      const { series, state, vendor } = listed({ emptyFor: hour, refusalFor: day })
      const weekend = between("2024-03-02T00:00:00Z", "2024-03-04T00:00:00Z")
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const first = yield* cache.read({ series, range: weekend })
        assert.deepStrictEqual(outline(first.coverage), ["2024-03-02T00:00:00.000Z Empty"])
        state.delisted = true
        yield* TestClock.adjust(2 * hour)
        const answer = yield* moving(cache.read({ series, range: weekend }))
        assert.deepStrictEqual(outline(answer.coverage), ["2024-03-02T00:00:00.000Z Empty"])
        assert.strictEqual(answer.coverage[0]?.refusal?.tag, "NotFound")
        assert.strictEqual((yield* cache.read({ series, range: weekend })).requests, 0)
        yield* TestClock.adjust(day)
        assert.strictEqual((yield* moving(cache.read({ series, range: weekend }))).requests, 1)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("two who hold the same plan ask for a refused recheck once", () => {
    const { series, state, vendor } = listed({ recheckAfter, refusalFor: day })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      yield* cache.read({ series, range })
      yield* TestClock.adjust(10 * day)
      state.delisted = true
      const plan = yield* cache.plan({ series, range })
      assert.strictEqual((yield* moving(cache.execute(plan))).requests, 1)
      assert.strictEqual((yield* cache.execute(plan)).requests, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "what was invalidated is not proven any more, and a refusal of it holds; what was only provisional gives way",
    () => {
      const { series, state, vendor } = listed({})
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const open = between("2024-03-06T00:00:00Z", "2024-03-07T00:00:00Z")
        yield* cache.read({ series, range: { start: range.start, end: open.end } })
        state.delisted = true
        yield* cache.invalidate(series, range)
        yield* TestClock.adjust(2 * day)
        for (const part of [range, open]) {
          const answer = yield* moving(cache.read({ series, range: part }, { onMissing: "partial" }))
          assert.deepStrictEqual(outline(answer.coverage), [`${new Date(part.start).toISOString()} NotFound`])
          assert.strictEqual(answer.rowCount, 1)
        }
        assert.deepStrictEqual(yield* differing, [])
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )
})
