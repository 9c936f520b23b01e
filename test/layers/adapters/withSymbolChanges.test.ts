import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { endOf, periodsOf, type SymbolChange } from "../../../src/domain/SymbolChange.ts"
import { withSymbolChanges } from "../../../src/layers/adapters/withSymbolChanges.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, day, fresh, moving, outline, utc } from "../stitching/support.ts"

const change = (from: string, to: string, on: string, reused: string | null = null): SymbolChange => ({
  from,
  to,
  on: utc(on),
  reused: reused === null ? null : utc(reused)
})
const meta = [change("FB", "META", "2022-06-09")]
const date = (instant: number) => (Number.isFinite(instant) ? new Date(instant).toISOString().slice(0, 10) : "-")
const text = (changes: ReadonlyArray<SymbolChange>, symbol: string) =>
  periodsOf(changes, symbol).map(({ end, start, symbol }) => `${date(start)} ${date(end)} ${symbol}`)

describe("symbol changes", () => {
  it("a symbol is asked for under the names that it had, along a chain", () => {
    assert.deepStrictEqual(text(meta, "META"), ["- 2022-06-09 FB", "2022-06-09 - META"])
    assert.deepStrictEqual(text(meta, "AAPL"), ["- - AAPL"])
    const chain = [change("B", "C", "2020-01-01"), change("A", "B", "2010-01-01")]
    assert.deepStrictEqual(text(chain, "C"), ["- 2010-01-01 A", "2010-01-01 2020-01-01 B", "2020-01-01 - C"])
    assert.deepStrictEqual(text(chain, "B"), ["- 2010-01-01 A", "2010-01-01 2020-01-01 B", "2020-01-01 - null"])
    const back = [change("A", "B", "2010-01-01"), change("B", "A", "2020-01-01")]
    assert.deepStrictEqual(text(back, "A"), ["- 2010-01-01 A", "2010-01-01 2020-01-01 B", "2020-01-01 - A"])
    assert.isNull(endOf(back, "A"))
  })

  it("a symbol that another company took up begins with it", () => {
    const reused = [change("FB", "META", "2022-06-09", "2025-06-26")]
    assert.deepStrictEqual(text(reused, "FB"), ["- 2025-06-26 null", "2025-06-26 - FB"])
    assert.deepStrictEqual(text(reused, "META"), ["- 2022-06-09 FB", "2022-06-09 - META"])
  })

  for (const adjustment of ["raw", "splits"] as const) {
    it.effect(`the plan asks for each part under its symbol, and the series is one (${adjustment})`, () => {
      const vendor = ModelVendor.make({ symbols: ["FB", "META"], limits: { concurrency: 1 } })
      return Effect.gen(function* () {
        yield* TestClock.setTime(utc("2023-01-01T12:00:00Z"))
        const cache = yield* StitchingCache
        const series = yield* cache.resolve("model", { symbol: "META", kind: "bar", timeframe: "1d", adjustment })
        const range = between("2022-06-01", "2022-07-01")
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(
          plan.requests.map(({ range, symbol }) => [date(range.start), date(range.end), symbol]),
          [
            ["2022-06-01", "2022-06-09", "FB"],
            ["2022-06-09", "2022-07-01", undefined]
          ]
        )
        assert.deepStrictEqual(
          plan.pieces.map(({ requests }) => requests),
          [2]
        )
        const answer = yield* moving(cache.execute(plan))
        const before = yield* vendor.direct(vendor.series("FB", "1d"), between("2022-06-01", "2022-06-09"))
        const after = yield* vendor.direct(vendor.series("META", "1d"), between("2022-06-09", "2022-07-01"))
        assert.deepStrictEqual(yield* barsOf(answer), [...before, ...after])
        assert.isTrue(answer.coverage.every(({ state }) => state._tag === "Covered"))
        const receipts = [
          yield* cache.explain(series, utc("2022-06-08")),
          yield* cache.explain(series, utc("2022-06-09"))
        ]
        assert.deepStrictEqual(
          receipts.map(({ symbol }) => symbol),
          ["FB", undefined]
        )
        assert.match(receipts[0]?.excerpt.text ?? "", /^2022-06-08/)
        assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
      }).pipe(Effect.provide(fresh(withSymbolChanges(vendor.adapter, meta))))
    })
  }

  it.effect("asking for the old symbol after the change says what it became; before it, it is there", () => {
    const vendor = ModelVendor.make({ symbols: ["FB", "META"] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(utc("2023-01-01T12:00:00Z"))
      const cache = yield* StitchingCache
      const series = yield* cache.resolve("model", { symbol: "FB", kind: "bar", timeframe: "1d" })
      const old = between("2022-06-01", "2022-06-09")
      assert.deepStrictEqual(
        yield* barsOf(yield* cache.read({ series, range: old })),
        yield* vendor.direct(series, old)
      )
      const later = { start: old.end, end: old.end + 10 * day }
      const error = yield* Effect.flip(cache.read({ series, range: later }))
      assert.match(error.message, /FB became META on 2022-06-09; ask for META/)
      assert.deepStrictEqual(outline(yield* cache.coverage(series, later)), ["2022-06-09T00:00:00.000Z Missing"])
    }).pipe(Effect.provide(fresh(withSymbolChanges(vendor.adapter, meta))))
  })

  it.effect(
    "each piece of a plan counts the requests that touch it, over several changes and much that is stored",
    () => {
      const chain = [change("A", "B", "2022-02-10"), change("B", "META", "2022-06-09")]
      const vendor = ModelVendor.make({
        symbols: ["A", "B", "META"],
        limits: { timeframes: { "1d": { maxSpan: 3 * day, maxRows: null } } }
      })
      return Effect.gen(function* () {
        yield* TestClock.setTime(utc("2023-01-01T12:00:00Z"))
        const cache = yield* StitchingCache
        const series = yield* cache.resolve("model", { symbol: "META", kind: "bar", timeframe: "1d" })
        for (const [from, to] of [
          ["2022-01-05", "2022-01-20"],
          ["2022-02-08", "2022-02-09"],
          ["2022-06-08", "2022-06-11"]
        ] as const) {
          yield* moving(cache.read({ series, range: between(from, to) }))
        }
        const plan = yield* cache.plan({ series, range: between("2022-01-01", "2022-12-01") })
        assert.isAbove(plan.requests.length, 100)
        assert.isAbove(plan.pieces.length, 5)
        for (const piece of plan.pieces) {
          const touching = plan.requests.filter(({ range }) => range.start < piece.end && piece.start < range.end)
          assert.strictEqual(piece.requests, piece.from === "vendor" ? touching.length : 0)
        }
      }).pipe(Effect.provide(fresh(withSymbolChanges(vendor.adapter, chain))))
    }
  )
})
