/** Closed time in plans and answers: never asked for alone, bridged between what is needed, and said where nothing is stored. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { isComplete, isFresh, type StoredCoverage } from "../../../src/domain/Coverage.ts"
import { closedStamps } from "../../../src/domain/closedStamps.ts"
import * as Intervals from "../../../src/domain/Intervals.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import { unlimited, type VendorLimits } from "../../../src/domain/VendorLimits.ts"
import { openEnd } from "../../../src/layers/stitching/finality.ts"
import { draft } from "../../../src/layers/stitching/planner.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { Rejected } from "../../../src/services/Adapter.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { lunch, newYork, overnight } from "../../support/calendars.ts"
import { barsOf, between, day, fresh, hour, minute, outline, stampsOf, utc } from "./support.ts"

/** A Wednesday. */
const noon = utc("2024-03-06T12:00:00Z")
const limits = { calendar: "XNYS" }

const regular = (vendor: ModelVendor.ModelVendor, timeframe: Timeframe.Timeframe): SeriesKey => ({
  ...vendor.series("ALPHA", timeframe),
  session: "regular"
})

const asked = (vendor: ModelVendor.ModelVendor) =>
  Effect.map(vendor.log, (log) =>
    log.map(
      ({ range }) =>
        `${new Date(range.start).toISOString().slice(0, 16)}/${new Date(range.end).toISOString().slice(0, 16)}`
    )
  )

describe("StitchingCache, closed time", () => {
  it.effect("C35 a range in which the exchange is closed is a whole answer, and nobody is asked", () => {
    const vendor = ModelVendor.make({ calendar: newYork, limits })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const ranges = [
        ["1d", between("2024-03-02T00:00:00Z", "2024-03-04T00:00:00Z")],
        ["1m", between("2024-03-02T00:00:00Z", "2024-03-04T00:00:00Z")],
        ["1d", between("2023-12-25T00:00:00Z", "2023-12-26T00:00:00Z")],
        ["1h", between("2023-12-22T22:00:00Z", "2023-12-26T14:00:00Z")],
        // The afternoon of a half day, and a week-end that is still to come.
        ["1m", between("2023-11-24T18:01:00Z", "2023-11-27T14:30:00Z")],
        ["1m", between("2024-03-09T00:00:00Z", "2024-03-11T00:00:00Z")]
      ] as const
      for (const [timeframe, range] of ranges) {
        const series = regular(vendor, timeframe)
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(plan.requests, [])
        assert.deepStrictEqual(plan.pieces, [
          { ...range, from: "store", state: { _tag: "Closed", calendar: "XNYS" }, requests: 0 }
        ])
        for (const policy of ["cacheFirst", "refresh", "force", "cacheOnly"] as const) {
          const answer = yield* cache.read({ series, range, policy })
          assert.deepStrictEqual([answer.rowCount, answer.requests], [0, 0])
          assert.deepStrictEqual(answer.coverage, [{ ...range, state: { _tag: "Closed", calendar: "XNYS" } }])
        }
        const known = yield* cache.read({ series, range }, { asOf: noon })
        assert.deepStrictEqual(known.coverage, [{ ...range, state: { _tag: "Closed", calendar: "XNYS" } }])
        assert.deepStrictEqual(yield* cache.coverage(series, range), known.coverage)
      }
      assert.strictEqual((yield* vendor.log).length, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C35 a year of minutes is as few requests as its span allows, each from an open to a close", () => {
    const timeframes = { "1m": { maxSpan: null, maxRows: null }, "15m": { maxSpan: 8 * day, maxRows: null } }
    const vendor = ModelVendor.make({ calendar: newYork, limits: { ...limits, timeframes } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z")
      const whole = yield* cache.plan({ series: regular(vendor, "1m"), range })
      assert.deepStrictEqual(
        whole.requests.map((request) => request.range),
        [between("2023-01-03T14:30:00Z", "2023-12-29T21:01:00Z")]
      )
      assert.strictEqual(whole.pieces.filter(({ state }) => state._tag === "Closed").length, 251)
      const plan = yield* cache.plan({ series: regular(vendor, "15m"), range })
      assert.isAtMost(plan.requests.length, 46)
      const answer = yield* cache.execute(plan)
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(regular(vendor, "15m"), range))
      // 250 sessions of which two are half days, with the bar of each closing auction.
      assert.strictEqual(answer.rowCount, 248 * 27 + 2 * 15)
      assert.strictEqual((yield* vendor.log).length, plan.requests.length)
      for (const { range } of plan.requests) {
        for (const bound of [range.start, range.end - 15 * minute]) {
          assert.isTrue(
            newYork.isOpenAt(bound) || newYork.previous(bound)?.close === bound,
            new Date(bound).toISOString()
          )
        }
      }
      assert.strictEqual((yield* cache.read({ series: regular(vendor, "15m"), range })).requests, 0)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "C35 asked day by day or at once a week has the same rows, closing auctions too, and each session is had once",
    () => {
      const vendor = ModelVendor.make({ calendar: newYork, limits })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const series = regular(vendor, "1m")
        for (let at = utc("2024-02-26"); at < utc("2024-03-04"); at += day) {
          yield* cache.read({ series, range: { start: at, end: at + day } })
        }
        assert.deepStrictEqual(yield* asked(vendor), [
          "2024-02-26T14:30/2024-02-26T21:01",
          "2024-02-27T14:30/2024-02-27T21:01",
          "2024-02-28T14:30/2024-02-28T21:01",
          "2024-02-29T14:30/2024-02-29T21:01",
          "2024-03-01T14:30/2024-03-01T21:01"
        ])
        const week = between("2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z")
        const answer = yield* cache.read({ series, range: week })
        assert.strictEqual(answer.requests, 0)
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, week))
        assert.include(stampsOf(yield* barsOf(answer)), "2024-02-27T21:00:00.000Z")
        const other: SeriesKey = { ...series, symbol: "BETA" }
        const once = yield* cache.read({ series: other, range: week })
        assert.strictEqual(once.requests, 1)
        assert.deepStrictEqual(stampsOf(yield* barsOf(once)), stampsOf(yield* barsOf(answer)))
        // What the one long answer proves of closed time keeps its own state.
        assert.deepStrictEqual(outline(once.coverage), [
          "2024-02-26T00:00:00.000Z Closed",
          "2024-02-26T14:30:00.000Z Covered",
          "2024-03-01T21:01:00.000Z Closed"
        ])
        assert.deepStrictEqual(outline(answer.coverage).slice(0, 4), [
          "2024-02-26T00:00:00.000Z Closed",
          "2024-02-26T14:30:00.000Z Covered",
          "2024-02-26T21:01:00.000Z Closed",
          "2024-02-27T14:30:00.000Z Covered"
        ])
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("C35 rows that a vendor has in closed time are kept where a request spans it", () => {
    // The vendor trades around the clock whatever its calendar says.
    const vendor = ModelVendor.make({ limits })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = regular(vendor, "1h")
      const range = between("2024-03-04T00:00:00Z", "2024-03-06T00:00:00Z")
      const answer = yield* cache.read({ series, range })
      assert.deepStrictEqual(yield* asked(vendor), ["2024-03-04T14:00/2024-03-05T22:00"])
      assert.deepStrictEqual(
        yield* barsOf(answer),
        yield* vendor.direct(series, between("2024-03-04T14:00:00Z", "2024-03-05T22:00:00Z"))
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C35 a request that fails leaves holes in open time only", () => {
    const vendor = ModelVendor.make({
      calendar: newYork,
      limits,
      trouble: () => new Rejected({ message: "not now" })
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2024-03-01T00:00:00Z", "2024-03-05T00:00:00Z")
      const answer = yield* cache.read({ series: regular(vendor, "1d"), range }, { onMissing: "partial" })
      assert.deepStrictEqual(outline(answer.coverage), [
        "2024-03-01T00:00:00.000Z Missing",
        "2024-03-02T00:00:00.000Z Closed",
        "2024-03-04T00:00:00.000Z Missing"
      ])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C35 what is left of a plan is not asked for closed time alone", () => {
    const vendor = ModelVendor.make({ calendar: newYork, limits })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = regular(vendor, "1m")
      const plan = yield* cache.plan({ series, range: between("2024-03-04T00:00:00Z", "2024-03-06T00:00:00Z") })
      yield* cache.read({ series, range: between("2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z") })
      yield* cache.execute(plan)
      assert.deepStrictEqual((yield* asked(vendor)).slice(1), ["2024-03-05T14:30/2024-03-05T21:01"])
      yield* cache.execute(plan)
      assert.strictEqual((yield* vendor.log).length, 2)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C35 no file is asked for whose day the exchange was closed", () => {
    const alignment = { unit: "day", zone: "America/New_York" } as const
    const vendor = ModelVendor.make({ calendar: newYork, offGrid: 30 * minute, limits: { ...limits, alignment } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      for (const [symbol, session] of [
        ["ALPHA", "regular"],
        ["BETA", "extended"],
        ["GAMMA", "all"]
      ] as const) {
        const before = (yield* vendor.log).length
        const series: SeriesKey = { ...vendor.series(symbol, "1h"), session }
        const range = between("2023-12-22T05:00:00Z", "2023-12-27T05:00:00Z")
        const answer = yield* cache.read({ series, range })
        assert.deepStrictEqual((yield* asked(vendor)).slice(before), [
          "2023-12-22T05:00/2023-12-23T05:00",
          "2023-12-26T05:00/2023-12-27T05:00"
        ])
        assert.deepStrictEqual(outline(answer.coverage), [
          "2023-12-22T05:00:00.000Z Covered",
          "2023-12-23T05:00:00.000Z Closed",
          "2023-12-26T05:00:00.000Z Covered"
        ])
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
      }
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C35 an unknown calendar is an error that names the known ones; a series may name its own, or none", () => {
    const named = ModelVendor.make({ limits: { calendar: "XNEW" } })
    const base = named.adapter
    const vendor = {
      ...base,
      fetch: {
        ...base.fetch,
        calendar: ({ symbol }: SeriesKey) => (symbol === "BETA" ? null : symbol === "GAMMA" ? "XNYS" : "XNEW")
      }
    }
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const range = between("2024-03-02T00:00:00Z", "2024-03-04T00:00:00Z")
      const series = regular(named, "1d")
      const error = yield* Effect.flip(cache.read({ series, range }))
      assert.strictEqual(error.reason._tag, "CalendarError")
      assert.include(error.message, "no calendar named XNEW")
      assert.include(error.message, "XNYS")
      assert.strictEqual((yield* cache.read({ series: { ...series, symbol: "BETA" }, range })).rowCount, 2)
      const closed = yield* cache.read({ series: { ...series, symbol: "GAMMA" }, range })
      assert.deepStrictEqual([closed.rowCount, closed.requests], [0, 0])
    }).pipe(Effect.provide(fresh(vendor)))
  })

  const response = ResponseId.make(1)
  const states = fc.constantFrom<StoredCoverage["state"]>(
    { _tag: "Covered", response },
    { _tag: "Empty", response, recheckAfter: null },
    { _tag: "Empty", response, recheckAfter: noon - 1 },
    { _tag: "Provisional", response, until: noon - 1 },
    { _tag: "Provisional", response, until: noon + 1 }
  )
  const hours = fc.integer({ min: -480, max: 96 })
  const stored = fc.array(fc.tuple(hours, states), { maxLength: 12 }).map((cuts): ReadonlyArray<StoredCoverage> => {
    const sorted = [...new Map(cuts).entries()].sort(([a], [b]) => a - b)
    return sorted.flatMap(([from, state], index) => {
      const to = sorted[index + 1]?.[0]
      return to === undefined || index % 3 === 2
        ? []
        : [{ start: noon + from * hour, end: noon + to * hour, state, recordedAt: 0 }]
    })
  })

  it("C33 C35 all that is missing in open time is asked for, in no more requests, and nothing that is served", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(newYork, lunch, overnight),
        fc.constantFrom<Timeframe.Timeframe>("15m", "1h", "4h", "1d"),
        fc.constantFrom("regular" as const, "all" as const),
        fc.boolean(),
        fc.option(fc.integer({ min: hour, max: 9 * day })),
        fc.constantFrom("cacheFirst" as const, "refresh" as const, "force" as const),
        stored,
        hours,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 59 }),
        (calendar, timeframe, session, stampsOnGrid, maxSpan, policy, coverage, from, length, minutes) => {
          const start = noon + from * hour + minutes * minute
          const range = Timeframe.stamps(timeframe, { start, end: start + length * hour })
          if (range === null) return
          const known = coverage.flatMap((interval) =>
            Intervals.intersect([interval], [range]).map((part) => ({ ...interval, ...part }))
          )
          const all: VendorLimits = {
            ...unlimited,
            stampsOnGrid,
            timeframes: { [timeframe]: { maxSpan, maxRows: null } }
          }
          const onGrid = stampsOnGrid || !Timeframe.isIntraday(timeframe)
          const bars = { start: Timeframe.floor(timeframe, range.start), end: Timeframe.ceil(timeframe, range.end) }
          const closed = closedStamps(calendar, { timeframe, session, onGrid }, onGrid ? bars : range)
          const common = {
            timeframe,
            range,
            policy,
            now: noon,
            limits: all,
            cells: null,
            coverage: known,
            inFlight: []
          }
          const { pieces, requests } = draft({ ...common, calendar, closed })
          const plain = draft({ ...common, calendar, closed: [] })

          assert.deepStrictEqual(Intervals.mergeNear(pieces, 0), [range])
          for (const [index, piece] of pieces.entries())
            assert.strictEqual(piece.end, pieces[index + 1]?.start ?? range.end)
          assert.isAtMost(requests.length, plain.requests.length)
          const served = known.filter(
            ({ state }) =>
              policy !== "force" && isFresh(state, noon) && !(policy === "refresh" && state._tag === "Provisional")
          )
          const open = { start: Number.MIN_SAFE_INTEGER, end: openEnd(timeframe, noon, calendar) }
          const missing = Intervals.subtract(Intervals.intersect([range], [open]), Intervals.normalise(served))
          const wanted = Intervals.normalise(requests.map((request) => request.range))
          assert.deepStrictEqual(
            Intervals.subtract(Intervals.subtract(missing, closed), wanted),
            [],
            "all is asked for"
          )
          // On the grid requests are of whole bars.
          const rounded = missing.map(({ end, start }) =>
            onGrid ? { start: Timeframe.floor(timeframe, start), end: Timeframe.ceil(timeframe, end) } : { start, end }
          )
          assert.deepStrictEqual(
            Intervals.subtract(wanted, Intervals.normalise(rounded)),
            [],
            "and nothing that is served"
          )
          for (const { range: one } of requests) {
            assert.isBelow(Intervals.total(Intervals.intersect([one], closed)), one.end - one.start, "not closed alone")
            assert.isFalse(
              closed.some((stretch) => stretch.start <= one.start && one.start < stretch.end),
              "begins open"
            )
            assert.isFalse(
              closed.some((stretch) => stretch.start < one.end && one.end <= stretch.end),
              "ends open"
            )
          }
          for (const piece of pieces) {
            const isClosed = Intervals.subtract([piece], closed).length === 0
            const isStored = Intervals.intersect([piece], Intervals.normalise(known)).length > 0
            if (isClosed && !isStored) assert.isTrue(isComplete(piece.state) && piece.state._tag === "Closed")
            if (piece.state._tag === "Closed") assert.isTrue(isClosed && !isStored)
            if (piece.from === "vendor") assert.isAbove(piece.requests, 0)
          }
        }
      ),
      { numRuns: 1_000 }
    )
  })
})
