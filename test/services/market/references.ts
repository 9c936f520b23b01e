/** Which responses a store points to, and which it has only heard. */
import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { StoredState } from "../../../src/domain/Coverage.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, commitOf, covered, minute, type Provide, provisional, seriesOf } from "./commits.ts"

const referenced = MarketStore.use((store) =>
  Effect.map(Stream.runCollect(store.referencedResponses), (ids) =>
    [...new Set(ids.map(Number))].toSorted((a, b) => a - b)
  )
)

export const referencesContract = (provide: Provide): void => {
  it.effect("C12 an empty store points to nothing", () =>
    provide(
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referenced, [])
      })
    )
  )

  it.effect("witnesses: the first responses that were applied and the last, with the time of their fetch", () =>
    provide(
      Effect.gen(function* () {
        const store = yield* MarketStore
        const fetched = Effect.map(store.witnesses, (all) =>
          all.map(({ fetchedAt, response }) => [Number(response), fetchedAt]).sort(([a = 0], [b = 0]) => a - b)
        )
        assert.deepStrictEqual(yield* fetched, [])
        const series = seriesOf("W")
        yield* store.commit(commitOf(series, 3, [bar(0, 10)]))
        assert.deepStrictEqual(yield* fetched, [[3, 3_000]])
        for (const id of [4, 5, 6, 7])
          yield* store.commit(commitOf(series, id, [bar(0, 10)], { fetchedAt: id * 1_000 + 7 }))
        assert.deepStrictEqual(yield* fetched, [
          [3, 3_000],
          [4, 4_007],
          [6, 6_007],
          [7, 7_007]
        ])
      })
    )
  )

  it.effect(
    "C12 rows, revisions with what superseded them, and coverage as it is now point; what only repeated does not",
    () =>
      provide(
        Effect.gen(function* () {
          const store = yield* MarketStore
          const series = seriesOf("ONE")
          yield* store.commit(commitOf(series, 1, [bar(0, 10), bar(minute, 11)]))
          yield* store.commit(commitOf(series, 2, [bar(0, 10), bar(minute, 11)]))
          assert.deepStrictEqual(yield* referenced, [1, 2], "2 is the newest coverage")
          yield* store.commit(commitOf(series, 3, [bar(0, 10), bar(minute, 11)]))
          assert.deepStrictEqual(yield* referenced, [1, 3], "2 only repeated what was known")
          yield* store.commit(commitOf(series, 4, [bar(0, 10), bar(minute, 12)]))
          yield* store.commit(commitOf(series, 5, [bar(0, 10), bar(minute, 12)]))
          assert.deepStrictEqual(yield* referenced, [1, 4, 5], "4 superseded a row")
          yield* store.commit(commitOf(series, 6, [bar(0, 10)]))
          yield* store.commit(commitOf(series, 7, [bar(0, 10)]))
          assert.deepStrictEqual(yield* referenced, [1, 4, 6, 7], "6 withdrew one")
        })
      )
  )

  it.effect("C12 a refusal points as long as it stands beside what was proven, and what it stands beside does", () =>
    provide(
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("REFUSED")
        const gone = (id: number): StoredState => ({ _tag: "NotFound", response: ResponseId.make(id), until: 1 })
        yield* store.commit(commitOf(series, 1, [bar(0, 10)]))
        yield* store.commit(commitOf(series, 2, [], { coverage: [[0, minute, gone(2)]] }))
        assert.deepStrictEqual(yield* referenced, [1, 2])
        yield* store.commit(commitOf(series, 3, [], { coverage: [[0, minute, gone(3)]] }))
        assert.deepStrictEqual(yield* referenced, [1, 3])
      })
    )
  )

  it.effect("C12 a provisional value that a provisional one overwrote is not pointed to", () =>
    provide(
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("TWO")
        const open = (id: number, close: number) =>
          store.commit(commitOf(series, id, [bar(0, close)], { coverage: [[0, minute, provisional(id)]] }))
        yield* open(1, 10)
        yield* open(2, 11)
        yield* open(3, 12)
        assert.deepStrictEqual(yield* referenced, [3])
        yield* store.commit(commitOf(series, 4, [bar(0, 13)], { coverage: [[0, minute, covered(4)]] }))
        assert.deepStrictEqual(yield* referenced, [3, 4], "the last of them was finalised")
      })
    )
  )

  it.effect("C12 generations that are built and that were superseded point, dropped and forgotten ones do not", () =>
    provide(
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("THREE")
        yield* store.commit(commitOf(series, 1, [bar(0, 10)]))
        const next = yield* store.beginGeneration(series)
        yield* store.commit(commitOf(series, 2, [bar(0, 20)], { generation: next }))
        assert.deepStrictEqual(yield* referenced, [1, 2])
        yield* store.publishGeneration(next, 5_000)
        assert.deepStrictEqual(yield* referenced, [1, 2])
        const dropped = yield* store.beginGeneration(series)
        yield* store.commit(commitOf(series, 3, [bar(0, 30)], { generation: dropped }))
        yield* store.dropGeneration(dropped)
        assert.deepStrictEqual(yield* referenced, [1, 2])
        yield* store.forget(series)
        assert.deepStrictEqual(yield* referenced, [])
      })
    )
  )
}
