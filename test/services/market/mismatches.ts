/** What comparisons of two series found, as it is kept. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Mismatch } from "../../../src/domain/Mismatch.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { collect, everything, minute, type Provide, seriesOf } from "./commits.ts"

const left = seriesOf("A")
const right = seriesOf("A", { vendor: "other" })
const minutes = (from: number, to: number): TimeRange => ({ start: from * minute, end: to * minute })
const close = (at: number, a: number, b: number): Mismatch => ({ ts: at * minute, field: "close", left: a, right: b })

const kept = (range: TimeRange = everything, open = false) =>
  Effect.map(
    Effect.flatMap(MarketStore, (store) => collect(store.mismatches(left, right, range, { open }))),
    (rows) =>
      rows.map(({ foundAt, mismatch, resolvedAt }) => [mismatch.ts / minute, mismatch.field, foundAt, resolvedAt])
  )

export const mismatchesContract = (provide: Provide): void => {
  it.effect("X6: a disagreement is kept since it was found, until a comparison does not find it any more", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const record = (range: TimeRange, found: ReadonlyArray<Mismatch>, at: number) =>
        store.recordMismatches(left, right, [range], found, at)
      yield* record(minutes(0, 10), [], 50)
      assert.deepStrictEqual(yield* kept(), [])
      const alone: Mismatch = { ts: 5 * minute, field: "row", left: 7, right: null }
      yield* record(minutes(0, 10), [close(2, 1, 2), alone], 100)
      yield* record(minutes(0, 10), [close(2, 1, 2), alone], 200)
      assert.deepStrictEqual(yield* kept(), [
        [2, "close", 100, null],
        [5, "row", 100, null]
      ])
      // Other stamps were not looked at, and other values are another disagreement.
      yield* record(minutes(0, 4), [close(2, 1, 3)], 300)
      yield* record(minutes(5, 10), [], 400)
      assert.deepStrictEqual(yield* kept(), [
        [2, "close", 100, 300],
        [2, "close", 300, null],
        [5, "row", 100, 400]
      ])
      assert.deepStrictEqual(yield* kept(everything, true), [[2, "close", 300, null]])
      assert.deepStrictEqual(yield* kept(minutes(3, 9)), [[5, "row", 100, 400]])
      assert.deepStrictEqual(yield* collect(store.mismatches(right, left, everything)), [])
      const [stored] = yield* collect(store.mismatches(left, right, everything, { open: true }))
      assert.deepStrictEqual(stored, { left, right, mismatch: close(2, 1, 3), foundAt: 300, resolvedAt: null })
    }).pipe(provide)
  )

  it.effect(
    "X6: found again at the instant at which it was resolved, it is open; a clock that went back hides nothing",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const record = (found: ReadonlyArray<Mismatch>, at: number) =>
          store.recordMismatches(left, right, [minutes(0, 10)], found, at)
        yield* record([close(2, 1, 2)], 100)
        yield* record([], 100)
        assert.deepStrictEqual(yield* kept(), [[2, "close", 100, 100]])
        yield* record([close(2, 1, 2)], 100)
        assert.deepStrictEqual(yield* kept(), [[2, "close", 100, null]])
        yield* record([], 40)
        assert.deepStrictEqual(yield* kept(), [[2, "close", 100, 100]])
      }).pipe(provide)
  )

  it.effect("X6: many of them are kept over the borders of pages and steps", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const found = Array.from({ length: 2_500 }, (_, index) => [
        close(index, 1, 2),
        { ts: index * minute, field: "volume", left: 1, right: 2 } as const
      ]).flat()
      yield* store.recordMismatches(left, right, [minutes(0, 1_200), minutes(1_200, 3_000)], found, 100)
      assert.strictEqual((yield* kept()).length, 5_000)
      yield* store.recordMismatches(left, right, [minutes(0, 1_200), minutes(1_300, 3_000)], found.slice(0, 10), 200)
      assert.strictEqual((yield* kept(everything, true)).length, 10 + 200)
    }).pipe(provide)
  )
}
