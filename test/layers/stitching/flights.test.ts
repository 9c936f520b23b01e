import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import type { Adapter } from "../../../src/services/Adapter.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, fresh, hour, minute, moving, outline, settled, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const second = 1_000

const slow = (options: ModelVendor.ModelVendorOptions = {}) =>
  ModelVendor.make({ latency: [10 * second, 10 * second], ...options })

describe("StitchingCache, many readers", () => {
  it.effect("C42 stampede (20): identical concurrent requests are one upstream call, decoded once", () => {
    const vendor = slow()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const answers = yield* moving(
        Effect.all(
          Array.from({ length: 50 }, () => cache.read({ series, range })),
          { concurrency: "unbounded" }
        ),
        second
      )
      assert.strictEqual((yield* vendor.log).length, 1)
      const whole = yield* vendor.direct(series, range)
      for (const answer of answers) assert.deepStrictEqual(yield* barsOf(answer), whole)
      assert.strictEqual(
        answers.reduce((sum, { requests }) => sum + requests, 0),
        1
      )
      assert.strictEqual(
        answers.reduce((sum, { sharedRequests }) => sum + sharedRequests, 0),
        49
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C42 overlapping concurrent reads wait for each other's flights and ask only for the rest", () => {
    const vendor = slow()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const early = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const late = between("2024-03-01T12:00:00Z", "2024-03-02T12:00:00Z")
      const first = yield* Effect.forkChild(cache.read({ series, range: early }), { startImmediately: true })
      yield* settled
      const plan = yield* cache.plan({ series, range: late })
      assert.deepStrictEqual(
        plan.pieces.map(({ from, requests, state }) => [from, state._tag, requests]),
        [
          ["vendor", "Pending", 0],
          ["vendor", "Missing", 1]
        ]
      )
      assert.deepStrictEqual(outline(yield* cache.coverage(series, late)), [
        "2024-03-01T12:00:00.000Z Pending",
        "2024-03-02T00:00:00.000Z Missing"
      ])
      const [a, b] = yield* moving(
        Effect.all([Fiber.join(first), cache.read({ series, range: late })], { concurrency: 2 })
      )
      assert.deepStrictEqual(yield* barsOf(a), yield* vendor.direct(series, early))
      assert.deepStrictEqual(yield* barsOf(b), yield* vendor.direct(series, late))
      assert.deepStrictEqual([b.requests, b.sharedRequests], [1, 1])
      assert.deepStrictEqual(
        (yield* vendor.log).map(({ range }) => range),
        [early, { start: early.end, end: late.end }]
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C42 readers that plan at the same time do not plan the same", () => {
    const vendor = ModelVendor.make()
    const { fetch } = vendor.adapter
    const hesitant: Adapter = {
      ...vendor.adapter,
      fetch: { ...fetch, request: (series, range) => Effect.delay(fetch.request(series, range), "1 second") }
    }
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const ranges = [0, 6, 12].map((hours) => ({
        start: utc("2024-03-01T00:00:00Z") + hours * hour,
        end: utc("2024-03-02T00:00:00Z")
      }))
      const reads = ranges.map((range) => cache.read({ series, range }))
      yield* moving(Effect.all(reads, { concurrency: "unbounded" }))
      assert.deepStrictEqual(
        (yield* vendor.log).map(({ range }) => range),
        ranges.slice(0, 1)
      )
    }).pipe(Effect.provide(fresh(hesitant)))
  })

  it.effect("C42 the pieces of one plan run beside each other, never more than the vendor allows", () => {
    const vendor = slow({
      limits: { concurrency: 3, timeframes: { "1h": { maxSpan: 2 * hour, maxRows: null } } }
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T00:00:00Z", "2024-03-01T18:00:00Z")
      const told: Array<string> = []
      const answer = yield* moving(
        cache.read(
          { series, range },
          { progress: ({ done, of, rows }) => Effect.sync(() => void told.push(`${done}/${of} ${rows}`)) }
        ),
        second
      )
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
      const log = yield* vendor.log
      assert.strictEqual(log.length, 9)
      assert.strictEqual(Math.max(...log.map((request) => request.inFlight)), 3)
      assert.deepStrictEqual([told[0], told.at(-1)], ["1/9 2", "9/9 18"])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("ranges for which the vendor is asked the same leave no hole, at the cost of asking again", () => {
    const vendor = slow()
    const { fetch } = vendor.adapter
    const day = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
    const daily: Adapter = {
      ...vendor.adapter,
      fetch: {
        ...fetch,
        request: (series) => fetch.request(series, day),
        decode: (payload, decoding) =>
          Effect.map(fetch.decode(payload, { ...decoding, range: day }), ({ bars, positions }) => {
            const { end, start } = decoding.range
            const isInside = (ts: number) => start <= ts && ts < end
            const inside = positions.filter((_, index) => isInside(bars[index]?.ts ?? Number.NaN))
            return { bars: bars.filter(({ ts }) => isInside(ts)), positions: inside, rejected: [] }
          })
      }
    }
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const ranges = [
        { start: day.start, end: day.start + 6 * hour },
        { start: day.start + 6 * hour, end: day.end }
      ]
      const answers = yield* moving(
        Effect.forEach(ranges, (range) => cache.read({ series, range }), { concurrency: "unbounded" })
      )
      for (const [index, answer] of answers.entries()) {
        const range = ranges[index] ?? day
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
      }
      assert.deepStrictEqual(
        answers.map(({ requests, sharedRequests }) => [requests, sharedRequests]),
        [
          [1, 0],
          [1, 1]
        ]
      )
      assert.strictEqual((yield* vendor.log).length, 2)
    }).pipe(Effect.provide(fresh(daily)))
  })

  it.effect("slow vendor beside a fast one: neither its waiting nor its lock reaches the other", () => {
    const tortoise = slow({ name: "tortoise", latency: [hour, hour] })
    const hare = ModelVendor.make({ name: "hare" })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const waiting = yield* Effect.forkChild(cache.read({ series: tortoise.series("ALPHA", "1h"), range }), {
        startImmediately: true
      })
      yield* settled
      const answer = yield* cache.read({ series: hare.series("ALPHA", "1h"), range })
      assert.strictEqual(answer.rowCount, 24)
      const same = yield* cache.read(
        { series: tortoise.series("ALPHA", "1h"), range, policy: "cacheOnly" },
        { onMissing: "partial" }
      )
      assert.strictEqual(same.rowCount, 0, "what is stored is read at once, also of a series that is being fetched")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust(hour)
      assert.strictEqual((yield* Fiber.join(waiting)).rowCount, 24)
    }).pipe(Effect.provide(fresh(tortoise.adapter, hare.adapter)))
  })

  it.effect("a reader that leaves does not take the flight from those who stay", () => {
    const vendor = slow()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const first = yield* Effect.forkChild(cache.read({ series, range }), { startImmediately: true })
      yield* settled
      const second = yield* Effect.forkChild(cache.read({ series, range }), { startImmediately: true })
      yield* settled
      yield* Fiber.interrupt(first)
      const answer = yield* moving(Fiber.join(second))
      assert.strictEqual(answer.rowCount, 24)
      assert.strictEqual((yield* vendor.log).length, 1)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("the last reader that leaves stops what has not begun, and loses nothing that is archived", () => {
    const vendor = slow({
      limits: { concurrency: 1, timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } } }
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const archive = yield* ProvenanceStore
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const reader = yield* Effect.forkChild(cache.read({ series, range }), { startImmediately: true })
      yield* settled
      yield* TestClock.adjust(15 * second)
      yield* settled
      yield* Fiber.interrupt(reader)
      yield* settled
      yield* TestClock.adjust(minute)
      yield* settled
      assert.strictEqual((yield* vendor.log).length, 2, "the third and the fourth were never asked for")
      const left = yield* cache.coverage(series, range)
      assert.deepStrictEqual(outline(left), ["2024-03-01T00:00:00.000Z Covered", "2024-03-01T06:00:00.000Z Missing"])
      const [session] = yield* archive.sessions({ limit: 1 })
      assert.strictEqual(session?.outcome, "cancelled")
      const answer = yield* moving(cache.read({ series, range }))
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
      assert.strictEqual(answer.requests, 3)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("closing the cache ends its readers and flights", () => {
    const vendor = slow()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const exit = yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const reader = yield* Effect.forkDetach(cache.read({ series, range }), { startImmediately: true })
        yield* settled
        return reader
      }).pipe(Effect.provide(fresh(vendor.adapter)), Effect.flatMap(Fiber.await))
      assert.isTrue(Exit.isFailure(exit))
    })
  })
})
