/** A vendor that gives a timeframe of the last days only. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { between, day, fresh, hour, minute, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:30Z")
const timeframes = {
  "1m": { maxSpan: null, maxRows: null, maxAge: 30 * day },
  "1h": { maxSpan: null, maxRows: null, maxAge: 36 * hour },
  "1d": { maxSpan: null, maxRows: null }
}

describe("StitchingCache, what is too old", () => {
  it.effect("is not asked for, and the report names the bound; what is stored of it stays", () => {
    const vendor = ModelVendor.make({ limits: { timeframes, earliest: utc("2024-01-15T00:00:00Z") } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1m")
      const range = between("2024-01-01T00:00:00Z", "2024-02-06T13:00:00Z")
      const oldest = utc("2024-02-05T12:01:00Z")
      const plan = yield* cache.plan({ series, range })
      assert.deepStrictEqual(
        plan.requests.map((request) => request.range),
        [{ start: oldest, end: range.end }]
      )
      const answer = yield* cache.execute(plan, { onMissing: "partial" })
      assert.deepStrictEqual(
        answer.coverage.map(({ end, start, state }) => [
          new Date(start).toISOString().slice(0, 16),
          new Date(end).toISOString().slice(0, 16),
          state._tag === "Missing" ? state.cause?.tag : state._tag
        ]),
        [
          ["2024-01-01T00:00", "2024-01-15T00:00", "BeforeEarliest"],
          ["2024-01-15T00:00", "2024-02-05T12:01", "TooOld"],
          ["2024-02-05T12:01", "2024-02-06T13:00", "Covered"]
        ]
      )
      const tooOld = answer.coverage[1]?.state
      assert.include(
        tooOld?._tag === "Missing" ? tooOld.cause?.message : "",
        "1m bars of the last 30 days only, now from 2024-02-05T12:01:00.000Z on"
      )
      const failed = yield* Effect.flip(cache.read({ series, range }))
      assert.strictEqual(failed.reason._tag, "RangeIncomplete")
      yield* TestClock.adjust(60 * day)
      const stored = yield* cache.read({ series, range: { start: oldest, end: range.end } })
      assert.deepStrictEqual([stored.requests, stored.rowCount], [0, (range.end - oldest) / minute])
      for (const policy of ["refresh", "force"] as const) {
        const again = yield* cache.read({ series, range, policy }, { onMissing: "partial" })
        assert.deepStrictEqual([again.requests, again.rowCount], [0, stored.rowCount], policy)
      }
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("is a hole where the bar was still open when it was had, and its row is in the answer", () => {
    const vendor = ModelVendor.make({ limits: { timeframes } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1m")
      const range = between("2024-03-06T12:00:00Z", "2024-03-06T12:01:00Z")
      assert.strictEqual((yield* cache.read({ series, range })).coverage[0]?.state._tag, "Provisional")
      yield* TestClock.adjust(40 * day)
      assert.strictEqual((yield* Effect.flip(cache.read({ series, range }))).reason._tag, "RangeIncomplete")
      for (const policy of ["cacheFirst", "refresh", "force"] as const) {
        const answer = yield* cache.read({ series, range, policy }, { onMissing: "partial" })
        const [hole] = answer.coverage
        assert.deepInclude(hole, range)
        assert.strictEqual(hole?.state._tag === "Missing" ? hole.state.cause?.tag : null, "TooOld", policy)
        assert.deepStrictEqual([answer.requests, answer.rowCount], [0, 1])
      }
      const stored = yield* cache.read({ series, range, policy: "cacheOnly" })
      assert.deepStrictEqual(
        stored.coverage.map(({ state }) => state._tag),
        ["Provisional"]
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("is bounded for each timeframe on its own", () => {
    const vendor = ModelVendor.make({ limits: { timeframes } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2024-03-01T00:00:00Z", "2024-03-06T00:00:00Z")
      const hours = yield* cache.plan({ series: vendor.series("ALPHA", "1h"), range })
      assert.deepStrictEqual(
        hours.requests.map((request) => request.range),
        [{ start: utc("2024-03-05T01:00:00Z"), end: range.end }]
      )
      assert.include(JSON.stringify(hours.pieces[0]?.state), "of the last 36 hours only")
      const days = yield* cache.plan({ series: vendor.series("ALPHA", "1d"), range })
      assert.deepStrictEqual(
        days.requests.map((request) => request.range),
        [range]
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
