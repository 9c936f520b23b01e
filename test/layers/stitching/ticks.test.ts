/** Ranges of single trades and quotes: planned, had page by page, once, and told whole or with what is missing of them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { TickSeries } from "../../../src/domain/records/TickSeries.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { MaxAnswerRows } from "../../../src/layers/stitching/MaxAnswerRows.ts"
import type * as ModelTicks from "../../../src/layers/testing/ModelTicks.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { Unavailable, type VendorErrorReason } from "../../../src/services/Adapter.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { StitchingCache, type TickAnswer } from "../../../src/services/StitchingCache.ts"
import { between, fresh, minute, moving, outline, over, settled, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-06T10:00:00Z", "2024-03-06T10:02:00Z")

/** Stamps of whole seconds and trades without numbers, so that many are alike: as Interactive Brokers has them. */
const vendorOf = (
  stream: ModelVendor.ModelVendorOptions["stream"] = {},
  options: Omit<ModelVendor.ModelVendorOptions, "stream"> = {}
) => ModelVendor.make({ ...options, stream: { rate: 4, pageRows: 50, numbered: false, resolution: 1_000, ...stream } })

const historyOf = ({ stream }: ModelVendor.ModelVendor): ModelTicks.ModelTicks => {
  if (stream?.ticks == null) throw new Error("a vendor without a history")
  return stream.ticks
}

const rowsOf = (answer: TickAnswer) => Stream.runCollect(answer.rows)
/** In an order that does not depend on how rows of one instant lie. */
const sorted = (rows: ReadonlyArray<object>) =>
  rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}` : value))).sort()
const truthOf = (vendor: ModelVendor.ModelVendor, series: TickSeries, of: TimeRange) =>
  sorted(historyOf(vendor).truth(series, of))

const inMinute = (from: number, to: number): TimeRange => ({
  start: range.start + from * 1_000,
  end: range.start + to * 1_000
})

describe("StitchingCache, single trades and quotes", () => {
  for (const kind of ["trade", "quote"] as const) {
    it.effect(`a range of ${kind}s is had in pages, once, and a plan says what it takes at the least`, () => {
      const vendor = vendorOf()
      const { asked, seriesOf } = historyOf(vendor)
      const series = seriesOf("ALPHA", kind)
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        assert.deepStrictEqual(yield* cache.resolve("model", { symbol: "alpha", kind, timeframe: null }), series)
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(
          plan.requests.map((request) => request.range),
          [range]
        )
        assert.isTrue(plan.atLeast)
        assert.strictEqual(asked.length, 0)
        const answer = yield* moving(cache.ticks({ series, range }))
        assert.deepStrictEqual(sorted(yield* rowsOf(answer)), truthOf(vendor, series, range))
        assert.isAbove(answer.rowCount, 200)
        assert.deepStrictEqual([answer.rowsFromVendor, answer.requests], [answer.rowCount, asked.length])
        assert.isAbove(asked.length, 4)
        assert.deepStrictEqual(
          new Set(answer.coverage.map(({ state }) => state._tag)),
          new Set<string>(["Covered"]),
          "each page proves its part"
        )
        const pages = asked.length
        const again = yield* cache.ticks({ series, range: inMinute(30, 60) })
        assert.deepStrictEqual(sorted(yield* rowsOf(again)), truthOf(vendor, series, inMinute(30, 60)))
        assert.deepStrictEqual([again.requests, again.rowsFromVendor, asked.length], [0, 0, pages])
        // Around what is there, two holes.
        const wider = { start: range.start - minute, end: range.end + minute }
        const left = yield* cache.plan({ series, range: wider })
        assert.deepStrictEqual(
          left.requests.map((request) => request.range),
          [
            { start: wider.start, end: range.start },
            { start: range.end, end: wider.end }
          ]
        )
        const whole = yield* moving(cache.ticks({ series, range: wider }))
        assert.deepStrictEqual(sorted(yield* rowsOf(whole)), truthOf(vendor, series, wider))
        const missed = asked.slice(pages).filter((page) => page.start < range.end && page.end > range.start)
        assert.deepStrictEqual(missed, [])
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    })
  }

  it.effect(
    "cacheOnly asks nobody, asOf sees what was known then, force asks again and leaves what is the same",
    () => {
      const vendor = vendorOf()
      const { asked, seriesOf } = historyOf(vendor)
      const series = seriesOf("ALPHA", "trade")
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const nothing = yield* cache.ticks({ series, range, policy: "cacheOnly" }, { onMissing: "partial" })
        assert.deepStrictEqual([nothing.rowCount, outline(nothing.coverage)], [0, ["2024-03-06T10:00:00.000Z Missing"]])
        const refused = yield* Effect.flip(cache.ticks({ series, range, policy: "cacheOnly" }))
        assert.strictEqual(refused.reason._tag, "RangeIncomplete")
        assert.strictEqual(asked.length, 0)
        yield* moving(cache.ticks({ series, range: inMinute(0, 60) }))
        yield* TestClock.adjust(minute)
        yield* moving(cache.ticks({ series, range }))
        const then = yield* cache.ticks({ series, range }, { asOf: noon + minute - 1, onMissing: "partial" })
        assert.deepStrictEqual(sorted(yield* rowsOf(then)), truthOf(vendor, series, inMinute(0, 60)))
        assert.strictEqual(then.rowCount, (yield* rowsOf(then)).length)
        assert.strictEqual(then.coverage.at(-1)?.state._tag, "Missing")
        const before = yield* cache.ticks({ series, range }, { asOf: noon - 1, onMissing: "partial" })
        assert.strictEqual(before.rowCount, 0)
        const pages = asked.length
        yield* cache.ticks({ series, range, policy: "refresh" })
        assert.strictEqual(asked.length, pages, "all of it is final")
        const forced = yield* moving(cache.ticks({ series, range, policy: "force" }))
        assert.isAbove(asked.length, pages + 4)
        assert.deepStrictEqual(sorted(yield* rowsOf(forced)), truthOf(vendor, series, range))
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("what is not over, or not in the history yet, is not asked for and says so", () => {
    const vendor = vendorOf({ historyDelay: 2_000 })
    const { asked, seriesOf } = historyOf(vendor)
    const series = seriesOf("ALPHA", "trade")
    return Effect.gen(function* () {
      // In the middle of a second.
      yield* TestClock.setTime(range.start + 60_500)
      const cache = yield* StitchingCache
      const answer = yield* moving(cache.ticks({ series, range }, { onMissing: "partial" }), 1)
      assert.deepStrictEqual(
        asked.map(({ end }) => end).every((end) => end === range.start + 58_000),
        true
      )
      const last = answer.coverage.at(-1)
      assert.strictEqual(last?.start, range.start + 58_000)
      assert.deepStrictEqual(last?.state._tag === "Missing" ? last.state.cause?.tag : null, "NotYet")
      assert.deepStrictEqual(sorted(yield* rowsOf(answer)), truthOf(vendor, series, inMinute(0, 58)))
      const pages = asked.length
      const plan = yield* cache.plan({ series, range: inMinute(59, 120) })
      assert.deepStrictEqual(plan.requests, [])
      yield* TestClock.setTime(range.end + 2_000)
      const whole = yield* moving(cache.ticks({ series, range }))
      assert.deepStrictEqual(sorted(yield* rowsOf(whole)), truthOf(vendor, series, range))
      assert.isTrue(asked.slice(pages).every(({ start }) => start === range.start + 58_000))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("what each page proved is kept when a later one fails, and the next read goes on from there", () => {
    let failing: VendorErrorReason | null = new Unavailable({ message: "the connection was reset" })
    const vendor = vendorOf({ historyTrouble: ({ from }) => (from >= 100 ? failing : null) })
    const { asked, seriesOf } = historyOf(vendor)
    const series = seriesOf("ALPHA", "trade")
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const answer = yield* moving(cache.ticks({ series, range }, { onMissing: "partial" }))
      assert.isAbove(answer.rowCount, 99)
      const hole = answer.coverage.at(-1)
      assert.isTrue(hole?.state._tag === "Missing" && hole.state.cause?.tag === "Unavailable")
      const had = { start: range.start, end: hole?.start ?? 0 }
      assert.deepStrictEqual(sorted(yield* rowsOf(answer)), truthOf(vendor, series, had))
      assert.strictEqual(answer.rowsFromVendor, answer.rowCount)
      failing = null
      const pages = asked.length
      const rest = yield* moving(cache.ticks({ series, range }))
      assert.deepStrictEqual(sorted(yield* rowsOf(rest)), truthOf(vendor, series, range))
      assert.isTrue(asked.slice(pages).every(({ start }) => start >= had.end - 1_000))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("a refusal is kept as one, believed for a while, and takes nothing that was had", () => {
    const vendor = vendorOf({}, { forbidden: ["SECRET"] })
    const { asked, seriesOf } = historyOf(vendor)
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = seriesOf("SECRET", "quote")
      const refused = yield* Effect.flip(moving(cache.ticks({ series, range })))
      assert.isTrue(refused.reason._tag === "VendorError" && refused.reason.reason._tag === "NotEntitled")
      const answer = yield* cache.ticks({ series, range }, { onMissing: "partial" })
      assert.deepStrictEqual(outline(answer.coverage), ["2024-03-06T10:00:00.000Z NotEntitled"])
      assert.strictEqual(asked.length, 1)
      const none = yield* Effect.flip(cache.ticks({ series: { ...series, dataset: "other" }, range }))
      assert.isTrue(none.reason._tag === "VendorError" && none.reason.reason._tag === "Unsupported")
      const bars = yield* Effect.flip(cache.ticks({ series: vendor.series("ALPHA", "1m"), range }))
      assert.isTrue(bars.reason._tag === "VendorError" && bars.reason.reason._tag === "Unsupported")
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "an answer of more rows than one may have is refused, and what is stored already before anybody is asked",
    () => {
      const vendor = vendorOf()
      const { asked, seriesOf } = historyOf(vendor)
      const series = seriesOf("ALPHA", "trade")
      const bounded = Layer.provide(fresh(vendor.adapter), Layer.succeed(MaxAnswerRows, 200))
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const refused = yield* Effect.flip(moving(cache.ticks({ series, range })))
        assert.strictEqual(refused.reason._tag, "TooManyRows")
        const pages = asked.length
        const again = yield* Effect.flip(
          cache.ticks({ series, range: { start: range.start, end: range.end + minute } })
        )
        assert.strictEqual(again.reason._tag, "TooManyRows")
        assert.strictEqual(asked.length, pages)
        assert.strictEqual((yield* cache.ticks({ series, range: inMinute(0, 10) })).requests, 0)
      }).pipe(Effect.provide(bounded))
    }
  )

  it.effect("pages that were archived and not stored are stored by the next plan, without asking", () => {
    const vendor = vendorOf()
    const { asked, history, seriesOf } = historyOf(vendor)
    const series = seriesOf("ALPHA", "trade")
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const directory = yield* temporaryDirectory
      // As a process leaves it that is killed between the two.
      yield* Effect.gen(function* () {
        const ingest = yield* IngestSession
        const session = yield* ingest.open({ source: "model", mode: "sync" })
        let request = yield* history.request(series, range)
        for (let page = 0; page < 2; page++) {
          const { payload } = yield* session.fetch(request, {
            cacheMode: { _tag: "default", ttl: null },
            subject: { series: "v1/model/-/ALPHA/trade/-/trade/all/-/raw", range }
          })
          const { next } = yield* history.decode(series, payload, request, range)
          request = next ?? request
        }
      }).pipe(Effect.scoped, Effect.provide(over(directory, [vendor.adapter])))
      assert.strictEqual(asked.length, 2)
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(
          plan.pieces.map(({ from, state }) => [from, state._tag]),
          [
            ["store", "Covered"],
            ["store", "Covered"],
            ["vendor", "Missing"]
          ]
        )
        const answer = yield* moving(cache.ticks({ series, range }))
        assert.deepStrictEqual(sorted(yield* rowsOf(answer)), truthOf(vendor, series, range))
        const rest = plan.requests[0]?.range.start ?? 0
        assert.isTrue(asked.slice(2).every(({ start }) => start === rest))
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
    }).pipe(Effect.scoped)
  })

  it.effect(
    "a reader that leaves does not take the pages from those who stay; the last one stops what has not begun",
    () => {
      const vendor = vendorOf({ historyLatency: 1_000 })
      const { asked, seriesOf } = historyOf(vendor)
      const series = seriesOf("ALPHA", "trade")
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const first = yield* Effect.forkChild(cache.ticks({ series, range }), { startImmediately: true })
        yield* settled
        const part = yield* Effect.forkChild(cache.ticks({ series, range: inMinute(20, 60) }), {
          startImmediately: true
        })
        yield* settled
        yield* Fiber.interrupt(first)
        const answer = yield* moving(Fiber.join(part))
        assert.deepStrictEqual(sorted(yield* rowsOf(answer)), truthOf(vendor, series, inMinute(20, 60)))
        assert.deepStrictEqual([answer.requests, answer.sharedRequests], [0, 1])
        const pages = asked.length
        const all = Math.ceil(historyOf(vendor).truth(series, range).length / 50)
        assert.isBelow(pages, all - 2, "what is behind was not waited for")
        yield* TestClock.adjust(minute)
        yield* settled
        assert.isAtMost(asked.length, pages + 1, "nobody wants it")
        const whole = yield* moving(cache.ticks({ series, range }))
        assert.deepStrictEqual(sorted(yield* rowsOf(whole)), truthOf(vendor, series, range))
        const places = asked.map(({ end, from, start }) => `${start} ${end} ${from}`)
        assert.strictEqual(new Set(places).size, places.length)
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )
})
