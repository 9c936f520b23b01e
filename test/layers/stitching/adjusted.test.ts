import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { RangePolicy } from "../../../src/domain/Plan.ts"
import { canonical } from "../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { Rejected, Throttled } from "../../../src/services/Adapter.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import {
  barsOf,
  between,
  day,
  fresh,
  hour,
  moving,
  outline,
  over,
  settled,
  temporaryDirectory,
  utc
} from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const march1 = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const march2 = between("2024-03-02T00:00:00Z", "2024-03-03T00:00:00Z")
const both = between("2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z")
const splits = [{ at: noon + hour, ratio: 4 }]

const askedFor = (vendor: ModelVendor.ModelVendor, from = 0) =>
  Effect.map(vendor.log, (log) =>
    log
      .slice(from)
      .map(({ range }) => `${new Date(range.start).toISOString().slice(5, 13)} ${(range.end - range.start) / hour}`)
  )

/** One day is stored, and then the series splits. */
const split = Effect.fnUntraced(function* (vendor: ModelVendor.ModelVendor, stored: TimeRange = march1) {
  yield* TestClock.setTime(noon)
  const cache = yield* StitchingCache
  const series = vendor.series("ALPHA", "1h", "splits")
  const old = yield* barsOf(yield* moving(cache.read({ series, range: stored }), 1_000))
  yield* TestClock.setTime(noon + 2 * hour)
  return { cache, series, old, asked: (yield* vendor.log).length }
})

describe("StitchingCache, adjusted series", () => {
  it.effect(
    "C38 requests share one bar with what is stored at each edge, and between each other; raw ones do not",
    () => {
      const limits = { concurrency: 1, timeframes: { "1h": { maxSpan: 12 * hour, maxRows: null } } }
      const vendor = ModelVendor.make({ limits })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        for (const [adjustment, expected] of [
          ["raw", ["03-01T06 12"]],
          ["splits", ["03-01T05 11", "03-01T15 4"]]
        ] as const) {
          const series = vendor.series("ALPHA", "1h", adjustment)
          yield* moving(cache.read({ series, range: between("2024-03-01T00:00:00Z", "2024-03-01T06:00:00Z") }))
          yield* moving(cache.read({ series, range: between("2024-03-01T18:00:00Z", "2024-03-02T00:00:00Z") }))
          const from = (yield* vendor.log).length
          const plan = yield* cache.plan({ series, range: march1 })
          const answer = yield* moving(cache.read({ series, range: march1 }))
          assert.deepStrictEqual(yield* askedFor(vendor, from), [...expected])
          assert.deepStrictEqual(
            plan.requests.map(({ range }) => range),
            (yield* vendor.log).slice(from).map(({ range }) => range)
          )
          assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, march1))
        }
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("C38 a split overnight: the whole series is refetched, and the old is still readable as of then", () => {
    const vendor = ModelVendor.make({ splits })
    return Effect.gen(function* () {
      const { asked, cache, old, series } = yield* split(vendor)
      const answer = yield* moving(cache.read({ series, range: both }))
      const now = yield* vendor.direct(series, both)
      assert.deepStrictEqual(yield* barsOf(answer), now)
      assert.notDeepEqual(now.slice(0, 24), old)
      // The new day with the bar before it, the stored day again, and its oldest bar to see that it has not moved meanwhile.
      assert.deepStrictEqual(yield* askedFor(vendor, asked), ["03-01T23 25", "03-01T00 24", "03-01T00 1"])
      assert.strictEqual(answer.requests, 3)
      const past = yield* cache.read({ series, range: march1 }, { asOf: noon + hour })
      assert.deepStrictEqual(yield* barsOf(past), old)
      const again = yield* cache.read({ series, range: both })
      assert.deepStrictEqual([yield* barsOf(again), again.requests], [now, 0])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C38 a range that borders on nothing is compared with a bar that is stored", () => {
    const vendor = ModelVendor.make({ splits })
    return Effect.gen(function* () {
      const { asked, cache, series } = yield* split(vendor)
      const march5 = between("2024-03-05T00:00:00Z", "2024-03-06T00:00:00Z")
      yield* moving(cache.read({ series, range: march5 }))
      assert.deepStrictEqual(yield* askedFor(vendor, asked), [
        "03-05T00 24",
        "03-05T00 1",
        "03-01T23 1",
        "03-01T00 24",
        "03-01T00 1",
        "03-05T00 1",
        "03-01T23 1"
      ])
      const stored = yield* cache.read({ series, range: both }, { onMissing: "partial" })
      assert.deepStrictEqual(yield* barsOf(stored), yield* vendor.direct(series, both))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C38 several readers find the split at once: one refetch, and all have the new", () => {
    const vendor = ModelVendor.make({ splits, latency: [2_000, 9_000] })
    return Effect.gen(function* () {
      const { asked, cache, series } = yield* split(vendor)
      const hours = [0, 5, 9, 17]
      const ranges = hours.map((from) => ({ start: march2.start + from * hour, end: march2.start + (from + 4) * hour }))
      const answers = yield* moving(
        Effect.forEach([...ranges, both], (range) => cache.read({ series, range }), { concurrency: "unbounded" }),
        1_000
      )
      for (const answer of answers) {
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, answer.range))
      }
      const log = yield* askedFor(vendor, asked)
      assert.strictEqual(log.filter((request) => request === "03-01T00 24").length, 1, log.join("\n"))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "C38 a refetch that is refused leaves the old and says why; the next read tries again, not sooner than allowed",
    () => {
      const state = { refused: true }
      const vendor = ModelVendor.make({
        splits,
        trouble: ({ range }) =>
          state.refused && range.start === march1.start && range.end === march1.end && splitYet()
            ? new Throttled({ retryAfter: hour })
            : null
      })
      let now = noon
      const splitYet = () => now > noon
      return Effect.gen(function* () {
        const { asked, cache, old, series } = yield* split(vendor)
        now = noon + 2 * hour
        const partial = yield* moving(cache.read({ series, range: both }, { onMissing: "partial" }), 10_000)
        assert.deepStrictEqual(yield* barsOf(partial), old)
        assert.deepStrictEqual(outline(partial.coverage), [
          "2024-03-01T00:00:00.000Z Covered",
          "2024-03-02T00:00:00.000Z Throttled"
        ])
        const spent = (yield* vendor.log).length
        for (let reads = 0; reads < 5; reads++) {
          const error = yield* moving(Effect.flip(cache.read({ series, range: both })), 1_000)
          assert.strictEqual(error.reason._tag, "VendorError", error.message)
        }
        assert.strictEqual((yield* vendor.log).length, spent, "nothing is asked before the vendor allows it")
        assert.isAbove(spent, asked)
        yield* TestClock.adjust(2 * hour)
        state.refused = false
        const answer = yield* moving(cache.read({ series, range: both }))
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, both))
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("a reader that is interrupted while its refetch runs leaves the old, and the next one has the new", () => {
    const vendor = ModelVendor.make({ splits, latency: [5_000, 5_000] })
    return Effect.gen(function* () {
      const { cache, old, series } = yield* split(vendor)
      const reader = yield* Effect.forkChild(cache.read({ series, range: both }), { startImmediately: true })
      yield* settled
      yield* TestClock.adjust(5_000)
      yield* settled
      yield* TestClock.adjust(1_000)
      yield* Fiber.interrupt(reader)
      yield* settled
      assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range: march1 })), old)
      const answer = yield* moving(cache.read({ series, range: both }), 1_000)
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, both))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("prices that wobble in the last digits are no split", () => {
    const vendor = ModelVendor.make({ wobble: 1e-6 })
    return Effect.gen(function* () {
      const { asked, cache, series } = yield* split(vendor)
      yield* moving(cache.read({ series, range: both }))
      assert.deepStrictEqual(yield* askedFor(vendor, asked), ["03-01T23 25"])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "a vendor that contradicts itself with every answer is asked a bounded number of times, and the old stays",
    () => {
      const vendor = ModelVendor.make({ wobble: 0.05 })
      return Effect.gen(function* () {
        const { asked, cache, old, series } = yield* split(vendor)
        for (let reads = 0; reads < 6; reads++) {
          const error = yield* moving(Effect.flip(cache.read({ series, range: both })), 1_000)
          assert.strictEqual(error.reason._tag, "VendorError", error.message)
        }
        assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range: march1 })), old)
        assert.isBelow((yield* vendor.log).length - asked, 80)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("a day that was read first, while it was open, is had again with the history before it", () => {
    const vendor = ModelVendor.make({ finalityDelay: 2 * day })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1d", "all")
      const today = between("2024-03-06T00:00:00Z", "2024-03-07T00:00:00Z")
      yield* moving(cache.read({ series, range: today }))
      const history = between("2024-01-01T00:00:00Z", "2024-03-07T00:00:00Z")
      const answer = yield* moving(cache.read({ series, range: history }))
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, history))
      assert.isTrue(answer.coverage.every(({ state }) => state._tag === "Covered" || state._tag === "Provisional"))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "a vendor that no longer has the past: the new generation has what there is, the rest is readable as of then",
    () => {
      const limits = { timeframes: { "1h": { maxSpan: null, maxRows: null } } }
      const vendor = ModelVendor.make({
        splits,
        limits,
        trouble: ({ range }) =>
          range.start < march1.start + 12 * hour && range.end === march1.end && gone.yes
            ? new Rejected({ message: "too old" })
            : null
      })
      const gone = { yes: false }
      return Effect.gen(function* () {
        const { cache, old, series } = yield* split(vendor)
        gone.yes = true
        const partial = yield* moving(cache.read({ series, range: both }, { onMissing: "partial" }))
        assert.deepStrictEqual(yield* barsOf(partial), old)
        const hole = partial.coverage.at(-1)?.state
        assert.strictEqual(hole?._tag === "Missing" ? hole.cause?.tag : null, "Rejected")
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect(
    "a vendor that no longer gives what is stored: new rows are had, and both together say that they were not compared",
    () => {
      const limits = { timeframes: { "1h": { maxSpan: null, maxRows: null, maxAge: 30 * day } } }
      const vendor = ModelVendor.make({ splits: [{ at: noon + 10 * day, ratio: 4 }], limits })
      const may1 = between("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z")
      const seam = utc("2024-04-03T12:00:00Z")
      const whole = { start: march1.start, end: may1.end }
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const services = over(directory, [vendor.adapter])
        const series = vendor.series("ALPHA", "1h", "splits")
        const read = (range: TimeRange, policy: RangePolicy = "cacheFirst") =>
          StitchingCache.use((cache) => moving(cache.read({ series, range, policy }, { onMissing: "partial" })))
        yield* Effect.gen(function* () {
          yield* TestClock.setTime(noon)
          const old = yield* barsOf(yield* read(march1))
          yield* TestClock.setTime(utc("2024-05-03T12:00:00Z"))
          assert.isUndefined((yield* read(may1)).seams, "one part alone is of one basis")
          const both = yield* read(whole, "cacheOnly")
          assert.deepStrictEqual(both.seams, [seam])
          assert.deepStrictEqual(yield* barsOf(both), [...old, ...(yield* vendor.direct(series, may1))])
          assert.isUndefined((yield* read(march1)).seams)
          // What follows is compared with the new part, and the old one is as far away as before.
          const may2 = { start: may1.end, end: may1.end + day }
          yield* read(may2)
          assert.deepStrictEqual((yield* read({ start: march1.start, end: may2.end }, "cacheOnly")).seams, [seam])
          assert.isUndefined((yield* read({ start: may1.start, end: may2.end })).seams)
          const archive = yield* ProvenanceStore
          assert.deepStrictEqual(
            (yield* archive.operationsOf(canonical(series), 0)).flatMap(({ change }) =>
              change._tag === "Admitted" ? [change.apart ?? null] : []
            ),
            [null, seam, null]
          )
        }).pipe(Effect.provide(services))
        yield* Effect.gen(function* () {
          assert.deepStrictEqual((yield* read(whole, "cacheOnly")).seams, [seam], "another process knows, too")
          const cache = yield* StitchingCache
          const checked = yield* Stream.runCollect(cache.rebuild({ check: true }))
          assert.isTrue(checked.every((event) => event._tag !== "Compared" || event.same))
          // A series that is fetched anew is of one basis; what the vendor does not give any more is not in it.
          yield* moving(cache.refetch(series))
          assert.isUndefined((yield* read(whole, "cacheOnly")).seams)
        }).pipe(Effect.provide(services))
      })
    }
  )
})
