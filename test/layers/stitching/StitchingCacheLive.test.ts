import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, day, fresh, hour, minute, moving, outline, stampsOf, utc } from "./support.ts"

/** A Wednesday. */
const noon = utc("2024-03-06T12:00:00Z")

const asked = (vendor: ModelVendor.ModelVendor) =>
  Effect.map(vendor.log, (log) =>
    log.map(({ range }) => `${new Date(range.start).toISOString()}/${new Date(range.end).toISOString()}`)
  )

describe("StitchingCache", () => {
  it.effect("C32 a range that is covered makes no call", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("alpha", "1m")
      const range = between("2024-03-01T00:00:00Z", "2024-03-01T02:00:00Z")
      const first = yield* cache.read({ series, range })
      assert.strictEqual(first.rowCount, 120)
      assert.strictEqual(first.rowsFromVendor, 120)
      assert.strictEqual(first.requests, 1)
      assert.deepStrictEqual(yield* barsOf(first), yield* vendor.direct(series, range))
      assert.deepStrictEqual(outline(first.coverage), ["2024-03-01T00:00:00.000Z Covered"])
      const second = yield* cache.read({ series, range })
      assert.deepStrictEqual(yield* barsOf(second), yield* barsOf(first))
      assert.deepStrictEqual([second.requests, second.sharedRequests, second.rowsFromVendor], [0, 0, 0])
      assert.strictEqual((yield* vendor.log).length, 1)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C33 exactly the missing half-open sub-ranges are fetched, and the union is sorted and unique", () => {
    const vendor = ModelVendor.make({ holes: 0.2 })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      yield* cache.read({ series, range: between("2024-03-01T06:00:00Z", "2024-03-01T09:00:00Z") })
      yield* cache.read({ series, range: between("2024-03-01T09:00:00Z", "2024-03-01T10:00:00Z") })
      yield* cache.read({ series, range: between("2024-03-01T15:00:00Z", "2024-03-01T18:00:00Z") })
      const whole = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const answer = yield* cache.read({ series, range: whole })
      assert.deepStrictEqual((yield* asked(vendor)).slice(3), [
        "2024-03-01T00:00:00.000Z/2024-03-01T06:00:00.000Z",
        "2024-03-01T10:00:00.000Z/2024-03-01T15:00:00.000Z",
        "2024-03-01T18:00:00.000Z/2024-03-02T00:00:00.000Z"
      ])
      assert.strictEqual(answer.requests, 3)
      const bars = yield* barsOf(answer)
      assert.deepStrictEqual(bars, yield* vendor.direct(series, whole))
      assert.strictEqual(new Set(stampsOf(bars)).size, bars.length)
      assert.strictEqual(answer.rowCount, bars.length)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C36 an answer asked for before a bar's close is provisional there, however late it comes", () => {
    const vendor = ModelVendor.make({ latency: [2 * minute, 2 * minute], limits: { provisionalFor: minute } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon - minute)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = { start: noon - 2 * hour, end: noon }
      const answer = yield* moving(cache.read({ series, range }), minute)
      assert.deepStrictEqual(outline(answer.coverage), [
        "2024-03-06T10:00:00.000Z Covered",
        "2024-03-06T11:00:00.000Z Provisional"
      ])
      yield* TestClock.adjust(2 * minute)
      const later = yield* moving(cache.read({ series, range }), minute)
      assert.deepStrictEqual(outline(later.coverage), [
        "2024-03-06T10:00:00.000Z Covered",
        "2024-03-06T11:00:00.000Z Covered"
      ])
      assert.deepStrictEqual(yield* barsOf(later), yield* vendor.direct(series, range))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C34 empty-gap stitch (34): an empty weekend is covered as Empty, once, and fails nothing", () => {
    const vendor = ModelVendor.make({ weekends: true, limits: { emptyFor: 7 * day } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const friday = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
      const monday = between("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z")
      yield* cache.read({ series, range: friday })
      yield* cache.read({ series, range: monday })
      const range = { start: friday.start, end: monday.end }
      const answer = yield* cache.read({ series, range })
      assert.strictEqual(answer.rowCount, 48)
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
      assert.deepStrictEqual(outline(answer.coverage), [
        "2024-03-01T00:00:00.000Z Covered",
        "2024-03-02T00:00:00.000Z Empty",
        "2024-03-04T00:00:00.000Z Covered"
      ])
      yield* cache.read({ series, range })
      assert.strictEqual((yield* vendor.log).length, 3)
      yield* TestClock.adjust(7 * day)
      yield* cache.read({ series, range })
      yield* cache.read({ series, range })
      assert.deepStrictEqual(
        (yield* asked(vendor)).slice(3),
        ["2024-03-02T00:00:00.000Z/2024-03-04T00:00:00.000Z"],
        "believed for a week, then asked again, once"
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "C36 future `to` (36): coverage never runs past what is final, and the rest is asked for when it is there",
    () => {
      const vendor = ModelVendor.make({ limits: { provisionalFor: minute } })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon + 20 * minute)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        const range = between("2024-03-06T10:00:00Z", "2024-03-07T00:00:00Z")
        const first = yield* cache.read({ series, range }, { onMissing: "partial" })
        assert.deepStrictEqual(outline(first.coverage), [
          "2024-03-06T10:00:00.000Z Covered",
          "2024-03-06T12:00:00.000Z Provisional",
          "2024-03-06T13:00:00.000Z Missing"
        ])
        assert.deepStrictEqual(yield* asked(vendor), [
          "2024-03-06T10:00:00.000Z/2024-03-06T12:00:00.000Z",
          "2024-03-06T12:00:00.000Z/2024-03-06T13:00:00.000Z"
        ])
        const last = first.coverage.at(-1)?.state
        assert.strictEqual(last?._tag === "Missing" ? last.cause?.tag : null, "NotYet")
        const failed = yield* Effect.flip(cache.read({ series, range }))
        assert.strictEqual(failed.reason._tag, "RangeIncomplete")
        yield* TestClock.setTime(utc("2024-03-07T00:00:00Z"))
        const later = yield* cache.read({ series, range })
        assert.deepStrictEqual(yield* barsOf(later), yield* vendor.direct(series, range))
        assert.deepStrictEqual(new Set(later.coverage.map(({ state }) => state._tag)), new Set(["Covered"]))
        assert.deepStrictEqual((yield* asked(vendor)).slice(2), ["2024-03-06T12:00:00.000Z/2024-03-07T00:00:00.000Z"])
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect(
    "C37 a provisional tail is served until it runs out, then fetched again, and the open bar is replaced",
    () => {
      const vendor = ModelVendor.make({ limits: { provisionalFor: 5 * minute } })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon + 20 * minute)
        const cache = yield* StitchingCache
        const store = yield* MarketStore
        const series = vendor.series("ALPHA", "1h")
        const range = between("2024-03-06T11:00:00Z", "2024-03-06T13:00:00Z")
        const open = yield* barsOf(yield* cache.read({ series, range }))
        assert.strictEqual(open.length, 2)
        yield* TestClock.adjust(4 * minute)
        yield* cache.read({ series, range })
        assert.strictEqual((yield* vendor.log).length, 2, "within five minutes nothing is asked")
        yield* TestClock.adjust(minute)
        const again = yield* barsOf(yield* cache.read({ series, range }))
        assert.strictEqual((yield* vendor.log).length, 3)
        assert.notDeepEqual(again[1], open[1])
        yield* TestClock.setTime(utc("2024-03-06T13:00:00Z"))
        const over = yield* cache.read({ series, range })
        assert.deepStrictEqual(yield* barsOf(over), yield* vendor.direct(series, range))
        assert.deepStrictEqual(outline(over.coverage), [
          "2024-03-06T11:00:00.000Z Covered",
          "2024-03-06T12:00:00.000Z Covered"
        ])
        const revisions = yield* Stream.runCollect(store.revisions(series, range))
        assert.deepStrictEqual(
          revisions.map((revision) => revision.kind),
          ["finalised"],
          "a provisional value that another one overwrote leaves no revision"
        )
        yield* TestClock.adjust(30 * day)
        yield* cache.read({ series, range })
        assert.strictEqual((yield* vendor.log).length, 4, "final is final")
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("C38 revised bar (38): the latest fetched wins by stamp, the old value stays as a revision", () => {
    const range = between("2024-03-01T00:00:00Z", "2024-03-01T06:00:00Z")
    const at = noon + hour
    const vendor = ModelVendor.make({
      corrections: [{ ...between("2024-03-01T02:00:00Z", "2024-03-01T03:00:00Z"), at }]
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const store = yield* MarketStore
      const series = vendor.series("ALPHA", "1h")
      const before = yield* barsOf(yield* cache.read({ series, range }))
      yield* TestClock.setTime(at)
      assert.deepStrictEqual(yield* barsOf(yield* cache.read({ series, range })), before, "nobody asked")
      const forced = yield* cache.read({ series, range, policy: "force" })
      const after = yield* barsOf(forced)
      assert.strictEqual(forced.requests, 1)
      assert.deepStrictEqual(after, yield* vendor.direct(series, range))
      assert.notDeepEqual(after[2], before[2])
      const revisions = yield* Stream.runCollect(store.revisions(series, range))
      assert.deepStrictEqual(
        revisions.map(({ bar, kind, recordedAt, supersededAt }) => ({ bar, kind, recordedAt, supersededAt })),
        [{ bar: before[2] ?? null, kind: "corrected" as const, recordedAt: noon, supersededAt: at }]
      )
      const then = yield* cache.read({ series, range }, { asOf: at - 1 })
      assert.deepStrictEqual(yield* barsOf(then), before)
      assert.deepStrictEqual(outline(then.coverage), ["2024-03-01T00:00:00.000Z Covered"])
      const never = yield* cache.read({ series, range }, { asOf: noon - 1, onMissing: "partial" })
      assert.deepStrictEqual(outline(never.coverage), ["2024-03-01T00:00:00.000Z Missing"])
      assert.strictEqual(never.rowCount, 0)
      assert.strictEqual((yield* vendor.log).length, 2, "a read of the past fetches nothing")
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C38 what was provisional then is reported as provisional", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon + 20 * minute)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-06T11:00:00Z", "2024-03-06T13:00:00Z")
      const open = yield* barsOf(yield* cache.read({ series, range }))
      yield* TestClock.setTime(noon + 5 * hour)
      yield* cache.read({ series, range })
      const then = yield* cache.read({ series, range }, { asOf: noon + hour })
      assert.deepStrictEqual(outline(then.coverage), [
        "2024-03-06T11:00:00.000Z Covered",
        "2024-03-06T12:00:00.000Z Provisional"
      ])
      assert.deepStrictEqual(yield* barsOf(then), open)
      const coverage = yield* cache.coverage(series, range, { asOf: noon + hour })
      assert.deepStrictEqual(outline(coverage), outline(then.coverage))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C39 symbols are one series whatever their case; vendor, timeframe and adjustment make others", () => {
    const vendor = ModelVendor.make({ limits: { adjustments: ["raw", "splits"] } })
    const other = ModelVendor.make({ name: "other", seed: 2 })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2024-03-01T00:00:00Z", "2024-03-01T04:00:00Z")
      for (const symbol of ["alpha", "ALPHA", " Alpha "]) {
        const series = yield* vendor.adapter.fetch.series({ symbol, kind: "bar", timeframe: "1h" })
        yield* cache.read({ series, range })
      }
      assert.strictEqual((yield* vendor.log).length, 1)
      const split = { ...vendor.series("ALPHA", "1h"), adjustment: "splits" as const }
      yield* cache.read({ series: split, range })
      yield* cache.read({ series: vendor.series("ALPHA", "30m"), range })
      const answer = yield* cache.read({ series: other.series("ALPHA", "1h"), range })
      assert.strictEqual((yield* vendor.log).length, 3)
      assert.strictEqual((yield* other.log).length, 1)
      assert.deepStrictEqual(yield* barsOf(answer), yield* other.direct(other.series("ALPHA", "1h"), range))
    }).pipe(Effect.provide(fresh(vendor.adapter, other.adapter)))
  })

  it.effect("C40 overlapping reads store each row once and archive only what was missing", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const store = yield* MarketStore
      const archive = yield* ProvenanceStore
      const series = vendor.series("ALPHA", "1m")
      const start = utc("2024-03-01T00:00:00Z")
      for (let hours = 1; hours <= 24; hours++)
        yield* cache.read({ series, range: { start, end: start + hours * hour } })
      const [summary] = yield* store.series
      assert.strictEqual(summary?.rows, 1_440)
      const log = yield* vendor.log
      assert.strictEqual(log.length, 24)
      assert.strictEqual(
        log.reduce((sum, { rows }) => sum + rows, 0),
        1_440,
        "no row came twice"
      )
      assert.strictEqual((yield* archive.stats).responses, 24)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C45 sub-second bounds are kept: one-second bars are neither lost nor gained", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1s")
      const range = between("2024-03-01T00:00:00.250Z", "2024-03-01T00:00:03.001Z")
      const answer = yield* cache.read({ series, range })
      assert.deepStrictEqual(answer.range, range)
      assert.deepStrictEqual(stampsOf(yield* barsOf(answer)), [
        "2024-03-01T00:00:01.000Z",
        "2024-03-01T00:00:02.000Z",
        "2024-03-01T00:00:03.000Z"
      ])
      assert.strictEqual(answer.rowCount, 3)
      const wider = yield* cache.read({ series, range: between("2024-03-01T00:00:00Z", "2024-03-01T00:00:03.999Z") })
      assert.strictEqual((yield* vendor.log).length, 1, "the bars that the bounds cut were asked for whole")
      assert.strictEqual(wider.rowCount, 4)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C45 stamps off the UTC grid keep their bounds to the millisecond", () => {
    const vendor = ModelVendor.make({ offGrid: 30 * minute + 1 })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h")
      const range = between("2024-03-01T09:30:00.001Z", "2024-03-01T11:30:00.001Z")
      const answer = yield* cache.read({ series, range })
      assert.deepStrictEqual(stampsOf(yield* barsOf(answer)), ["2024-03-01T09:30:00.001Z", "2024-03-01T10:30:00.001Z"])
      const next = yield* cache.read({ series, range: { start: range.end, end: range.end + 1 } })
      assert.deepStrictEqual(stampsOf(yield* barsOf(next)), ["2024-03-01T11:30:00.001Z"])
      assert.deepStrictEqual((yield* asked(vendor))[1], "2024-03-01T11:30:00.001Z/2024-03-01T11:30:00.002Z")
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("a range in which no bar can be stamped is a whole answer without rows or calls", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1d")
      const answer = yield* cache.read({ series, range: between("2024-03-01T01:00:00Z", "2024-03-01T23:00:00Z") })
      assert.strictEqual(answer.rowCount, 0)
      assert.deepStrictEqual(outline(answer.coverage), ["2024-03-01T01:00:00.000Z Closed"])
      assert.deepStrictEqual((yield* cache.execute(answer.plan)).coverage, answer.coverage)
      assert.strictEqual((yield* vendor.log).length, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
