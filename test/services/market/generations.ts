/** Generations: building beside what is visible, and the switch. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { ResponseId } from "../../../src/domain/Response.ts"
import { GenerationId, MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, collect, commitOf, covered, empty, everything, minute, type Provide, seriesOf } from "./commits.ts"
export const generationsContract = (provide: Provide): void => {
  it.effect("a generation appears at once when it is published, and the one before stays readable as of then", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const length = 9_000
      const rows = (shift: (index: number) => number) =>
        Array.from({ length }, (_, index) => bar(index * minute, 10 + shift(index)))
      const whole = (id: number) => ({ coverage: [[0, length * minute, covered(id)] as const] })
      const old = rows((index) => index % 3)
      const fresh = rows((index) => (index % 3) + (index % 1_000 === 0 ? 5 : 0)).filter((_, index) => index !== 4_500)
      yield* store.commit(commitOf(series, 1, old, whole(1)))
      const generation = yield* store.beginGeneration(series)
      assert.deepStrictEqual(yield* store.coverage(series, everything, { generation }), [])
      const result = yield* store.commit(commitOf(series, 2, fresh, { ...whole(2), generation }))
      assert.strictEqual(result.inserted, length - 1)
      assert.deepStrictEqual(yield* collect(store.bars(series, everything)), old)
      assert.deepStrictEqual(yield* collect(store.bars(series, everything, { generation })), fresh)
      assert.isTrue((yield* store.applied(series, 1)).has(ResponseId.make(2)))

      // A reader that has begun goes on in the old one.
      const begun = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const reader = yield* store.bars(series, everything).pipe(
        Stream.chunks,
        Stream.mapEffect((chunk) =>
          Deferred.succeed(begun, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.as(chunk))
        ),
        Stream.runCollect,
        Effect.forkChild({ startImmediately: true })
      )
      yield* Deferred.await(begun)
      yield* store.publishGeneration(generation, 9_000)
      yield* Deferred.succeed(go, undefined)
      assert.deepStrictEqual((yield* Fiber.join(reader)).flat(), old)

      assert.deepStrictEqual(yield* collect(store.bars(series, everything)), fresh)
      assert.deepStrictEqual(yield* collect(store.bars(series, everything, { asOf: 8_999 })), old)
      assert.deepStrictEqual(yield* collect(store.bars(series, everything, { asOf: 9_000 })), fresh)
      assert.strictEqual((yield* store.coverage(series, everything, { asOf: 8_999 }))[0]?.recordedAt, 1_000)
      assert.strictEqual((yield* store.coverage(series, everything))[0]?.recordedAt, 2_000)
      // Equal rows keep their lineage and time, others have the new ones.
      const lineage = (id: number, position: number) => ({
        response: ResponseId.make(id),
        position,
        decoderVersion: 1,
        recordedAt: id * 1_000
      })
      assert.deepStrictEqual((yield* store.barAt(series, minute))?.lineage, lineage(1, 3))
      assert.deepStrictEqual((yield* store.barAt(series, 5_000 * minute))?.lineage, lineage(2, 5_001))
      const revisions = yield* collect(store.revisions(series, everything))
      assert.strictEqual(revisions.length, 10)
      assert.deepStrictEqual(
        revisions
          .filter(({ kind }) => kind === "withdrawn")
          .map(({ bar, supersededAt, ts }) => [ts, bar, supersededAt]),
        [[4_500 * minute, old[4_500] ?? null, 9_000]]
      )
      const summary = (yield* store.series)[0]
      assert.deepInclude(summary, { rows: length - 1, revisions: 10 })
      // What went into the old one stays applied, and later answers go on from the new one.
      assert.isTrue((yield* store.commit(commitOf(series, 1, []))).alreadyApplied)
      assert.deepStrictEqual([...(yield* store.applied(series, 1))].sort(), [ResponseId.make(1), ResponseId.make(2)])
      const next = yield* store.commit(commitOf(series, 3, fresh, whole(3)))
      assert.strictEqual(next.unchanged, length - 1)
      assert.deepStrictEqual((yield* store.barAt(series, minute))?.lineage, lineage(1, 3))
      const corrected = fresh.map((row) => (row.ts === minute ? bar(minute, 99) : row))
      yield* store.commit(commitOf(series, 4, corrected, whole(4)))
      const revised = (yield* collect(store.revisions(series, { start: minute, end: minute + 1 })))[0]
      assert.deepInclude(revised, { recordedAt: 1_000, supersededAt: 4_000, kind: "corrected" })
    }).pipe(provide)
  )

  it.effect("generations published by a clock that went back are still read in the order they were published", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      yield* store.commit(commitOf(series, 1, [bar(0, 1)]))
      for (const [id, at] of [
        [2, 9_000],
        [3, 5_000]
      ] as const) {
        const generation = yield* store.beginGeneration(series)
        yield* store.commit(commitOf(series, id, [bar(0, id)], { generation }))
        yield* store.publishGeneration(generation, at)
      }
      const closes = (asOf?: number) =>
        Effect.map(collect(store.bars(series, everything, asOf === undefined ? {} : { asOf })), (bars) =>
          bars.map(({ close }) => close)
        )
      assert.deepStrictEqual(yield* closes(), [3])
      assert.deepStrictEqual(yield* closes(9_000), [3])
      assert.deepStrictEqual(yield* closes(8_999), [1])
      const times = (yield* collect(store.revisions(series, everything))).map(({ supersededAt }) => supersededAt)
      assert.deepStrictEqual(times, [9_000, 9_000])
    }).pipe(provide)
  )

  it.effect(
    "a row that a generation has where the one before was empty leaves a revision, in however many pieces",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("A")
        const length = 9_000
        const pieces = Array.from({ length }, (_, index) => [index * minute, (index + 1) * minute, empty(1)] as const)
        yield* store.commit(commitOf(series, 1, [], { coverage: pieces }))
        const generation = yield* store.beginGeneration(series)
        const stamps = [0, 4_000, 8_999].map((index) => index * minute)
        const bars = stamps.map((ts) => bar(ts, 1))
        yield* store.commit(commitOf(series, 2, bars, { generation, coverage: [[0, length * minute, covered(2)]] }))
        yield* store.publishGeneration(generation, 3_000)
        const revisions = yield* collect(store.revisions(series, everything))
        assert.deepStrictEqual(
          revisions.map(({ ts }) => ts),
          stamps
        )
        for (const { bar, kind } of revisions) assert.deepStrictEqual({ bar, kind }, { bar: null, kind: "corrected" })
      }).pipe(provide)
  )

  it.effect("an invalidation later than what a generation was fetched from is kept when it is published", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const bounds = Effect.map(store.coverage(series, everything), (found) =>
        found.map(({ end, start, state }) => [start, end, state.response])
      )
      yield* store.commit(commitOf(series, 1, [bar(0, 1), bar(minute, 2)]))
      yield* store.invalidate(series, { start: 3 * minute, end: 4 * minute }, 1_500)
      const generation = yield* store.beginGeneration(series)
      yield* store.commit(commitOf(series, 2, [bar(0, 1), bar(minute, 3)], { generation }))
      yield* store.invalidate(series, { start: minute, end: 2 * minute }, 2_500)
      yield* store.publishGeneration(generation, 2_000)
      assert.deepStrictEqual(yield* bounds, [
        [0, minute, 2],
        [2 * minute, 100 * minute, 2]
      ])
      assert.deepStrictEqual(
        (yield* store.coverage(series, everything, { asOf: 2_400 })).map(({ start, end }) => [start, end]),
        [[0, 100 * minute]]
      )
      yield* store.commit(commitOf(series, 3, [bar(0, 1), bar(minute, 3)]))
      assert.deepStrictEqual(yield* bounds, [[0, 100 * minute, 3]])
    }).pipe(provide)
  )

  it.effect("a generation that was dropped, published or never begun is gone", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      yield* store.commit(commitOf(series, 1, [bar(0, 1)]))
      const dropped = yield* store.beginGeneration(series)
      yield* store.commit(commitOf(series, 2, [bar(0, 2)], { generation: dropped }))
      yield* store.dropGeneration(dropped)
      const published = yield* store.beginGeneration(series)
      yield* store.publishGeneration(published, 5)
      const building = yield* store.beginGeneration(series)
      const gone = [
        store.commit(commitOf(series, 3, [], { generation: dropped })),
        store.commit(commitOf(series, 3, [], { generation: published })),
        store.commit(commitOf(seriesOf("B"), 3, [], { generation: building })),
        store.publishGeneration(published, 6),
        store.publishGeneration(dropped, 6),
        store.publishGeneration(GenerationId.make(999_999), 6),
        store.dropGeneration(published),
        store.dropGeneration(dropped),
        collect(store.bars(series, everything, { generation: dropped })),
        store.coverage(series, everything, { generation: dropped })
      ]
      for (const effect of gone) {
        assert.strictEqual((yield* Effect.flip(Effect.asVoid(effect))).reason._tag, "GenerationGone")
      }
      // What was only in a dropped generation is not applied, so that the archive's answer is not lost.
      assert.deepStrictEqual([...(yield* store.applied(series, 1))], [ResponseId.make(1)])
      assert.strictEqual((yield* store.commit(commitOf(series, 2, [bar(0, 2)]))).alreadyApplied, false)
    }).pipe(provide)
  )

  it.effect("a history of generations that is built apart takes the place of a series at once", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const whole = (id: number) => ({ coverage: [[0, 10 * minute, covered(id)] as const] })
      const build = Effect.fnUntraced(function* () {
        const first = yield* store.beginGeneration(series, { apart: true })
        const second = yield* store.beginGeneration(series, { apart: true })
        yield* store.commit(commitOf(series, 1, [bar(0, 10), bar(minute, 11)], { ...whole(1), generation: first }))
        yield* store.invalidate(series, { start: minute, end: 2 * minute }, 1_500, {
          generation: first,
          operation: { id: 3, after: 1 }
        })
        yield* store.commit(commitOf(series, 2, [bar(0, 10), bar(minute, 12)], { ...whole(2), generation: second }))
        yield* store.succeedGeneration(first, second, 2_000)
        return [first, second] as const
      })

      // Made by publishing, for comparison.
      yield* store.commit(commitOf(series, 1, [bar(0, 10), bar(minute, 11)], whole(1)))
      yield* store.invalidate(series, { start: minute, end: 2 * minute }, 1_500, { operation: { id: 3, after: 1 } })
      const published = yield* store.beginGeneration(series)
      yield* store.commit(commitOf(series, 2, [bar(0, 10), bar(minute, 12)], { ...whole(2), generation: published }))
      yield* store.publishGeneration(published, 2_000, { operation: 4 })
      assert.strictEqual(yield* store.lastOperation(series), 4)
      const contents = Effect.gen(function* () {
        return {
          rows: [yield* store.barAt(series, 0), yield* store.barAt(series, minute)],
          before: yield* store.barAt(series, minute, { asOf: 1_999 }),
          revisions: yield* collect(store.revisions(series, everything)),
          coverage: yield* store.coverage(series, everything),
          coverageBefore: yield* store.coverage(series, everything, { asOf: 1_999 }),
          series: yield* store.series
        }
      })
      const expected = yield* contents

      const dropped = yield* build()
      assert.deepStrictEqual(yield* contents, expected, "nobody sees what is built")
      for (const generation of dropped) yield* store.dropGeneration(generation)
      assert.deepStrictEqual(yield* contents, expected)

      const [first, second] = yield* build()
      yield* store.commit(commitOf(series, 9, [bar(2 * minute, 1)], { ...whole(9), generation: second }))
      assert.isFalse((yield* store.applied(series, 1)).has(ResponseId.make(9)), "apart, it does not count as applied")
      assert.deepStrictEqual(
        [...(yield* store.applied(series, 1, { generation: second }))].sort(),
        [2, 9].map((id) => ResponseId.make(id))
      )
      yield* store.replaceGenerations([first, second], 5)
      assert.strictEqual(yield* store.lastOperation(series), 5)
      assert.strictEqual((yield* store.barAt(series, 2 * minute))?.lineage.response, 9)

      const again = yield* build()
      yield* store.replaceGenerations(again, 4)
      assert.deepStrictEqual(yield* contents, expected)
      assert.strictEqual(yield* store.lastOperation(series), 5, "it never goes back")
    }).pipe(provide)
  )
}
