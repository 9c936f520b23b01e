/** Coverage and its invalidation. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { StoredState } from "../../../src/domain/Coverage.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, collect, commitOf, covered, empty, everything, type Provide, seriesOf } from "./commits.ts"
import { permutations } from "./permutations.ts"

export const coverageContract = (provide: Provide): void => {
  it.effect(
    "coverage is clipped to the range, sorted and disjoint; refusals assert nothing about rows and stand beside what was proven",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("A")
        yield* store.commit(commitOf(series, 1, [bar(0, 1), bar(50, 2)], { coverage: [[0, 100, covered(1)]] }))
        const notFound: StoredState = { _tag: "NotFound", response: ResponseId.make(2), until: 9 }
        const refused = { response: ResponseId.make(2), recordedAt: 2_000 }
        const notEntitled: StoredState = { _tag: "NotEntitled", response: ResponseId.make(2), until: 8 }
        yield* store.commit(
          commitOf(series, 2, [], {
            coverage: [
              [40, 60, notFound],
              [90, 120, notEntitled]
            ]
          })
        )
        yield* store.commit(commitOf(series, 3, [], { coverage: [[200, 300, empty(3, 77)]] }))
        assert.deepStrictEqual(yield* store.coverage(series, { start: 20, end: 250 }), [
          { start: 20, end: 40, state: covered(1), recordedAt: 1_000 },
          {
            start: 40,
            end: 60,
            state: covered(1),
            recordedAt: 1_000,
            refusal: { ...refused, tag: "NotFound", until: 9 }
          },
          { start: 60, end: 90, state: covered(1), recordedAt: 1_000 },
          {
            start: 90,
            end: 100,
            state: covered(1),
            recordedAt: 1_000,
            refusal: { ...refused, tag: "NotEntitled", until: 8 }
          },
          { start: 100, end: 120, state: notEntitled, recordedAt: 2_000 },
          { start: 200, end: 250, state: empty(3, 77), recordedAt: 3_000 }
        ])
        assert.strictEqual(yield* store.count(series, everything), 2)
        assert.deepStrictEqual(yield* store.coverage(series, { start: 120, end: 200 }), [])
      }).pipe(provide)
  )

  it.effect(
    "what is covered keeps when its answer was asked for, cut and published and read as of an instant, too",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("A")
        const first = { ...commitOf(series, 1, [], { coverage: [[0, 100, covered(1)]] }), askedAt: 900 }
        yield* store.commit(first)
        yield* store.commit(commitOf(series, 2, [], { coverage: [[40, 60, covered(2)]] }))
        const kept = { state: covered(1), recordedAt: 1_000, askedAt: 900 }
        const cut = [
          { start: 0, end: 40, ...kept },
          { start: 40, end: 60, state: covered(2), recordedAt: 2_000 },
          { start: 60, end: 100, ...kept }
        ]
        assert.deepStrictEqual(yield* store.coverage(series, everything), cut)
        assert.deepStrictEqual(yield* store.coverage(series, { start: 70, end: 80 }), [{ start: 70, end: 80, ...kept }])
        assert.deepStrictEqual(yield* store.coverage(series, everything, { asOf: 1_500 }), [
          { start: 0, end: 100, ...kept }
        ])
        const generation = yield* store.beginGeneration(series)
        const again = commitOf(series, 3, [], { coverage: [[0, 100, covered(3)]] })
        yield* store.commit({ ...again, askedAt: 2_800, generation })
        yield* store.publishGeneration(generation, 4_000)
        assert.deepStrictEqual(yield* store.coverage(series, everything), [
          { start: 0, end: 100, state: covered(3), recordedAt: 3_000, askedAt: 2_800 }
        ])
      }).pipe(provide)
  )

  it.effect(
    "an invalidation that the archive has recorded stands between the same answers, whatever is committed by then",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("A")
        const whole = (id: number) => ({ coverage: [[0, 100, covered(id)] as const] })
        const recorded = { operation: { id: 7, after: 2 } }
        assert.strictEqual(yield* store.lastOperation(series), 0)
        yield* store.invalidate(series, { start: 10, end: 20 }, 2_000, recorded)
        assert.strictEqual(yield* store.lastOperation(series), 7)
        // Archived before it: at the same instant, or earlier.
        yield* store.commit(commitOf(series, 2, [], whole(2)))
        yield* store.commit(commitOf(series, 1, [], whole(1)))
        const ranges = Effect.map(store.coverage(series, everything), (found) =>
          found.map(({ end, start }) => [start, end])
        )
        assert.deepStrictEqual(yield* ranges, [
          [0, 10],
          [20, 100]
        ])
        yield* store.commit({ ...commitOf(series, 3, [], whole(3)), fetchedAt: 2_000 })
        assert.deepStrictEqual(yield* ranges, [[0, 100]])
      }).pipe(provide)
  )

  it.effect("an invalidated range is missing until something fetched later is committed; its rows stay", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const coverage = (from: number, to: number, id: number) => ({ coverage: [[from, to, covered(id)] as const] })
      const piece = (start: number, end: number, id: number) => ({
        start,
        end,
        state: covered(id),
        recordedAt: id * 1_000
      })
      yield* store.commit(commitOf(series, 2, [bar(10, 1), bar(50, 2)], coverage(0, 100, 2)))
      yield* store.invalidate(series, { start: 40, end: 200 }, 3_000)
      assert.deepStrictEqual(yield* store.coverage(series, everything), [piece(0, 40, 2)])
      assert.strictEqual(yield* store.count(series, everything), 2)
      assert.deepStrictEqual(yield* store.coverage(series, everything, { asOf: 2_999 }), [piece(0, 100, 2)])
      assert.deepStrictEqual(yield* store.coverage(series, everything, { asOf: 3_000 }), [piece(0, 40, 2)])
      // Fetched before the invalidation, committed after it: its row counts, its coverage does not come back.
      yield* store.commit(commitOf(series, 1, [bar(70, 9)], coverage(60, 80, 1)))
      assert.deepStrictEqual(yield* store.coverage(series, everything), [piece(0, 40, 2)])
      const [late] = yield* collect(store.revisions(series, everything))
      assert.strictEqual(late?.kind, "withdrawn")
      yield* store.commit(commitOf(series, 4, [bar(50, 2)], coverage(45, 55, 4)))
      assert.deepStrictEqual(yield* store.coverage(series, everything), [piece(0, 40, 2), piece(45, 55, 4)])
      assert.strictEqual((yield* store.barAt(series, 50))?.lineage.response, 2)
      // At one and the same millisecond what was known is invalidated, and what is fetched next holds.
      yield* store.invalidate(series, { start: 45, end: 55 }, 4_000)
      assert.deepStrictEqual(yield* store.coverage(series, everything), [piece(0, 40, 2)])
      yield* store.commit(commitOf(series, 5, [bar(50, 2)], { fetchedAt: 4_000, ...coverage(45, 55, 5) }))
      assert.strictEqual((yield* store.coverage(series, everything)).length, 2)
      // A clock that went back.
      yield* store.invalidate(series, everything, 10)
      assert.deepStrictEqual(yield* store.coverage(series, everything), [])
      yield* store.invalidate(seriesOf("unknown"), everything, 10)
    }).pipe(provide)
  )

  it.effect(
    "a refusal replaces nothing that was proven, in every order of commits, but what was invalidated before it",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const gone = (id: number): StoredState => ({ _tag: "NotFound", response: ResponseId.make(id), until: id })
        const parts = (series: SeriesKey) => [
          store.commit(commitOf(series, 1, [bar(0, 1), bar(50, 2)], { coverage: [[0, 100, covered(1)]] })),
          store.invalidate(series, { start: 40, end: 80 }, 2_000, { operation: { id: 1, after: ResponseId.make(1) } }),
          store.commit(commitOf(series, 3, [], { coverage: [[20, 120, gone(3)]] })),
          store.commit(commitOf(series, 4, [bar(60, 3)], { coverage: [[60, 70, covered(4)]] })),
          store.commit(commitOf(series, 5, [], { coverage: [[90, 110, gone(5)]] }))
        ]
        const refusal = (id: number) => ({
          tag: "NotFound" as const,
          response: ResponseId.make(id),
          recordedAt: id * 1_000,
          until: id
        })
        const known = (start: number, end: number, id: number) => ({
          start,
          end,
          state: covered(id),
          recordedAt: id * 1_000
        })
        const no = (start: number, end: number, id: number) => ({ start, end, state: gone(id), recordedAt: id * 1_000 })
        const expected = [
          known(0, 20, 1),
          { ...known(20, 40, 1), refusal: refusal(3) },
          no(40, 60, 3),
          known(60, 70, 4),
          no(70, 80, 3),
          { ...known(80, 90, 1), refusal: refusal(3) },
          { ...known(90, 100, 1), refusal: refusal(5) },
          no(100, 110, 5),
          no(110, 120, 3)
        ]
        for (const order of permutations([0, 1, 2, 3, 4])) {
          const series = seriesOf(`refused ${order.join("")}`)
          for (const at of order) yield* parts(series)[at] ?? Effect.void
          assert.deepStrictEqual(yield* store.coverage(series, everything), expected, order.join())
          assert.deepStrictEqual(yield* store.coverage(series, everything, { asOf: 5_000 }), expected, order.join())
          assert.deepStrictEqual(
            (yield* collect(store.bars(series, everything))).map(({ ts }) => ts),
            [0, 50, 60],
            order.join()
          )
          assert.deepStrictEqual(yield* store.coverage(series, { start: 30, end: 35 }), [
            { ...known(30, 35, 1), refusal: refusal(3) }
          ])
        }
      }).pipe(provide)
  )
}
