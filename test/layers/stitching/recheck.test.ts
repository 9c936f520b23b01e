/** Late corrections: what was final is fetched once more when it is due, and then never again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { StoredCoverage } from "../../../src/domain/Coverage.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import { dueSince, type RecheckRules, withDue } from "../../../src/layers/stitching/recheck.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { Unavailable } from "../../../src/services/Adapter.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { newYork } from "../../support/calendars.ts"
import { barsOf, between, day, fresh, hour, minute, moving, outline, over, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const recheckAfter = 3 * day

const asked = (vendor: ModelVendor.ModelVendor) =>
  Effect.map(vendor.log, (log) =>
    log.map(
      ({ range }) =>
        `${new Date(range.start).toISOString().slice(5, 16)}/${new Date(range.end).toISOString().slice(5, 16)}`
    )
  )

const daily = (vendor: ModelVendor.ModelVendor): SeriesKey => ({ ...vendor.series("ALPHA", "1d"), session: "regular" })

describe("StitchingCache, rechecks", () => {
  it.effect(
    "C37 a day is fetched once more when it is due, its correction is a revision, and then it is settled",
    () => {
      const range = between("2024-03-05T00:00:00Z", "2024-03-06T00:00:00Z")
      const due = utc("2024-03-05T21:00:00Z") + recheckAfter
      const vendor = ModelVendor.make({
        calendar: newYork,
        corrections: [{ ...range, at: due - hour }],
        limits: { calendar: "XNYS", recheckAfter }
      })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const store = yield* MarketStore
        const series = daily(vendor)
        const first = yield* cache.read({ series, range })
        const before = yield* barsOf(first)
        yield* TestClock.setTime(due - 1)
        assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
        yield* TestClock.adjust(1)
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(
          plan.pieces.map(({ from, requests, state }) => [from, state._tag, requests]),
          [["vendor", "Covered", 1]]
        )
        assert.deepStrictEqual(
          plan.requests.map(({ final, notBefore }) => [final, notBefore]),
          [[true, due]]
        )
        const stored = yield* cache.read({ series, range, policy: "cacheOnly" })
        assert.deepStrictEqual(yield* barsOf(stored), before)
        const checked = yield* cache.execute(plan)
        assert.strictEqual(checked.requests, 1)
        assert.deepStrictEqual(yield* barsOf(checked), yield* vendor.direct(series, range))
        assert.notDeepEqual(yield* barsOf(checked), before)
        const revisions = yield* Stream.runCollect(store.revisions(series, range))
        assert.deepStrictEqual(
          revisions.map(({ kind }) => kind),
          ["corrected"]
        )
        for (const later of [0, 1, recheckAfter, 100 * day]) {
          yield* TestClock.adjust(later)
          assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
        }
        assert.strictEqual((yield* vendor.log).length, 2)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("C37 of a long history only what was young when it was asked for is fetched again", () => {
    const vendor = ModelVendor.make({ calendar: newYork, limits: { calendar: "XNYS", recheckAfter } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2014-01-01T00:00:00Z", "2024-03-06T00:00:00Z")
      yield* cache.read({ series: daily(vendor), range })
      yield* TestClock.adjust(30 * day)
      const again = yield* cache.read({ series: daily(vendor), range })
      assert.strictEqual(again.requests, 1)
      // Friday the first, with the week-end behind it, was three days old by then.
      assert.deepStrictEqual((yield* asked(vendor)).slice(1), ["03-04T00:00/03-06T00:00"])
      assert.strictEqual((yield* cache.read({ series: daily(vendor), range })).requests, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "C37 many small pieces are one recheck, also over closed time, and a part of them is none of the rest",
    () => {
      const vendor = ModelVendor.make({ calendar: newYork, limits: { calendar: "XNYS", recheckAfter } })
      return Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series: SeriesKey = { ...vendor.series("ALPHA", "5m"), session: "regular" }
        // Read twice a day for two weeks, each time what is new.
        for (let at = utc("2024-02-19T17:00:00Z"); at < utc("2024-03-01T23:00:00Z"); at += 6 * hour) {
          yield* TestClock.setTime(at)
          yield* cache.read({ series, range: { start: at - 2 * day, end: at } }, { onMissing: "partial" })
        }
        const polled = yield* vendor.log
        // Nothing but the days whose day is over is due while it goes on: one recheck a day at most.
        const repeated = polled.filter(({ at, range }) => range.end <= at - recheckAfter)
        assert.isAtMost(repeated.length, 10)
        yield* TestClock.setTime(utc("2024-03-20T12:00:00Z"))
        const range = between("2024-02-26T00:00:00Z", "2024-03-02T00:00:00Z")
        const part = yield* cache.read({ series, range: { start: range.start, end: utc("2024-02-28T00:00:00Z") } })
        const rest = yield* cache.read({ series, range })
        assert.deepStrictEqual([part.requests, rest.requests], [1, 1])
        assert.deepStrictEqual((yield* asked(vendor)).slice(polled.length), [
          "02-26T14:30/02-27T21:05",
          "02-28T14:30/03-01T21:05"
        ])
        assert.deepStrictEqual(yield* barsOf(rest), yield* vendor.direct(series, range))
        assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("C37 a recheck that is due survives a restart, and one that was done is not repeated by it", () => {
    const vendor = ModelVendor.make({ limits: { recheckAfter } })
    const series = vendor.series("ALPHA", "1h")
    const range = between("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z")
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const requests = yield* Effect.forEach([0, day, 2 * day, 0, 50 * day], (later) =>
        Effect.gen(function* () {
          const cache = yield* StitchingCache
          yield* TestClock.adjust(later)
          return (yield* cache.read({ series, range })).requests
        }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      )
      assert.deepStrictEqual(requests, [1, 0, 1, 0, 0])
    }).pipe((running) => Effect.andThen(TestClock.setTime(noon), running), Effect.scoped)
  })

  it.effect("C37 a recheck that fails takes nothing from the answer, and is made again", () => {
    let down = false
    const vendor = ModelVendor.make({
      limits: { recheckAfter },
      trouble: () => (down ? new Unavailable({ message: "down" }) : null)
    })
    const range = between("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z")
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1d")
      yield* cache.read({ series, range })
      yield* TestClock.adjust(10 * day)
      down = true
      const plan = yield* cache.plan({ series, range })
      for (const failed of [cache.read({ series, range }), cache.execute(plan)]) {
        const answer = yield* moving(failed, 1_000)
        assert.deepStrictEqual(outline(answer.coverage), ["2024-03-04T00:00:00.000Z Covered"])
        assert.strictEqual(answer.rowCount, 1)
      }
      assert.isAbove((yield* vendor.log).length, 2)
      const forced = yield* moving(Effect.flip(cache.read({ series, range, policy: "force" })), 1_000)
      assert.include(["VendorError", "QuotaError"], forced.reason._tag)
      down = false
      yield* TestClock.adjust(hour)
      assert.strictEqual((yield* cache.read({ series, range })).requests, 1)
      assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it("C37 what is due is the same from both sides", () => {
    const rules = fc.record({
      timeframe: fc.constantFrom(...Timeframe.all),
      calendar: fc.constantFrom(null, newYork),
      finalityDelay: fc.constantFrom(0, 15 * minute, 2 * day),
      stampsOnGrid: fc.boolean(),
      recheckAfter: fc.constantFrom(0, hour, 3 * day)
    })
    fc.assert(
      fc.property(rules, fc.integer({ min: utc("2020-01-01"), max: utc("2026-01-01") }), (drawn, end) => {
        const { calendar, timeframe, ...limits } = drawn
        const given: RecheckRules = { timeframe, calendar, limits }
        const since = dueSince(given, end)
        for (const askedAt of [since - 1, since]) {
          for (const now of [since - 1, since, since + 400 * day]) {
            const stored: StoredCoverage = {
              start: end - 1,
              end,
              state: { _tag: "Covered", response: ResponseId.make(1) },
              recordedAt: now,
              askedAt
            }
            const [stretch, ...others] = withDue([{ start: end - 1, end, stored }], given, now)
            assert.deepStrictEqual(others, [])
            assert.strictEqual(stretch?.due === true, askedAt < since && since <= now)
          }
        }
      })
    )
  })
})
