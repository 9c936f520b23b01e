import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { type Adapter, Rejected } from "../../../src/services/Adapter.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import {
  barsOf,
  between,
  fresh,
  hour,
  minute,
  moving,
  outline,
  over,
  settled,
  temporaryDirectory,
  utc
} from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const later = noon + hour

/** All values of the range change at `later`; an answer takes ten seconds, and two are under way at once. */
const corrected = (options: ModelVendor.ModelVendorOptions = {}) =>
  ModelVendor.make({
    latency: [10_000, 10_000],
    corrections: [{ ...range, at: later }],
    limits: { concurrency: 2, timeframes: { "1h": { maxSpan: 3 * hour, maxRows: null } } },
    ...options
  })

const had = Effect.fnUntraced(function* (vendor: ModelVendor.ModelVendor) {
  yield* TestClock.setTime(noon)
  const cache = yield* StitchingCache
  const series = vendor.series("ALPHA", "1h")
  const old = yield* barsOf(yield* moving(cache.read({ series, range }), 1_000))
  yield* TestClock.setTime(later)
  const now = yield* vendor.direct(series, range)
  assert.notDeepEqual(now, old)
  return { cache, series, old, now }
})

describe("StitchingCache, refetch", () => {
  it.effect(
    "C38 a series is refetched as a new generation while others read it: the old or the new, never a mix",
    () => {
      const vendor = corrected()
      return Effect.gen(function* () {
        const { cache, now, old, series } = yield* had(vendor)
        const before = (yield* vendor.log).length
        const refetching = yield* Effect.forkChild(cache.refetch(series), { startImmediately: true })
        const seen = { old: 0, new: 0 }
        while (refetching.pollUnsafe() === undefined) {
          yield* settled
          const bars = yield* barsOf(yield* cache.read({ series, range }))
          const which = bars[0]?.open === old[0]?.open ? "old" : "new"
          assert.deepStrictEqual(bars, which === "old" ? old : now)
          seen[which]++
          yield* TestClock.adjust(1_000)
        }
        const answer = yield* Fiber.join(refetching)
        assert.isAbove(seen.old, 20)
        assert.deepStrictEqual(yield* barsOf(answer), now)
        assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range })), now)
        assert.deepStrictEqual([answer.requests, answer.rowsFromVendor], [8, 24])
        assert.strictEqual((yield* vendor.log).length, before + 8, "the readers asked for nothing")
        const past = yield* cache.read({ series, range }, { asOf: later - 1 })
        assert.deepStrictEqual(yield* barsOf(past), old)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("a refetch that fails is dropped as a whole, here and after a restart, and says why", () => {
    const state = { broken: false }
    const vendor = corrected({
      trouble: (request) =>
        state.broken && request.range.start === range.start + 12 * hour ? new Rejected({ message: "no" }) : null
    })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const old = yield* Effect.gen(function* () {
        const { cache, old, series } = yield* had(vendor)
        state.broken = true
        const error = yield* moving(Effect.flip(cache.refetch(series)), 1_000)
        assert.strictEqual(error.reason._tag, "VendorError")
        assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range })), old)
        return old
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      const asked = (yield* vendor.log).length
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        const answer = yield* cache.read({ series, range })
        assert.deepStrictEqual(yield* barsOf(answer), old, "answers of a dropped refetch are not applied one by one")
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      assert.strictEqual((yield* vendor.log).length, asked)
    })
  })

  it.effect("a refetch that is interrupted is dropped, and the next one succeeds", () => {
    const vendor = corrected()
    return Effect.gen(function* () {
      const { cache, now, old, series } = yield* had(vendor)
      const refetching = yield* Effect.forkChild(cache.refetch(series), { startImmediately: true })
      yield* settled
      yield* TestClock.adjust(15_000)
      yield* settled
      yield* Fiber.interrupt(refetching)
      assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range })), old)
      const again = yield* moving(cache.refetch(series), 1_000)
      assert.deepStrictEqual(yield* barsOf(again), now)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("a raised decoder version reads again what a refetch had, too", () => {
    const vendor = corrected({ latency: [0, 0] })
    const { fetch } = vendor.adapter
    const decode: typeof fetch.decode = (payload, decoding) =>
      Effect.map(fetch.decode(payload, decoding), (decoded) => ({
        ...decoded,
        bars: decoded.bars.map((bar) => ({ ...bar, volume: 777 }))
      }))
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const now = yield* Effect.gen(function* () {
        const { cache, now, series } = yield* had(vendor)
        yield* moving(cache.refetch(series), 1_000)
        return now
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      const asked = (yield* vendor.log).length
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const bars = yield* barsOf(yield* cache.read({ series: vendor.series("ALPHA", "1h"), range }))
        assert.deepStrictEqual(
          bars,
          now.map((bar) => ({ ...bar, volume: 777 }))
        )
      }).pipe(Effect.provide(over(directory, [{ ...vendor.adapter, fetch: { ...fetch, decode, decoderVersion: 2 } }])))
      assert.strictEqual((yield* vendor.log).length, asked)
    })
  })

  it.effect("what is stored can be read while a refetch that is ready waits for somebody else's slow request", () => {
    const vendor = corrected({ latency: [0, 0] })
    const other = between("2024-03-03T00:00:00Z", "2024-03-04T00:00:00Z")
    const { fetch } = vendor.adapter
    const slow: Adapter = {
      ...vendor.adapter,
      fetch: {
        ...fetch,
        // Hours of the second range are an hour away.
        fetch: (request) =>
          JSON.stringify(request.params).includes(`"start":${other.start},`)
            ? Effect.delay(fetch.fetch(request), "1 hour")
            : fetch.fetch(request)
      }
    }
    return Effect.gen(function* () {
      const { cache, now, old, series } = yield* had(vendor)
      const waiting = yield* Effect.forkChild(cache.read({ series, range: other }), { startImmediately: true })
      yield* settled
      const refetching = yield* Effect.forkChild(cache.refetch(series), { startImmediately: true })
      yield* Effect.replicateEffect(settled, 5)
      for (const policy of ["cacheOnly", "cacheFirst"] as const) {
        assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range, policy })), old)
      }
      assert.isUndefined(refetching.pollUnsafe())
      yield* TestClock.adjust(hour)
      yield* Fiber.join(waiting)
      yield* moving(Fiber.join(refetching))
      assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range })), now)
      assert.strictEqual((yield* cache.read({ series, range: other })).requests, 0)
    }).pipe(Effect.provide(fresh(slow)))
  })

  it.effect("what others had while a refetch ran is in the new generation too", () => {
    const vendor = corrected()
    return Effect.gen(function* () {
      const { cache, series } = yield* had(vendor)
      const refetching = yield* Effect.forkChild(cache.refetch(series), { startImmediately: true })
      yield* settled
      const next = { start: range.end, end: range.end + 3 * hour }
      yield* moving(cache.read({ series, range: next }), 1_000)
      yield* moving(Fiber.join(refetching), 1_000)
      const asked = (yield* vendor.log).length
      const both = { start: range.start, end: next.end }
      const answer = yield* cache.read({ series, range: both })
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, both))
      assert.strictEqual((yield* vendor.log).length, asked)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("a refetch of nothing is an answer without rows", () => {
    const vendor = corrected()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon + minute)
      const cache = yield* StitchingCache
      const answer = yield* cache.refetch(vendor.series("ALPHA", "1h"))
      assert.deepStrictEqual([answer.rowCount, answer.requests], [0, 0])
      assert.deepStrictEqual(outline(answer.coverage), ["2024-03-06T12:00:00.000Z Missing"])
      assert.strictEqual((yield* vendor.log).length, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
