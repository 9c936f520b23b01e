/** Rows: what is accepted, how it comes back, and what the counts of a commit say. */
import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Bar } from "../../../src/domain/Bar.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import {
  bar,
  collect,
  commitOf,
  covered,
  dump,
  empty,
  everything,
  minute,
  type Provide,
  reasonOf,
  seriesOf
} from "./commits.ts"
export const rowsContract = (provide: Provide): void => {
  it.effect("C46: series that differ in any part share no rows and no coverage", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const keys = [
        seriesOf("A"),
        seriesOf("B"),
        seriesOf("A", { vendor: "other" }),
        seriesOf("A", { dataset: "d" }),
        seriesOf("A", { timeframe: "5m" }),
        seriesOf("A", { price: "bid" }),
        seriesOf("A", { session: "regular" }),
        seriesOf("A", { currency: "USD" }),
        seriesOf("A", { adjustment: "all" })
      ]
      for (const [index, key] of keys.entries()) {
        yield* store.commit(commitOf(key, index + 1, [bar(0, index + 1)]))
      }
      for (const [index, key] of keys.entries()) {
        assert.deepStrictEqual(yield* collect(store.bars(key, everything)), [bar(0, index + 1)])
        assert.strictEqual((yield* store.barAt(key, 0))?.lineage.response, index + 1)
      }
      assert.deepStrictEqual(yield* store.coverage(seriesOf("C"), everything), [])
      assert.deepStrictEqual(yield* collect(store.bars(seriesOf("C"), everything)), [])
      assert.strictEqual((yield* store.series).length, keys.length)
    }).pipe(provide)
  )

  it.effect("C47: a window is half-open and ascending, over page borders, whatever the order of the commits", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const all = Array.from({ length: 9_000 }, (_, index) => bar(index * minute, 100 + (index % 7)))
      const parts = [
        [6_000, 9_000],
        [0, 3_000],
        [3_000, 6_000]
      ] as const
      for (const [index, [from, to]] of parts.entries()) {
        const coverage = [[from * minute, to * minute, covered(index + 1)] as const]
        yield* store.commit(commitOf(series, index + 1, all.slice(from, to), { coverage }))
      }
      assert.deepStrictEqual(yield* collect(store.bars(series, everything)), all)
      const sizes = yield* store.bars(series, everything).pipe(
        Stream.chunks,
        Stream.map((chunk) => chunk.length),
        Stream.runCollect
      )
      assert.isTrue(sizes.every((size) => size <= 4_000))
      const window = { start: 10 * minute, end: 12 * minute }
      assert.deepStrictEqual(yield* collect(store.bars(series, window)), all.slice(10, 12))
      const between = { start: 10 * minute + 1, end: 12 * minute + 1 }
      assert.deepStrictEqual(yield* collect(store.bars(series, between)), all.slice(11, 13))
      assert.strictEqual(yield* store.count(series, everything), 9_000)
      assert.strictEqual(yield* store.count(series, between), 2)
      assert.strictEqual(yield* store.count(series, { start: 9_000 * minute, end: 9_001 * minute }), 0)
    }).pipe(provide)
  )

  it.effect("C48: the same rows again change nothing, and the counts say what was done", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const rows = [bar(0, 1), bar(minute, 2), bar(2 * minute, 3)]
      const first = yield* store.commit(commitOf(series, 1, rows))
      assert.deepStrictEqual(first, {
        inserted: 3,
        updated: 0,
        unchanged: 0,
        withdrawn: 0,
        alreadyApplied: false
      })
      const before = yield* dump(series)
      const again = yield* store.commit(commitOf(series, 1, [bar(0, 9)]))
      assert.deepStrictEqual(again, { inserted: 0, updated: 0, unchanged: 0, withdrawn: 0, alreadyApplied: true })
      assert.deepStrictEqual(yield* dump(series), before)
      const refetched = yield* store.commit(commitOf(series, 2, rows))
      assert.deepStrictEqual({ ...refetched }, { ...first, inserted: 0, unchanged: 3 })
      const after = yield* dump(series)
      assert.deepStrictEqual(after.lineage, before.lineage)
      assert.deepStrictEqual(after.revisions, [])
      const mixed = yield* store.commit(commitOf(series, 3, [bar(0, 1), bar(minute, 7), bar(9 * minute, 8)]))
      assert.deepStrictEqual({ ...mixed }, { ...first, inserted: 1, updated: 1, unchanged: 1, withdrawn: 1 })
      assert.deepStrictEqual(
        [...(yield* store.applied(series, 1))].sort(),
        [1, 2, 3].map((id) => ResponseId.make(id))
      )
    }).pipe(provide)
  )

  it.effect("C50: of duplicate stamps in a batch the last wins, at every batch size and in every order", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      let id = 0
      for (const size of [1, 2, 9, 1_000, 5_000, 20_000]) {
        const series = seriesOf(`S${size}`)
        const once = Array.from({ length: size }, (_, index) => bar(((index * 7_919) % size) * minute, index + 1))
        const twice = [...once, ...once.map((row) => bar(row.ts, row.close + 0.5))]
        const coverage = [[0, size * minute, covered(++id)] as const]
        const result = yield* store.commit(commitOf(series, id, twice, { coverage }))
        assert.strictEqual(result.inserted, size)
        const expected = twice.slice(size).sort((a, b) => a.ts - b.ts)
        assert.deepStrictEqual(yield* collect(store.bars(series, everything)), expected)
        const first = twice.findLastIndex((row) => row.ts === 0)
        assert.strictEqual((yield* store.barAt(series, 0))?.lineage.position, first + 2)
      }
      const descending = Array.from({ length: 5_000 }, (_, index) => bar((4_999 - index) * minute, index + 1))
      const coverage = [[0, 5_000 * minute, covered(99)] as const]
      yield* store.commit(commitOf(seriesOf("D"), 99, descending, { coverage }))
      assert.deepStrictEqual(yield* collect(store.bars(seriesOf("D"), everything)), descending.toReversed())
    }).pipe(provide)
  )

  it.effect("C52: nulls overwrite, unless the commit says that they keep what is stored", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const full = bar(0, 1, { volume: 5, vwap: 1.5, count: 7 })
      const sparse = bar(0, 1, { volume: null, vwap: null, count: 8 })
      yield* store.commit(commitOf(series, 1, [full]))
      const kept = yield* store.commit(commitOf(series, 2, [sparse], { nulls: "keep" }))
      assert.strictEqual(kept.updated, 1)
      assert.deepStrictEqual((yield* store.barAt(series, 0))?.bar, { ...full, count: 8 })
      const same = yield* store.commit(commitOf(series, 3, [sparse], { nulls: "keep" }))
      assert.strictEqual(same.unchanged, 1)
      yield* store.commit(commitOf(series, 4, [sparse]))
      assert.deepStrictEqual((yield* store.barAt(series, 0))?.bar, sparse)
      yield* store.commit(commitOf(seriesOf("B"), 5, [sparse], { nulls: "keep" }))
      assert.deepStrictEqual((yield* store.barAt(seriesOf("B"), 0))?.bar, sparse)
    }).pipe(provide)
  )

  it.effect("C54: a row that cannot be accepted is named by index and stamp, and nothing of its commit is stored", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const bad: ReadonlyArray<readonly [Bar, RegExp]> = [
        [bar(minute, Number.NaN), /open/],
        [bar(minute, 1, { high: Number.POSITIVE_INFINITY }), /high/],
        [bar(minute, 2, { high: 1 }), /below low/],
        [bar(minute, 1, { volume: -1 }), /volume/],
        [bar(minute, 1, { vwap: Number.NaN }), /vwap/],
        [bar(minute, 1, { count: -2 }), /count/],
        [bar(minute, 0), /zero/],
        [bar(minute + 0.5, 1), /ts/],
        [bar(200 * minute, 1), /interval/]
      ]
      for (const [row, words] of bad) {
        const reason = yield* reasonOf(store.commit(commitOf(series, 1, [bar(0, 1), row, bar(2 * minute, 1)])))
        assert.strictEqual(reason._tag, "InvalidRow")
        if (reason._tag !== "InvalidRow") continue
        assert.strictEqual(reason.index, 1)
        assert.strictEqual(reason.ts, row.ts)
        assert.match(reason.message, words)
      }
      const noPosition = yield* reasonOf(store.commit(commitOf(series, 1, [bar(0, 1)], { positions: [] })))
      assert.strictEqual(noPosition._tag, "InvalidRow")
      assert.deepStrictEqual(yield* dump(series), { bars: [], lineage: [], revisions: [], coverage: [] })
      assert.deepStrictEqual(yield* store.series, [])
      yield* store.commit(commitOf(series, 1, [bar(0, -1), bar(minute, 0)], { allowNonPositivePrices: true }))
      assert.strictEqual(yield* store.count(series, everything), 2)
    }).pipe(provide)
  )

  it.effect("C54: coverage that overlaps, is reversed, or names another response is refused", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const refused = [
        [
          [0, 10, covered(1)],
          [9, 20, empty(1)]
        ],
        [[10, 10, covered(1)]],
        [[10, 5, covered(1)]],
        [[0, 0.5, covered(1)]],
        [[0, 10, covered(2)]]
      ] as const
      for (const coverage of refused) {
        const reason = yield* reasonOf(store.commit(commitOf(series, 1, [], { coverage })))
        assert.strictEqual(reason._tag, "InvalidCoverage")
      }
      const inEmpty = commitOf(series, 1, [bar(5, 1)], { coverage: [[0, 10, empty(1)]] })
      assert.strictEqual((yield* reasonOf(store.commit(inEmpty)))._tag, "InvalidRow")
      assert.deepStrictEqual(yield* store.series, [])
    }).pipe(provide)
  )

  it.effect("C55: a symbol comes back in exactly the spelling of its key, however odd", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const symbols = ["BRK/B", "-", "%2D", "ES H6", "^GSPC", "münchen", "es h6", "a'b\"c", "v1/x", "日経"]
      for (const [index, symbol] of symbols.entries()) {
        yield* store.commit(commitOf(seriesOf(symbol), index + 1, [bar(0, index + 1)]))
      }
      const listed = (yield* store.series).map((summary) => summary.series.symbol)
      assert.deepStrictEqual(listed.toSorted(), symbols.toSorted())
      for (const [index, symbol] of symbols.entries()) {
        const [latest, ...others] = yield* store.latest({ symbols: [symbol] })
        assert.strictEqual(latest?.price, index + 1)
        assert.deepStrictEqual(others, [])
      }
    }).pipe(provide)
  )

  it.effect("C56: every double and every millisecond comes back as it went in", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const doubles = [0.1 + 0.2, 1 / 3, 5e-324, Number.MAX_VALUE, 123456789.12345679, 2 ** 53 + 2, 1e21, 0.7]
      const rows = doubles.map((value, index) =>
        bar(index - 4, value, { volume: value, vwap: value, count: 2 ** 52 + index })
      )
      const far = [bar(-62_135_596_800_000, 1), ...rows, bar(253_402_300_799_999, 1)]
      const coverage = [[-62_135_596_800_000, 253_402_300_800_000, covered(1)] as const]
      yield* store.commit(commitOf(series, 1, far, { coverage }))
      assert.deepStrictEqual(yield* collect(store.bars(series, everything)), far)
    }).pipe(provide)
  )

  it.effect("C57: the latest price of each series, those of trades first, and none where there is no row", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      yield* store.commit(commitOf(seriesOf("A", { price: "bid" }), 1, [bar(0, 1), bar(5 * minute, 2)]))
      yield* store.commit(commitOf(seriesOf("A"), 2, [bar(0, 3), bar(minute, 4)]))
      yield* store.commit(commitOf(seriesOf("B"), 3, [], { coverage: [[0, 10, empty(3)]] }))
      yield* store.commit(commitOf(seriesOf("C", { vendor: "other" }), 4, [bar(0, 5, { volume: null })]))
      const found = (prices: ReadonlyArray<{ series: SeriesKey; ts: number; price: number }>) =>
        prices.map(({ price, series, ts }) => [series.symbol, series.price, ts, price])
      const a = [
        ["A", "trade", minute, 4],
        ["A", "bid", 5 * minute, 2]
      ]
      const c = ["C", "trade", 0, 5]
      assert.deepStrictEqual(found(yield* store.latest()), [...a, c])
      assert.deepStrictEqual(found(yield* store.latest({ vendor: "other" })), [c])
      assert.deepStrictEqual(found(yield* store.latest({ symbols: ["A", "B"] })), a)
      assert.deepStrictEqual(found(yield* store.latest({ symbols: [] })), [])
      yield* store.commit(commitOf(seriesOf("A"), 9, [bar(0, 3)]))
      assert.deepStrictEqual(found(yield* store.latest({ symbols: ["A"] }))[0], ["A", "trade", 0, 3])
    }).pipe(provide)
  )

  it.effect("X1: every row names the response, the position, the decoder and the time it came with", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      yield* store.commit(commitOf(series, 7, [bar(0, 1), bar(minute, 2)], { positions: [40, 41], decoderVersion: 3 }))
      yield* store.commit(commitOf(series, 8, [bar(0, 1), bar(minute, 5)], { positions: [10, 12], decoderVersion: 4 }))
      const lineage = (id: number, position: number, decoderVersion: number) => ({
        response: ResponseId.make(id),
        position,
        decoderVersion,
        recordedAt: id * 1000
      })
      const [zero, one] = yield* Effect.forEach([0, minute], (ts) => store.barAt(series, ts))
      assert.deepStrictEqual(zero, { bar: bar(0, 1), lineage: lineage(7, 40, 3), final: true })
      assert.deepStrictEqual(one, { bar: bar(minute, 5), lineage: lineage(8, 12, 4), final: true })
      const before = yield* store.barAt(series, minute, { asOf: 7_999 })
      assert.deepStrictEqual(before, { bar: bar(minute, 2), lineage: lineage(7, 41, 3), final: true })
      assert.isNull(yield* store.barAt(series, minute, { asOf: 6_999 }))
      assert.isNull(yield* store.barAt(series, 3 * minute))
      assert.isNull(yield* store.barAt(seriesOf("B"), 0))
    }).pipe(provide)
  )
}
