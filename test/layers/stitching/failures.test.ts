import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { MaxAnswerRows } from "../../../src/layers/stitching/MaxAnswerRows.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { type Adapter, Rejected, Throttled, Unavailable } from "../../../src/services/Adapter.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, day, fresh, hour, minute, moving, outline, over, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const pieces = { timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } } } as const
const third = utc("2024-03-01T12:00:00Z")

/** A vendor whose third piece of the range fails until it is mended. */
const broken = (trouble: ModelVendor.Trouble) => {
  const state = { mended: false }
  const vendor = ModelVendor.make({
    limits: pieces,
    trouble: (request) => (!state.mended && request.range.start === third ? trouble : null)
  })
  const mend = Effect.sync(() => {
    state.mended = true
  })
  return { vendor, mend }
}

describe("StitchingCache, what fails", () => {
  it.effect("C41 one failing piece, partial: the rest is returned, the hole says why", () => {
    const { mend, vendor } = broken(new Unavailable({ message: "the line is dead" }))
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const answer = yield* moving(cache.read({ series, range }, { onMissing: "partial" }))
      assert.deepStrictEqual(outline(answer.coverage), [
        "2024-03-01T00:00:00.000Z Covered",
        "2024-03-01T06:00:00.000Z Covered",
        "2024-03-01T12:00:00.000Z Missing",
        "2024-03-01T18:00:00.000Z Covered"
      ])
      const hole = answer.coverage[2]?.state
      assert.deepStrictEqual(hole?._tag === "Missing" ? hole.cause : null, {
        tag: "Unavailable",
        message: "model: the line is dead"
      })
      assert.strictEqual(answer.rowCount, 18)
      const whole = yield* vendor.direct(series, range)
      assert.deepStrictEqual(
        yield* barsOf(answer),
        whole.filter((bar) => bar.ts < third || bar.ts >= third + 6 * hour)
      )
      yield* mend
      yield* TestClock.adjust(10 * minute)
      const later = yield* cache.read({ series, range })
      assert.deepStrictEqual(yield* barsOf(later), whole)
      assert.strictEqual(later.requests, 1, "only the hole is asked for")
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C41 one failing piece, fail: what was committed is kept and the typed cause is the reason", () => {
    const { mend, vendor } = broken(new Unavailable({ message: "the line is dead" }))
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const error = yield* moving(Effect.flip(cache.read({ series, range })))
      assert.strictEqual(error.reason._tag, "VendorError")
      assert.strictEqual(error.reason._tag === "VendorError" ? error.reason.reason._tag : null, "Unavailable")
      assert.strictEqual(error.message, "model: the line is dead")
      const kept = yield* cache.coverage(series, range)
      assert.strictEqual(kept.filter(({ state }) => state._tag === "Covered").length, 3)
      yield* mend
      yield* TestClock.adjust(10 * minute)
      const later = yield* cache.read({ series, range })
      assert.deepStrictEqual([later.rowCount, later.requests, later.rowsFromVendor], [24, 1, 6])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C41 holes of different kinds fail as RangeIncomplete, which names each", () => {
    const vendor = ModelVendor.make({
      limits: pieces,
      trouble: ({ range: { start } }) =>
        start === third
          ? new Rejected({ message: "not today" })
          : start === third + 6 * hour
            ? new Throttled({ retryAfter: 3 * hour })
            : null
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const { reason } = yield* Effect.flip(cache.read({ series, range }))
      assert.strictEqual(reason._tag, "RangeIncomplete")
      if (reason._tag !== "RangeIncomplete") return
      assert.deepStrictEqual(outline(reason.holes), [
        "2024-03-01T12:00:00.000Z Missing",
        "2024-03-01T18:00:00.000Z Throttled"
      ])
      const [, throttled] = reason.holes
      assert.deepStrictEqual(throttled?.state, { _tag: "Throttled", retryAfter: 3 * hour })
      const stored = yield* cache.coverage(series, range)
      assert.deepStrictEqual(
        stored.map(({ state }) => state._tag),
        ["Covered", "Covered", "Missing"],
        "throttling is of one answer; it is not stored"
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X2 no is evidence too: NotFound and NotEntitled are stored, believed for a day, then asked again", () => {
    const vendor = ModelVendor.make({ forbidden: ["SECRET"] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      for (const [symbol, tag] of [
        ["NOSUCH", "NotFound"],
        ["SECRET", "NotEntitled"]
      ] as const) {
        const series = vendor.series(symbol, "1h")
        const before = (yield* vendor.log).length
        const answer = yield* cache.read({ series, range }, { onMissing: "partial" })
        assert.deepStrictEqual(outline(answer.coverage), [`2024-03-01T00:00:00.000Z ${tag}`])
        const error = yield* Effect.flip(cache.read({ series, range }))
        assert.strictEqual(error.reason._tag === "VendorError" ? error.reason.reason._tag : null, tag)
        assert.include(error.message, symbol)
        assert.strictEqual((yield* vendor.log).length, before + 1, "asked once")
        yield* TestClock.adjust(day)
        yield* cache.read({ series, range }, { onMissing: "partial" })
        assert.strictEqual((yield* vendor.log).length, before + 2)
      }
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X2 bytes that cannot be read cover nothing, and the archive is not asked for them in a loop", () => {
    const state = { garbled: true }
    const vendor = ModelVendor.make({ trouble: () => (state.garbled ? "truncated" : null) })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const error = yield* Effect.flip(cache.read({ series, range }))
      assert.strictEqual(error.reason._tag === "VendorError" ? error.reason.reason._tag : null, "Malformed")
      state.garbled = false
      const answer = yield* cache.read({ series, range }, { onMissing: "partial" })
      const hole = answer.coverage[0]?.state
      assert.strictEqual(hole?._tag === "Missing" ? hole.cause?.tag : null, "Malformed")
      assert.strictEqual(answer.rowCount, 0)
      assert.strictEqual((yield* vendor.log).length, 1, "what was paid for is not fetched again at once")
      yield* TestClock.adjust(day)
      const healed = yield* cache.read({ series, range })
      assert.deepStrictEqual(yield* barsOf(healed), yield* vendor.direct(series, range))
      assert.strictEqual((yield* vendor.log).length, 2)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X2 a stale tail whose refetch fails is reported as missing, with its rows", () => {
    const state = { down: false }
    const vendor = ModelVendor.make({
      limits: { provisionalFor: minute },
      trouble: () => (state.down ? new Rejected({ message: "closed for repairs" }) : null)
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon + 20 * minute)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const tail = between("2024-03-06T12:00:00Z", "2024-03-06T13:00:00Z")
      yield* cache.read({ series, range: tail })
      state.down = true
      yield* TestClock.adjust(2 * minute)
      const answer = yield* cache.read({ series, range: tail }, { onMissing: "partial" })
      assert.deepStrictEqual(outline(answer.coverage), ["2024-03-06T12:00:00.000Z Missing"])
      assert.strictEqual(answer.rowCount, 1)
      const error = yield* Effect.flip(cache.read({ series, range: tail }))
      assert.strictEqual(error.reason._tag, "VendorError")
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("what the vendor does not offer is refused before anything is asked", () => {
    const vendor = ModelVendor.make({ limits: pieces })
    return Effect.gen(function* () {
      const cache = yield* StitchingCache
      const error = yield* Effect.flip(cache.read({ series: vendor.series("ALPHA", "1d"), range }))
      assert.include(error.message, "1h")
      const unknown = yield* Effect.flip(
        cache.read({ series: { ...vendor.series("ALPHA", "1h"), vendor: "nobody" }, range })
      )
      assert.strictEqual(unknown.reason._tag, "AdapterRegistryError")
      const trades = { ...vendor.series("ALPHA", "1h"), kind: "trade" as const, timeframe: null }
      assert.strictEqual((yield* Effect.flip(cache.plan({ series: trades, range }))).reason._tag, "VendorError")
      assert.strictEqual((yield* vendor.log).length, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("an answer with too many rows is refused, before it is fetched where the store shows it", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const late = yield* Effect.flip(cache.read({ series, range }))
      assert.include(late.message, "24 rows, more than 20")
      const wider = { start: range.start, end: range.end + day }
      const early = yield* Effect.flip(cache.read({ series, range: wider }))
      assert.strictEqual(early.reason._tag, "TooManyRows")
      assert.strictEqual((yield* vendor.log).length, 1)
      const enough = { start: range.start, end: range.start + 20 * hour }
      assert.strictEqual((yield* cache.read({ series, range: enough })).rowCount, 20)
    }).pipe(Effect.provide(Layer.provide(fresh(vendor.adapter), Layer.succeed(MaxAnswerRows, 20))))
  })

  it.effect("a full disk fails the read, partial or not, and nothing that was stored is lost", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const series = vendor.series("ALPHA", "1m")
      const layer = over(directory, [vendor.adapter], { maxPageCount: 100 })
      yield* Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        yield* cache.read({ series, range: { start: range.start, end: range.start + hour } })
        const wide = { start: range.start, end: range.start + 5 * day }
        const error = yield* Effect.flip(cache.read({ series, range: wide }, { onMissing: "partial" }))
        assert.strictEqual(error.reason._tag === "MarketStoreError" ? error.reason.reason._tag : null, "StoreFull")
        const store = yield* MarketStore
        assert.strictEqual(yield* store.count(series, wide), 60)
      }).pipe(Effect.provide(layer))
      const asked = (yield* vendor.log).length
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const answer = yield* cache.read({ series, range: { start: range.start, end: range.start + 5 * day } })
        assert.strictEqual(answer.rowCount, 5 * 24 * 60)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      assert.strictEqual((yield* vendor.log).length, asked, "what was archived is not asked for again")
    })
  })

  it.effect("what a crash left archived and not applied is applied by the next plan, with no call", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const directory = yield* temporaryDirectory
      const series = vendor.series("ALPHA", "1h")
      const read = Effect.flatMap(StitchingCache, (cache) => cache.read({ series, range }))
      const forget = Effect.flatMap(MarketStore, (store) => store.forget(series))
      yield* Effect.andThen(read, forget).pipe(Effect.provide(over(directory, [vendor.adapter])))
      const answer = yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(plan.requests, [])
        const read = yield* cache.read({ series, range })
        return yield* barsOf(read)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      assert.deepStrictEqual(answer, yield* vendor.direct(series, range))
      assert.strictEqual((yield* vendor.log).length, 1)
    })
  })

  it.effect("a data directory that may only be read serves what is applied, and the rest is missing", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const directory = yield* temporaryDirectory
      const series = vendor.series("ALPHA", "1h")
      const next = { start: range.end, end: range.end + day }
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const store = yield* MarketStore
        yield* cache.read({ series, range: next })
        yield* store.forget(series)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      const answer = yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const whole = { start: range.start, end: next.end }
        return yield* cache.read({ series, range: whole, policy: "cacheOnly" }, { onMissing: "partial" })
      }).pipe(Effect.provide(over(directory, [vendor.adapter], { readonly: true })))
      assert.deepStrictEqual(outline(answer.coverage), ["2024-03-01T00:00:00.000Z Missing"])
    })
  })

  it.effect("a raised decoder version applies the archive again, with no call", () => {
    const first = ModelVendor.make()
    const second = ModelVendor.make({ decoderVersion: 2 })
    const doubling: Adapter = {
      ...second.adapter,
      fetch: {
        ...second.adapter.fetch,
        decode: (payload, decoding) =>
          Effect.map(second.adapter.fetch.decode(payload, decoding), (decoded) => ({
            ...decoded,
            bars: decoded.bars.map((bar) => ({ ...bar, volume: (bar.volume ?? 0) * 2 }))
          }))
      }
    }
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const directory = yield* temporaryDirectory
      const series = first.series("ALPHA", "1h")
      const volumes = Effect.gen(function* () {
        const cache = yield* StitchingCache
        const answer = yield* cache.read({ series, range })
        const { lineage } = yield* cache.explain(series, range.start)
        return { version: lineage.decoderVersion, volumes: (yield* barsOf(answer)).map((bar) => bar.volume ?? 0) }
      })
      const before = yield* Effect.provide(volumes, over(directory, [first.adapter]))
      const after = yield* Effect.provide(volumes, over(directory, [doubling]))
      assert.deepStrictEqual([before.version, after.version], [1, 2])
      assert.deepStrictEqual(
        after.volumes,
        before.volumes.map((volume) => volume * 2)
      )
      assert.deepStrictEqual([(yield* first.log).length, (yield* second.log).length], [1, 0])
    })
  })

  it.effect("a decoder that throws leaves a hole in what it was given, and the rest of its series can be read", () => {
    const vendor = ModelVendor.make({ limits: pieces })
    const { fetch } = vendor.adapter
    const boom = Effect.die(new Error("index out of bounds"))
    const throwing: Adapter = {
      ...vendor.adapter,
      fetch: {
        ...fetch,
        decoderVersion: 2,
        decode: (payload, decoding) => (decoding.range.start === third ? boom : fetch.decode(payload, decoding))
      }
    }
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const series = vendor.series("ALPHA", "1h")
      const early = { start: range.start, end: third }
      yield* TestClock.setTime(noon)
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        yield* cache.read({ series, range: early })
        const error = yield* Effect.flip(cache.read({ series, range }))
        assert.match(error.message, /its decoder failed: Error: index out of bounds/)
      }).pipe(Effect.provide(over(directory, [throwing])))
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        assert.strictEqual((yield* cache.read({ series, range: early })).requests, 0)
        const rest = yield* cache.read({ series, range, policy: "cacheOnly" }, { onMissing: "partial" })
        assert.strictEqual(rest.rowCount, 18)
      }).pipe(Effect.provide(over(directory, [throwing])))
    })
  })

  it.effect("a clock that was once ahead does not prolong what is believed of answers after it", () => {
    const vendor = ModelVendor.make({
      revised: 1,
      limits: { provisionalFor: minute, emptyFor: hour, refusalFor: hour },
      listedAt: noon - hour
    })
    return Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const open = { start: noon, end: noon + hour }
      const before = { start: noon - 5 * hour, end: noon - 2 * hour }
      yield* TestClock.setTime(noon + 30 * day)
      yield* cache.read({ series: vendor.series("BETA", "1h"), range })
      yield* TestClock.setTime(noon + 30 * minute)
      yield* cache.read({ series, range: open })
      yield* cache.read({ series, range: before })
      yield* Effect.flip(cache.read({ series: vendor.series("NOBODY", "1h"), range }))
      const asked = (yield* vendor.log).length
      yield* TestClock.adjust(2 * hour)
      const answer = yield* cache.read({ series, range: open })
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, open))
      assert.deepStrictEqual(outline(answer.coverage), ["2024-03-06T12:00:00.000Z Covered"])
      yield* cache.read({ series, range: before })
      yield* Effect.flip(cache.read({ series: vendor.series("NOBODY", "1h"), range }))
      assert.strictEqual((yield* vendor.log).length, asked + 3)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("what is stored can be read when its vendor is no longer configured", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const directory = yield* temporaryDirectory
      const series = vendor.series("ALPHA", "1h")
      const read = (policy: "cacheFirst" | "cacheOnly") =>
        Effect.flatMap(StitchingCache, (cache) => cache.read({ series, range, policy }))
      yield* Effect.provide(read("cacheFirst"), over(directory, [vendor.adapter]))
      const orphan = Layer.fresh(over(directory, []))
      assert.strictEqual((yield* Effect.provide(read("cacheOnly"), orphan)).rowCount, 24)
      const error = yield* Effect.flip(Effect.provide(read("cacheFirst"), orphan))
      assert.strictEqual(error.reason._tag, "AdapterRegistryError")
    })
  })
})
