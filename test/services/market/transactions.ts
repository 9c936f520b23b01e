/** What is all or nothing: commits that die, series that are forgotten, and things at the same time. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Stream } from "effect"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, commitOf, covered, dump, everything, minute, type Provide, reasonOf, seriesOf } from "./commits.ts"
export const transactionsContract = (provide: Provide): void => {
  it.effect("forget removes rows, coverage and revisions of one series and of no other", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const rows = Array.from({ length: 9_000 }, (_, index) => bar(index * minute, 1 + (index % 3)))
      const coverage = (id: number) => ({ coverage: [[0, 9_000 * minute, covered(id)] as const] })
      yield* store.commit(commitOf(seriesOf("A"), 1, rows, coverage(1)))
      yield* store.commit(commitOf(seriesOf("A"), 2, rows.slice(1), coverage(2)))
      yield* store.commit(commitOf(seriesOf("B"), 3, rows, coverage(3)))
      const generation = yield* store.beginGeneration(seriesOf("A"))
      const kept = yield* dump(seriesOf("B"), { start: 0, end: 100 * minute })
      assert.strictEqual(yield* store.forget(seriesOf("A")), 8_999)
      assert.deepStrictEqual(yield* dump(seriesOf("A")), { bars: [], lineage: [], revisions: [], coverage: [] })
      assert.deepStrictEqual(yield* dump(seriesOf("B"), { start: 0, end: 100 * minute }), kept)
      assert.deepStrictEqual(
        (yield* store.series).map(({ series }) => series.symbol),
        ["B"]
      )
      assert.strictEqual((yield* reasonOf(store.publishGeneration(generation, 5)))._tag, "GenerationGone")
      assert.strictEqual(yield* store.forget(seriesOf("A")), 0)
      const again = yield* store.commit(commitOf(seriesOf("A"), 1, rows, coverage(1)))
      assert.strictEqual(again.inserted, 9_000)
    }).pipe(provide)
  )

  it.effect("a reader that is overtaken by forget fails instead of ending early", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const rows = Array.from({ length: 9_000 }, (_, index) => bar(index * minute, 1))
      yield* store.commit(commitOf(series, 1, rows, { coverage: [[0, 9_000 * minute, covered(1)]] }))
      let forgotten = false
      const read = store.bars(series, everything).pipe(
        Stream.chunks,
        Stream.mapEffect((chunk) => {
          if (forgotten) return Effect.succeed(chunk)
          forgotten = true
          return Effect.as(store.forget(series), chunk)
        }),
        Stream.runCollect
      )
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "GenerationGone")
    }).pipe(provide)
  )

  it.effect("a commit that dies or is interrupted midway leaves nothing, and readers do not wait for one", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      yield* store.commit(commitOf(series, 1, [bar(0, 1)], { coverage: [[0, minute, covered(1)]] }))
      const before = yield* dump(series)
      const rows = Array.from({ length: 30_000 }, (_, index) => bar(index * minute, 2))
      const large = commitOf(series, 2, rows, { coverage: [[0, 30_000 * minute, covered(2)]] })

      const died = yield* Effect.exit(
        Effect.provideService(store.commit(large), FaultPoint, (point) => {
          if (point === "midCommit") throw new Error("the process dies here")
        })
      )
      assert.isTrue(Exit.isFailure(died))
      assert.deepStrictEqual(yield* dump(series), before)

      // On a busy machine a server may be done with a commit before it lets a reader in: then nothing was read beside it, and another is.
      let readBeside = false
      for (let attempt = 0; attempt < 10 && !readBeside; attempt++) {
        const other = seriesOf(`B${attempt}`)
        yield* store.commit(
          commitOf(other, 100 + 2 * attempt, [bar(0, 1)], { coverage: [[0, minute, covered(100 + 2 * attempt)]] })
        )
        const first = yield* dump(other)
        const id = 101 + 2 * attempt
        const writer = yield* Effect.forkChild(
          store.commit(commitOf(other, id, rows, { coverage: [[0, 30_000 * minute, covered(id)]] })),
          { startImmediately: true }
        )
        for (let turn = 0; turn < 6; turn++) yield* Effect.yieldNow
        const read = yield* dump(other)
        if (writer.pollUnsafe() !== undefined) continue
        readBeside = true
        assert.deepStrictEqual(read, first)
        yield* Fiber.interrupt(writer)
        assert.deepStrictEqual(yield* dump(other), first)
      }
      assert.isTrue(readBeside)

      const result = yield* store.commit(large)
      assert.deepInclude(result, { inserted: 29_999, updated: 1 })
    }).pipe(provide)
  )

  it.effect("several commits in one transaction leave what one after another does, and all of it or nothing", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const commitsOf = (symbol: string) => {
        const series = seriesOf(symbol)
        const part = (id: number, from: number, rows: number, price: number) =>
          commitOf(
            series,
            id,
            Array.from({ length: rows }, (_, index) => bar((from + index) * minute, price)),
            { coverage: [[from * minute, (from + rows) * minute, covered(id)]] }
          )
        // Small ones, one of more than a step, one that corrects others, one that comes late, one twice, one without rows.
        const correction = part(5, 90, 40, 9)
        return [
          part(1, 0, 100, 1),
          part(3, 100, 3_000, 2),
          part(4, 3_100, 10, 3),
          correction,
          part(2, 50, 100, 4),
          correction,
          { ...part(6, 120, 7, 1), bars: [], positions: [] }
        ]
      }
      const [a, b] = [commitsOf("A"), commitsOf("B")]
      const apart = yield* Effect.forEach(a, (commit) => store.commit(commit))
      const together = yield* store.commitAll([...b.slice(0, 3), ...commitsOf("C"), ...b.slice(3)])
      assert.deepStrictEqual([...together.slice(0, 3), ...together.slice(10)], apart)
      assert.deepStrictEqual(
        apart.map(({ alreadyApplied }) => alreadyApplied),
        [false, false, false, false, false, true, false]
      )
      const left = yield* dump(seriesOf("A"))
      assert.lengthOf(left.bars, 3_103)
      assert.isNotEmpty(left.revisions)
      assert.deepStrictEqual(yield* dump(seriesOf("B")), left)
      assert.deepStrictEqual(yield* dump(seriesOf("C")), left)
      assert.deepStrictEqual(yield* store.commitAll([]), [])

      const wrong = commitOf(seriesOf("D"), 9, [bar(5 * minute, 1)], { coverage: [[0, minute, covered(9)]] })
      assert.strictEqual((yield* reasonOf(store.commitAll([...commitsOf("D"), wrong])))._tag, "InvalidRow")
      const generation = yield* store.beginGeneration(seriesOf("E"))
      const gone = commitOf(seriesOf("D"), 10, [], { coverage: [[0, minute, covered(10)]], generation })
      assert.strictEqual((yield* reasonOf(store.commitAll([...commitsOf("D"), gone])))._tag, "GenerationGone")
      assert.deepStrictEqual(yield* dump(seriesOf("D")), { bars: [], lineage: [], revisions: [], coverage: [] })
    }).pipe(provide)
  )

  it.effect("commits and publishing of one series at the same time end as if one after another", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const rows = Array.from({ length: 6_000 }, (_, index) => bar(index * minute, 1))
      const whole = (id: number) => ({ coverage: [[0, 6_000 * minute, covered(id)] as const] })
      yield* store.commit(commitOf(series, 1, rows, whole(1)))
      const generation = yield* store.beginGeneration(series)
      yield* store.commit(commitOf(series, 2, rows, { ...whole(2), generation }))
      const [published, committed] = yield* Effect.all(
        [
          Effect.result(store.publishGeneration(generation, 9_000)),
          store.commit(commitOf(series, 3, rows.slice(1), whole(3)))
        ],
        { concurrency: "unbounded" }
      )
      assert.isTrue(Result.isSuccess(published))
      assert.deepInclude(committed, { withdrawn: 1, unchanged: 5_999 })
      assert.strictEqual(yield* store.count(series, everything), 5_999)
      assert.strictEqual((yield* store.barAt(series, minute))?.lineage.response, 1)
    }).pipe(provide)
  )
}
