import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { Throttled, Unavailable } from "../../../src/services/Adapter.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, fresh, hour, minute, moving, outline, settled, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")

describe("StitchingCache, plans", () => {
  it.effect(
    "X3 the plan says what, from where, how long and for how much, spends nothing, and is what is executed",
    () => {
      const vendor = ModelVendor.make({
        cost: 0.5,
        limits: {
          timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } },
          windows: [{ name: "minute", limit: 2, span: minute, key: null }]
        }
      })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        yield* cache.read({ series, range: { start: range.start, end: range.start + 6 * hour } })
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(
          plan.pieces.map(({ from, requests, state }) => [from, state._tag, requests]),
          [
            ["store", "Covered", 0],
            ["vendor", "Missing", 3]
          ]
        )
        assert.deepStrictEqual(
          plan.requests.map(({ cost, range: { start }, waits }) => [new Date(start).toISOString(), waits, cost]),
          [
            ["2024-03-01T06:00:00.000Z", 0, 0.5],
            ["2024-03-01T12:00:00.000Z", minute, 0.5],
            ["2024-03-01T18:00:00.000Z", minute, 0.5]
          ]
        )
        assert.deepStrictEqual([plan.waits, plan.cost], [minute, 1.5])
        assert.strictEqual((yield* vendor.log).length, 1, "planning asks nobody")
        const answer = yield* moving(cache.execute(plan), 1_000)
        assert.deepStrictEqual(
          (yield* vendor.log).slice(1).map((request) => request.range),
          plan.requests.map((request) => request.range)
        )
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
        assert.strictEqual(answer.requests, 3)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("X3 executing a plan asks for no more than the plan, and not for what others have had since", () => {
    const vendor = ModelVendor.make({ latency: [1_000, 1_000] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const plan = yield* cache.plan({ series, range })
      const wider = yield* cache.plan({ series, range: { start: range.start - hour, end: range.end } })
      yield* moving(cache.read({ series, range: { start: range.start, end: range.start + hour } }))
      const reading = yield* Effect.forkChild(
        cache.read({ series, range: { start: range.end - hour, end: range.end } }),
        { startImmediately: true }
      )
      yield* settled
      const answer = yield* moving(cache.execute(plan))
      yield* Fiber.join(reading)
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
      assert.deepStrictEqual((yield* vendor.log).at(-1)?.range, { start: range.start + hour, end: range.end - hour })
      assert.deepStrictEqual([answer.requests, answer.sharedRequests], [1, 1])
      yield* moving(cache.execute(plan))
      assert.strictEqual((yield* vendor.log).length, 3)
      yield* moving(cache.execute(wider))
      assert.deepStrictEqual((yield* vendor.log).at(-1)?.range, { start: range.start - hour, end: range.start })
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X3 policies: cacheOnly asks nobody, refresh what is provisional, force everything", () => {
    const vendor = ModelVendor.make({ limits: { provisionalFor: hour } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon + 20 * minute)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const tail = between("2024-03-06T10:00:00Z", "2024-03-06T13:00:00Z")
      const nothing = yield* cache.read({ series, range: tail, policy: "cacheOnly" }, { onMissing: "partial" })
      assert.deepStrictEqual(outline(nothing.coverage), ["2024-03-06T10:00:00.000Z Missing"])
      const failed = yield* Effect.flip(cache.read({ series, range: tail, policy: "cacheOnly" }))
      assert.strictEqual(failed.reason._tag, "RangeIncomplete")
      assert.strictEqual((yield* vendor.log).length, 0)
      const askedBy = (policy: "cacheFirst" | "refresh" | "force") =>
        Effect.map(cache.read({ series, range: tail, policy }), ({ requests }) => requests)
      assert.strictEqual(yield* askedBy("cacheFirst"), 2)
      assert.strictEqual(yield* askedBy("cacheFirst"), 0)
      assert.strictEqual(yield* askedBy("refresh"), 1)
      assert.strictEqual(yield* askedBy("force"), 2)
      const kept = yield* cache.read({ series, range: tail, policy: "cacheOnly" })
      assert.strictEqual(kept.rowCount, 3)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X3 answers that are whole files are asked for whole, once", () => {
    const vendor = ModelVendor.make({ limits: { alignment: { unit: "day", zone: "UTC" } } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1m")
      const part = between("2024-03-01T23:00:00Z", "2024-03-02T01:00:00Z")
      const answer = yield* cache.read({ series, range: part })
      assert.strictEqual(answer.rowCount, 120)
      assert.deepStrictEqual(
        (yield* vendor.log).map((request) => request.range),
        [
          between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"),
          between("2024-03-02T00:00:00Z", "2024-03-03T00:00:00Z")
        ]
      )
      const day = yield* cache.read({ series, range })
      assert.deepStrictEqual([day.rowCount, day.requests], [1_440, 0])
      const today = between("2024-03-06T00:00:00Z", "2024-03-06T12:01:00Z")
      const growing = yield* cache.read({ series, range: today })
      assert.deepStrictEqual(outline(growing.coverage), [
        "2024-03-06T00:00:00.000Z Covered",
        "2024-03-06T12:00:00.000Z Provisional"
      ])
      assert.strictEqual(growing.requests, 1)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X3 what was invalidated is fetched again, although the archive has it", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      yield* cache.read({ series, range })
      yield* TestClock.adjust(1)
      yield* cache.invalidate(series, range)
      assert.deepStrictEqual(outline(yield* cache.coverage(series, range)), ["2024-03-01T00:00:00.000Z Missing"])
      yield* TestClock.adjust(1)
      const again = yield* cache.read({ series, range })
      assert.deepStrictEqual([again.requests, again.rowCount], [1, 24])
      assert.strictEqual((yield* vendor.log).length, 2)
      assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("X3 what was invalidated in the very millisecond of its fetch is fetched again too", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      yield* cache.read({ series, range })
      yield* cache.invalidate(series, range)
      assert.deepStrictEqual(outline(yield* cache.coverage(series, range)), ["2024-03-01T00:00:00.000Z Missing"])
      assert.strictEqual((yield* cache.read({ series, range })).requests, 1)
      assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("a row is explained down to the line of the bytes that it came from", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      yield* cache.read({ series, range })
      const ts = range.start + 2 * hour
      const receipt = yield* cache.explain(series, ts)
      assert.strictEqual(receipt.excerpt.label, "line 5")
      assert.include(receipt.excerpt.text, `2024-03-01T02:00:00.000Z ${receipt.bar.open.toFixed(2)} `)
      assert.match(receipt.response.sha256 ?? "", /^[0-9a-f]{64}$/)
      assert.strictEqual(receipt.request.subject?.range.start, range.start)
      assert.strictEqual(receipt.lineage.recordedAt, noon)
      assert.isTrue(receipt.final)
      const none = yield* Effect.flip(cache.explain(series, ts + 1))
      assert.strictEqual(none.reason._tag, "NoSuchRow")
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "X1 a receipt has every attempt of its request, also those that failed, with times, waits and causes",
    () => {
      const windows = [{ name: "one a minute", limit: 1, span: minute, key: null }]
      const vendor = ModelVendor.make({
        limits: { windows },
        trouble: ({ attempt }) =>
          attempt === 1
            ? new Unavailable({ message: "the line is dead" })
            : attempt === 2
              ? new Throttled({ retryAfter: 1 })
              : null
      })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        yield* moving(cache.read({ series, range }))
        const { attempts, lineage, request, response } = yield* cache.explain(series, range.start)
        assert.deepStrictEqual(
          attempts.map(({ attempt, cause, status }) => ({ attempt, cause, status })),
          [
            { attempt: 1, cause: "model: the line is dead", status: "error" },
            { attempt: 2, cause: "model: throttled; try again in 1 s", status: "throttled" },
            { attempt: 3, cause: null, status: "ok" }
          ]
        )
        assert.deepStrictEqual(attempts.at(-1), response)
        assert.isTrue(attempts.every(({ request: of }) => of === request.id))
        assert.strictEqual(lineage.recordedAt, response.fetchedAt)
        // Half a second of each wait was the pause between attempts; the budget made it wait for the rest of the minute.
        assert.deepStrictEqual(
          attempts.map(({ askedAt, waited }) => ({ askedAt, waited })),
          [
            { askedAt: noon, waited: 0 },
            { askedAt: noon + minute, waited: minute - 500 },
            { askedAt: noon + 2 * minute, waited: minute - 500 }
          ]
        )
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )
})
