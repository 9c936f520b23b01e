/** History: revisions, reads as of an instant, and that the order of commits does not matter. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { Revision } from "../../../src/domain/Revision.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { type Commit, MarketStore } from "../../../src/services/MarketStore.ts"
import {
  bar,
  collect,
  commitOf,
  covered,
  empty,
  everything,
  minute,
  type Provide,
  provisional,
  seriesOf
} from "./commits.ts"
import { historyOf } from "./model.ts"
import { permutations } from "./permutations.ts"
import { checkAgainstModel, featuresOf, randomCommits } from "./randomCommits.ts"

export const historyContract = (provide: Provide): void => {
  it.effect("38, X5: revised bar: the later answer holds, the earlier is kept, and can be read as it was known", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const reads = (asOf: number) => collect(store.bars(series, everything, { asOf }))
      yield* store.commit(commitOf(series, 1, [bar(0, 1), bar(minute, 2)]))
      yield* store.commit(commitOf(series, 2, [bar(0, 1), bar(minute, 3)]))
      yield* store.commit(commitOf(series, 3, [bar(0, 1)]))
      yield* store.commit(commitOf(series, 4, [bar(0, 1), bar(minute, 4)]))
      const revision = (id: number, value: Bar | null, kind: Revision["kind"], position: number): Revision => ({
        ts: minute,
        bar: value,
        kind,
        response: ResponseId.make(id),
        position,
        recordedAt: id * 1_000,
        supersededAt: (id + 1) * 1_000,
        supersededBy: ResponseId.make(id + 1)
      })
      assert.deepStrictEqual(yield* collect(store.revisions(series, everything)), [
        revision(1, bar(minute, 2), "corrected", 3),
        revision(2, bar(minute, 3), "withdrawn", 3),
        revision(3, null, "corrected", -1)
      ])
      assert.deepStrictEqual(yield* reads(999), [])
      assert.deepStrictEqual(yield* reads(1_000), [bar(0, 1), bar(minute, 2)])
      assert.deepStrictEqual(yield* reads(2_999), [bar(0, 1), bar(minute, 3)])
      assert.deepStrictEqual(yield* reads(3_000), [bar(0, 1)])
      assert.deepStrictEqual(yield* reads(4_000), [bar(0, 1), bar(minute, 4)])
      assert.deepStrictEqual(yield* store.coverage(series, everything, { asOf: 999 }), [])
      assert.strictEqual((yield* store.coverage(series, everything, { asOf: 2_500 }))[0]?.recordedAt, 2_000)
      assert.strictEqual((yield* store.series)[0]?.revisions, 3)
    }).pipe(provide)
  )

  it.effect("X5: a provisional row is overwritten by a provisional one, and finalised by a final one", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      const open = (id: number, close: number) =>
        commitOf(series, id, [bar(0, close)], { coverage: [[0, minute, provisional(id)]] })
      yield* store.commit(open(1, 1))
      yield* store.commit(open(2, 2))
      assert.deepStrictEqual(yield* collect(store.revisions(series, everything)), [])
      assert.strictEqual((yield* store.barAt(series, 0))?.lineage.recordedAt, 2_000)
      yield* store.commit(open(3, 2))
      assert.deepInclude(yield* store.barAt(series, 0), { final: false })
      yield* store.commit(commitOf(series, 4, [bar(0, 2)]))
      assert.deepInclude(yield* store.barAt(series, 0), { final: true })
      assert.strictEqual((yield* store.barAt(series, 0))?.lineage.recordedAt, 2_000)
      assert.deepStrictEqual(yield* collect(store.revisions(series, everything)), [])
      yield* store.commit(commitOf(seriesOf("B"), 5, [bar(0, 1)], { coverage: [[0, minute, provisional(5)]] }))
      yield* store.commit(commitOf(seriesOf("B"), 6, [bar(0, 2)]))
      const [revision] = yield* collect(store.revisions(seriesOf("B"), everything))
      assert.strictEqual(revision?.kind, "finalised")
      const [then] = yield* store.coverage(seriesOf("B"), everything, { asOf: 5_500 })
      assert.deepStrictEqual(then?.state, provisional(5))
    }).pipe(provide)
  )

  it.effect("X5: rows, revisions and coverage are the same for every order of commits (model, random)", () =>
    Effect.gen(function* () {
      const run = Effect.runPromiseWith(yield* Effect.context<MarketStore>())
      const seen = new Map<string, number>()
      let cases = 0
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(randomCommits, (drafts) => {
            cases++
            for (const feature of featuresOf(drafts)) seen.set(feature, (seen.get(feature) ?? 0) + 1)
            return run(checkAgainstModel(seriesOf(`random ${cases}`), drafts))
          }),
          { numRuns: 400, endOnFailure: false }
        )
      )
      for (const feature of [
        "late",
        "finalised",
        "corrected",
        "withdrawn",
        "appeared",
        "kept nulls",
        "redecoded",
        "refused"
      ]) {
        const share = (seen.get(feature) ?? 0) / cases
        assert.isAbove(share, 0.1, `${feature}: ${Math.round(share * 100)} % of ${cases} cases`)
      }
    }).pipe(provide)
  )

  it.effect("X5: the same for long answers, over the borders of chunks, in all orders of four", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const length = 5_500
      const range = (from: number, to: number, value: (index: number) => number | null) =>
        Array.from({ length: to - from }, (_, at) => at + from).flatMap((index) => {
          const close = value(index)
          return close === null ? [] : [bar(index * minute, close)]
        })
      const drafts = (series: SeriesKey): ReadonlyArray<Commit> => [
        commitOf(
          series,
          1,
          range(0, length, (index) => 1 + (index % 5)),
          {
            coverage: [[0, length * minute, provisional(1)]]
          }
        ),
        commitOf(
          series,
          2,
          range(100, 5_000, (index) => (index % 3 === 0 ? null : 1 + (index % 10))),
          {
            coverage: [[100 * minute, 5_000 * minute, covered(2)]]
          }
        ),
        commitOf(
          series,
          3,
          range(2_000, length, (index) => 1 + (index % 10)),
          {
            coverage: [[2_000 * minute, length * minute, covered(3)]]
          }
        ),
        commitOf(series, 4, [], { coverage: [[1_000 * minute, 4_500 * minute, empty(4)]] })
      ]
      const orders = permutations([0, 1, 2, 3])
      let expected: unknown
      for (const [index, order] of orders.entries()) {
        const series = seriesOf(`long ${index}`)
        const commits = drafts(series)
        for (const at of order) {
          const commit = commits[at]
          if (commit !== undefined) yield* store.commit(commit)
        }
        const found = {
          bars: yield* collect(store.bars(series, everything)),
          revisions: yield* collect(store.revisions(series, everything)),
          coverage: yield* store.coverage(series, everything),
          earlier: yield* collect(store.bars(series, everything, { asOf: 2_500 })),
          lineage: yield* Effect.forEach([0, 150, 2_047, 2_048, 4_100, 5_200], (at) => store.barAt(series, at * minute))
        }
        const stored = yield* collect(store.storedBars(series, everything))
        assert.deepStrictEqual(
          stored.map((row) => row.bar),
          found.bars
        )
        for (const row of found.lineage) {
          if (row !== null)
            assert.deepStrictEqual(
              stored.find((one) => one.bar.ts === row.bar.ts),
              row
            )
        }
        assert.deepStrictEqual(
          (yield* collect(store.storedBars(series, everything, { asOf: 2_500 }))).map((row) => row.bar),
          found.earlier
        )
        if (index === 0) {
          expected = found
          const model = Array.from({ length }, (_, at) => historyOf(commits, at * minute))
          assert.deepStrictEqual(
            found.bars,
            model.flatMap(({ last }) => (last === null ? [] : [last.bar]))
          )
          assert.deepStrictEqual(
            found.revisions,
            model.flatMap(({ revisions }) => revisions)
          )
        } else assert.deepStrictEqual(found, expected, `order ${order}`)
      }
    }).pipe(provide)
  )

  it.effect("applied: by decoder version, and a newer reading of the same bytes corrects the older", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A")
      yield* store.commit(commitOf(series, 1, [bar(0, 1)]))
      yield* store.commit(commitOf(series, 2, [bar(0, 1)], { decoderVersion: 2 }))
      assert.deepStrictEqual([...(yield* store.applied(series, 2))], [ResponseId.make(2)])
      yield* store.commit(commitOf(series, 1, [bar(0, 5)], { decoderVersion: 2 }))
      assert.strictEqual((yield* store.applied(series, 2)).size, 2)
      assert.strictEqual((yield* store.applied(series, 3)).size, 0)
      assert.strictEqual((yield* store.applied(seriesOf("B"), 1)).size, 0)
      const [revision] = yield* collect(store.revisions(series, everything))
      assert.deepInclude(revision, { kind: "corrected", response: ResponseId.make(1), supersededAt: 1_000 })
    }).pipe(provide)
  )
}
