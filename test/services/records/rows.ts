/** Rows of each kind: what goes in comes out, once, in order. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { ResponseId } from "../../../src/domain/Response.ts"
import { RecordKind } from "../../../src/domain/records/RecordKind.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { collect, everything, reasonOf } from "../market/commits.ts"
import { news, type ProvideRecords, recordSeries, recordsOf, samples, signal, trade } from "./commits.ts"

const sizes = [1, 499, 500, 4_999, 5_000]

export const recordRowsContract = (provide: ProvideRecords): void => {
  for (const kind of RecordKind.literals) {
    it.effect(`46, 52, 56: ${kind}: every field comes back as it went in, null or not, to the nanosecond`, () =>
      Effect.gen(function* () {
        const store = yield* RecordStore
        const series = recordSeries(kind)
        const [full, sparse] = samples[kind]
        const result = yield* store.commit(recordsOf(series, 1, [sparse, full]))
        assert.deepInclude(result, { inserted: 2, updated: 0, unchanged: 0, withdrawn: 0 })
        const rows = yield* collect(store.rows(series, everything))
        assert.sameDeepMembers(rows, [full, sparse])
        const again = yield* store.commit(recordsOf(series, 2, [full, sparse]))
        assert.deepInclude(again, { inserted: 0, updated: 0, unchanged: 2, withdrawn: 0 })
        for (const { lineage } of yield* collect(store.storedRows(series, everything))) {
          assert.deepInclude(lineage, { recordedAt: 1_000, response: ResponseId.make(1), decoderVersion: 1 })
        }
        assert.deepStrictEqual(yield* collect(store.revisions(series, everything)), [])
        assert.strictEqual(yield* store.count(series, everything), 2)
      }).pipe(provide)
    )
  }

  it.effect("47: a window is half-open, in order of the nanosecond, and one series knows nothing of another", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const series = recordSeries("trade")
      const at = (ms: bigint, ns: bigint) => trade(ms * 1_000_000n + ns, Number(ms), { sequence: Number(ns) })
      const rows = [at(2n, 999_999n), at(1n, 0n), at(2n, 1n), at(3n, 0n), at(-1n, 999_999n)]
      yield* store.commit(recordsOf(series, 1, rows))
      yield* store.commit(recordsOf(recordSeries("trade", "QQQ"), 2, [at(2n, 5n)]))
      yield* store.commit(recordsOf(recordSeries("signal"), 3, [signal(2, "a", 1)]))
      const read = (start: number, end: number) => collect(store.rows(series, { start, end }))
      assert.deepStrictEqual(yield* read(1, 3), [at(1n, 0n), at(2n, 1n), at(2n, 999_999n)])
      assert.deepStrictEqual(yield* read(-1, 0), [at(-1n, 999_999n)])
      assert.deepStrictEqual(yield* read(3, 4), [at(3n, 0n)])
      assert.deepStrictEqual(yield* store.last(series), at(3n, 0n))
      assert.isNull(yield* store.last(recordSeries("quote")))
    }).pipe(provide)
  )

  for (const size of sizes) {
    it.effect(`48, 50, 51: ${size} rows: of a number told twice the last wins, an equal row is not written again`, () =>
      Effect.gen(function* () {
        const store = yield* RecordStore
        const series = recordSeries("trade")
        const row = (index: number, price: number) => trade(BigInt(index) * 1_000n, price, { sequence: index })
        const first = Array.from({ length: size }, (_, index) => row(index, 1))
        const told = yield* store.commit(recordsOf(series, 1, [...first, row(0, 2)]))
        assert.deepInclude(told, { inserted: size, updated: 0, unchanged: 0 })
        const changed = first.map((one, index) => (index % 2 === 0 ? row(index, 2) : one))
        const half = Math.floor(size / 2)
        assert.deepInclude(yield* store.commit(recordsOf(series, 2, changed)), {
          inserted: 0,
          updated: size - half - 1,
          unchanged: half + 1
        })
        assert.deepStrictEqual(yield* collect(store.rows(series, everything)), changed)
        const stored = yield* collect(store.storedRows(series, everything))
        assert.deepStrictEqual(
          stored.map(({ lineage }) => lineage.recordedAt),
          changed.map((_, index) => (index > 0 && index % 2 === 0 ? 2_000 : 1_000))
        )
      }).pipe(provide)
    )
  }

  it.effect("141: trades alike in everything are as many trades, and telling of them again adds none", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const series = recordSeries("trade")
      const same = trade(5n, 1)
      assert.deepInclude(yield* store.commit(recordsOf(series, 1, [same, same, trade(5n, 2)])), { inserted: 3 })
      assert.deepInclude(yield* store.commit(recordsOf(series, 2, [trade(5n, 2), same, same])), { unchanged: 3 })
      assert.deepInclude(yield* store.commit(recordsOf(series, 3, [same, same, same])), { unchanged: 2, inserted: 1 })
      assert.strictEqual(yield* store.count(series, everything), 4)
    }).pipe(provide)
  )

  it.effect(
    "49: an item of news without an id is one row however often it is written; with one it can be corrected",
    () =>
      Effect.gen(function* () {
        const store = yield* RecordStore
        const series = recordSeries("news", "*")
        const long = "x".repeat(5_000)
        const items = [news(1, "a"), news(1, "a", { url: "u" }), news(1, long), news(1, `${long}y`)]
        assert.deepInclude(yield* store.commit(recordsOf(series, 1, items)), { inserted: 4 })
        assert.deepInclude(yield* store.commit(recordsOf(series, 2, items)), { unchanged: 4 })
        assert.deepInclude(yield* store.commit(recordsOf(series, 3, [news(2, "tpyo", { id: "7" })])), { inserted: 1 })
        assert.deepInclude(yield* store.commit(recordsOf(series, 4, [news(2, "typo", { id: "7" })])), { updated: 1 })
        assert.strictEqual(yield* store.count(series, everything), 5)
      }).pipe(provide)
  )

  it.effect("52: a null overwrites what is stored, or keeps it, as the commit says", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const series = recordSeries("option")
      const [full, sparse] = samples.option
      const blank = { ...sparse, right: full.right }
      yield* store.commit(recordsOf(series, 1, [full]))
      assert.deepInclude(yield* store.commit(recordsOf(series, 2, [blank], { nulls: "keep" })), { unchanged: 1 })
      assert.deepInclude(yield* store.commit(recordsOf(series, 3, [{ ...blank, iv: 0.5 }], { nulls: "keep" })), {
        updated: 1
      })
      assert.deepStrictEqual(yield* collect(store.rows(series, everything)), [{ ...full, iv: 0.5 }])
      assert.deepInclude(yield* store.commit(recordsOf(series, 4, [blank])), { updated: 1 })
      assert.deepStrictEqual(yield* collect(store.rows(series, everything)), [blank])
    }).pipe(provide)
  )

  it.effect("54: a row that cannot be is refused with its place and field, and nothing of its commit is stored", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const good = trade(1n, 1)
      const refused = (rows: ReadonlyArray<typeof good>) =>
        reasonOf(store.commit(recordsOf(recordSeries("trade"), 1, rows)))
      const places = [
        [{ ...good, price: Number.NaN }, "price is not a finite number"],
        [{ ...good, price: Number.POSITIVE_INFINITY }, "price is not a finite number"],
        [{ ...good, size: -1 }, "size is negative"],
        [{ ...good, sequence: 0.5 }, "sequence is not a whole number"],
        [{ ...good, venue: "a\u0000b" }, "venue: text with a NUL"],
        [{ ...good, venue: "\ud800" }, "venue: a lone surrogate"],
        [{ ...good, tsNs: 2n ** 63n }, "tsNs is not a 64-bit number"]
      ] as const
      for (const [row, words] of places) {
        const reason = yield* refused([good, row])
        assert.deepInclude(reason, { _tag: "InvalidRow", index: 1 })
        assert.include(reason.message, words)
      }
      const option = { ...samples.option[0], right: "X" }
      const reason = yield* reasonOf(
        store.commit(recordsOf(recordSeries("option"), 1, [option as (typeof samples.option)[0]]))
      )
      assert.include(reason.message, "right is neither C nor P: X")
      const bad = yield* reasonOf(store.commit(recordsOf(recordSeries("news"), 1, [news(1, "a", { sentiment: 1.01 })])))
      assert.include(bad.message, "sentiment is not from -1 to 1")
      assert.deepStrictEqual(yield* store.freshness, [])
    }).pipe(provide)
  )

  it.effect("58: freshness tells of every series how far it has come, bars or not", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      yield* store.commit(recordsOf(recordSeries("signal"), 4, [signal(20, "a", 1), signal(10, "a", 1)]))
      yield* store.commit(recordsOf(recordSeries("trade"), 3, [], { covers: [[0, 10]] }))
      const found = yield* store.freshness
      assert.deepStrictEqual(
        found.map(({ answeredAt, answeredBy, first, last, rows, series }) => [
          series.kind,
          rows,
          first,
          last,
          answeredAt,
          answeredBy
        ]),
        [
          ["signal", 2, 10, 20, 4_000, 4],
          ["trade", 0, null, null, 3_000, 3]
        ]
      )
      const summaries = yield* (yield* MarketStore).series
      assert.deepStrictEqual(
        summaries.map(({ first, last, rows }) => [rows, first, last]),
        [
          [2, 10, 20],
          [0, null, null]
        ]
      )
    }).pipe(provide)
  )

  it.effect("several commits are one transaction: all or nothing", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const good = recordsOf(recordSeries("signal"), 1, [signal(1, "a", 1)])
      const bad = recordsOf(recordSeries("signal", "B"), 1, [signal(1, "", 1)])
      yield* Effect.flip(store.commitAll([good, bad]))
      assert.strictEqual(yield* store.count(good.series, everything), 0)
      const other = recordsOf(recordSeries("signal", "B"), 1, [signal(1, "b", 1)])
      const results = yield* store.commitAll([good, other])
      assert.deepStrictEqual(
        results.map(({ inserted }) => inserted),
        [1, 1]
      )
      assert.deepInclude(yield* store.commit(good), { alreadyApplied: true, inserted: 0 })
    }).pipe(provide)
  )

  it.effect(
    "forgetting a series takes its rows and its revisions, and what is referred to names every kind's responses",
    () =>
      Effect.gen(function* () {
        const store = yield* RecordStore
        const market = yield* MarketStore
        const series = recordSeries("signal")
        yield* store.commit(recordsOf(series, 1, [signal(1, "a", 1), signal(2, "b", 1)]))
        yield* store.commit(recordsOf(series, 2, [signal(1, "a", 2)]))
        yield* store.commit(recordsOf(series, 3, [signal(1, "a", 2)]))
        const referred = new Set(yield* collect(market.referencedResponses))
        assert.sameMembers([...referred], [1, 2])
        assert.strictEqual(yield* market.forget(series), 2)
        assert.deepStrictEqual(yield* collect(store.revisions(series, everything)), [])
        assert.deepStrictEqual(yield* collect(store.rows(series, everything)), [])
      }).pipe(provide)
  )
}
