/** What callers may ask for without harm: any range, any series. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import * as CellGrid from "../../../src/layers/stitching/CellGrid.ts"
import * as Desks from "../../../src/layers/stitching/Desks.ts"
import { maxRequests } from "../../../src/layers/stitching/splitRequests.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, fresh, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const always = { start: -8_640_000_000_000_000, end: 8_640_000_000_000_000 }

describe("a range that takes too many requests", () => {
  for (const [cut, limits] of [
    ["files of a day", { alignment: { unit: "day", zone: "UTC" } }],
    ["rows", { timeframes: { "1d": { maxSpan: null, maxRows: 1 } } }],
    ["months", { timeframes: { "1mo": { maxSpan: 1, maxRows: null } } }]
  ] as const) {
    it.effect(`is refused before they are made (cut by ${cut})`, () => {
      const vendor = ModelVendor.make({ limits })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", cut === "months" ? "1mo" : "1d")
        const query = { series, range: always }
        for (const refused of [Effect.asVoid(cache.plan(query)), Effect.asVoid(cache.read(query))]) {
          const error = yield* Effect.flip(refused)
          assert.strictEqual(error.reason._tag, "TooManyRequests")
          assert.include(error.message, String(maxRequests))
        }
        assert.deepStrictEqual(yield* vendor.log, [])
        // What is stored can be looked at, however far.
        assert.isAtMost((yield* cache.coverage(series, always)).length, 3)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    })
  }
})

describe("the grid of files", () => {
  for (const unit of ["day", "month", "year"] as const) {
    it(`goes on from one ${unit} to the next also in the first century`, () => {
      const grid = Option.getOrThrow(CellGrid.make({ unit, zone: "UTC" }, "1m"))
      for (const instant of [-62_135_596_800_000, -60_000_000_000_000, -59_011_459_200_001, -59_000_000_000_000]) {
        assert.isAtMost(grid.start(instant), instant)
        assert.isAbove(grid.next(instant), instant)
        assert.isAtMost(grid.next(instant) - grid.start(instant), 366 * 86_400_000)
        assert.strictEqual(grid.start(grid.next(instant)), grid.next(instant))
      }
    })
  }
})

describe("forgetting", () => {
  it.effect("lets the archive answer the next read, also when the caller left at once", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const market = yield* MarketStore
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const bars = yield* barsOf(yield* cache.read({ series, range }))
      for (let turns = 0; turns < 12; turns++) {
        const forgetting = yield* Effect.forkChild(cache.forget(series), { startImmediately: true })
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(forgetting)
        const again = yield* cache.read({ series, range })
        assert.strictEqual(again.requests, 0)
        assert.deepStrictEqual(yield* barsOf(again), bars)
      }
      assert.strictEqual((yield* vendor.log).length, 1)
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(cache.forget(series))))
      assert.strictEqual(yield* market.count(series, range), 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})

describe("Desks", () => {
  it.effect("are shared while they are used, and kept only when something is known at them", () =>
    Effect.gen(function* () {
      const deskOf = Desks.make()
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const one = yield* deskOf("a")
          assert.strictEqual(yield* Effect.scoped(deskOf("a")), one)
          assert.strictEqual(yield* deskOf("a"), one)
          return one
        })
      )
      const second = yield* Effect.scoped(deskOf("a"))
      assert.notStrictEqual(second, first)
      const kept = yield* Effect.scoped(
        Effect.map(deskOf("a"), (desk) => {
          desk.applied = { decoderVersion: 1, upTo: 7 }
          return desk
        })
      )
      assert.strictEqual(yield* Effect.scoped(deskOf("a")), kept)
      for (let other = 0; other < 1_024; other++) {
        yield* Effect.scoped(
          Effect.map(deskOf(`other ${other}`), (desk) => {
            desk.applied = { decoderVersion: 1, upTo: 1 }
          })
        )
      }
      assert.notStrictEqual(yield* Effect.scoped(deskOf("a")), kept)
    })
  )
})
