/** Corporate actions: whichever answer told of them, in whichever order they were committed. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import fc from "fast-check"
import type { CorporateAction } from "../../../src/domain/CorporateAction.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { commitOf, covered, empty, everything, type Provide, reasonOf, seriesOf } from "./commits.ts"

const day = 86_400_000
const days = (from: number, to: number): TimeRange => ({ start: from * day, end: to * day })
const split = (date: number, numerator: number): CorporateAction => ({
  ts: date * day,
  kind: "split",
  numerator,
  denominator: 1
})
const dividend = (date: number, amount: number, currency: string | null = "USD"): CorporateAction => ({
  ts: date * day,
  kind: "dividend",
  amount,
  currency
})

/** Response `id` without rows that tells of these actions. */
const telling = (
  series: SeriesKey,
  id: number,
  rows: ReadonlyArray<CorporateAction>,
  complete: TimeRange | null = null
) =>
  commitOf(series, id, [], {
    coverage: [[0, day, empty(id)]],
    actions: { rows, positions: rows.map((_, index) => index + 10), complete }
  })

const told = (series: SeriesKey, range: TimeRange = everything, asOf?: number) =>
  MarketStore.use((store) => store.actions(series, range, asOf === undefined ? {} : { asOf }))

const actionsOf = (series: SeriesKey, range?: TimeRange, asOf?: number) =>
  Effect.map(told(series, range, asOf), (stored) => stored.map(({ action }) => action))

interface Telling {
  readonly id: number
  readonly complete: readonly [number, number] | null
  readonly dates: ReadonlyArray<readonly [date: number, amount: number]>
}

const randomTelling = (id: number): fc.Arbitrary<Telling> =>
  fc.record({
    id: fc.constant(id),
    complete: fc.option(
      fc
        .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 4 }))
        .map(([from, length]) => [from, from + length] as const)
    ),
    dates: fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 2 })), {
      maxLength: 4,
      selector: ([date]) => date
    })
  })

/** An answer that is complete about a range tells of nothing outside of it. */
const saidBy = ({ complete, dates }: Telling) =>
  dates.filter(([date]) => complete === null || (complete[0] <= date && date < complete[1]))

/** Date by date, by what each answer in turn says of it. */
const expected = (tellings: ReadonlyArray<Telling>): ReadonlyArray<CorporateAction> => {
  const held = new Map<number, number>()
  for (const one of tellings) {
    if (one.complete !== null) for (let date = one.complete[0]; date < one.complete[1]; date++) held.delete(date)
    for (const [date, amount] of saidBy(one)) held.set(date, amount)
  }
  return [...held].sort(([a], [b]) => a - b).map(([date, amount]) => dividend(date, amount))
}

export const actionsContract = (provide: Provide): void => {
  it.effect("with `own` what the answers about one series have told, and not those about its siblings", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const [minutes, daily] = [seriesOf("OWN"), seriesOf("OWN", { timeframe: "1d" })]
      yield* store.commit(telling(minutes, 1, [split(3, 4), dividend(5, 1)]))
      yield* store.commit(telling(daily, 2, [dividend(5, 2)], days(5, 6)))
      const own = (series: SeriesKey) =>
        Effect.map(store.actions(series, everything, { own: true }), (stored) =>
          stored.map(({ action, lineage }) => [action, lineage.response])
        )
      assert.deepStrictEqual(yield* actionsOf(minutes), [split(3, 4), dividend(5, 2)])
      assert.deepStrictEqual(yield* own(minutes), [
        [split(3, 4), 1],
        [dividend(5, 1), 1]
      ])
      assert.deepStrictEqual(yield* own(daily), [[dividend(5, 2), 2]])
      assert.deepStrictEqual(yield* own(seriesOf("NONE")), [])
    }).pipe(provide)
  )

  it.effect("what answers tell of corporate actions is the symbol's, with the first answer that said so", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const daily = seriesOf("A", { timeframe: "1d" })
      const minutes = seriesOf("A", { timeframe: "1m", adjustment: "splits" })
      const rows = [dividend(3, 0.5), split(5, 4), dividend(5, 0.1, null)]
      yield* store.commit(telling(daily, 1, rows, days(0, 10)))
      yield* store.commit(telling(minutes, 2, [dividend(3, 0.5), dividend(12, 0.2)]))
      yield* store.commit(telling(seriesOf("B", { timeframe: "1d" }), 3, [split(5, 2)], days(0, 10)))
      yield* store.commit(telling(seriesOf("A", { timeframe: "1d", vendor: "other" }), 4, [split(5, 3)]))
      const all = yield* told(seriesOf("A", { timeframe: "1w" }))
      assert.deepStrictEqual(
        all.map(({ action, lineage }) => [action, lineage.response, lineage.position, lineage.recordedAt]),
        [
          [rows[0], 1, 10, 1_000],
          [rows[1], 1, 11, 1_000],
          [rows[2], 1, 12, 1_000],
          [dividend(12, 0.2), 2, 11, 2_000]
        ]
      )
      assert.deepStrictEqual(yield* actionsOf(daily, days(5, 6)), [rows[1], rows[2]])
      assert.deepStrictEqual(yield* actionsOf(daily, days(4, 5)), [])
      assert.deepStrictEqual(yield* actionsOf(seriesOf("C")), [])
      // They are no rows of the series that was asked for.
      assert.deepStrictEqual(
        (yield* store.series).map(({ rows: count }) => count),
        [0, 0, 0, 0]
      )
    }).pipe(provide)
  )

  it.effect(
    "a later complete answer corrects and withdraws, one that only adds does not, and the past stays readable",
    () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const series = seriesOf("A", { timeframe: "1d" })
        yield* store.commit(telling(series, 1, [dividend(3, 1), dividend(6, 1)], days(0, 10)))
        yield* store.commit(telling(series, 2, []))
        yield* store.commit(telling(series, 3, [dividend(3, 0.25), split(4, 4)], days(2, 8)))
        assert.deepStrictEqual(yield* actionsOf(series), [dividend(3, 0.25), split(4, 4)])
        assert.deepStrictEqual(yield* actionsOf(series, everything, 2_999), [dividend(3, 1), dividend(6, 1)])
        assert.deepStrictEqual(yield* actionsOf(series, everything, 999), [])
      }).pipe(provide)
  )

  it.effect("thousands of answers of a series that is polled are read with turns for others, and each counts", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A", { timeframe: "1d" })
      const polls = 2_600
      const tellings = Array.from({ length: polls }, (_, index) => {
        const id = index + 1
        if (id === 1) return telling(series, id, [dividend(3, 1), dividend(6, 1), dividend(7, 1)], days(0, 10))
        if (id === 1_500) return telling(series, id, [dividend(3, 2), dividend(7, 1)], days(3, 10))
        return id === polls ? telling(series, id, [dividend(7, 5)]) : telling(series, id, [], days(10 + id, 11 + id))
      })
      for (let at = 0; at < polls; at += 100) yield* store.commitAll(tellings.slice(at, at + 100))
      let turns = 0
      const others = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => turns++)
          )
        )
      )
      assert.deepStrictEqual(yield* actionsOf(series), [dividend(3, 2), dividend(7, 5)])
      assert.isAtLeast(turns, 2)
      yield* Fiber.interrupt(others)
      const before = yield* actionsOf(series, everything, 1_499_999)
      assert.deepStrictEqual(before, [dividend(3, 1), dividend(6, 1), dividend(7, 1)])
    }).pipe(provide)
  )

  it.effect("two of one kind on one date are two, and an action that is none refuses the commit", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A", { timeframe: "1d" })
      yield* store.commit(telling(series, 1, [dividend(3, 1), dividend(3, 5)]))
      assert.deepStrictEqual(yield* actionsOf(series), [dividend(3, 1), dividend(3, 5)])
      const wrong: ReadonlyArray<CorporateAction> = [
        { ...split(1, 0) },
        { ...dividend(1, Number.NaN) },
        { ...dividend(1, -1) },
        { ...dividend(1, 1), ts: 5 }
      ]
      for (const [index, action] of wrong.entries()) {
        const reason = yield* reasonOf(store.commit(telling(series, 10 + index, [dividend(2, 1), action])))
        assert.strictEqual(reason._tag, "InvalidRow")
        assert.match(reason._tag === "InvalidRow" ? reason.message : "", /^corporate action/)
      }
      assert.deepStrictEqual(yield* actionsOf(series), [dividend(3, 1), dividend(3, 5)])
    }).pipe(provide)
  )

  it.effect("those of a generation count when it is published, and go with a series that is forgotten", () =>
    Effect.gen(function* () {
      const store = yield* MarketStore
      const series = seriesOf("A", { timeframe: "1d" })
      yield* store.commit(telling(series, 1, [dividend(3, 1)], days(0, 10)))
      const dropped = yield* store.beginGeneration(series)
      yield* store.commit({ ...telling(series, 2, [split(3, 9)], days(0, 10)), generation: dropped })
      assert.deepStrictEqual(yield* actionsOf(series), [dividend(3, 1)])
      yield* store.dropGeneration(dropped)
      const published = yield* store.beginGeneration(series)
      yield* store.commit({ ...telling(series, 3, [split(3, 4)], days(0, 10)), generation: published })
      yield* store.publishGeneration(published, 3_000)
      assert.deepStrictEqual(yield* actionsOf(series), [split(3, 4)])
      assert.deepStrictEqual(yield* actionsOf(series, everything, 1_000), [dividend(3, 1)])
      yield* store.commit(commitOf(seriesOf("B"), 4, [], { coverage: [[0, day, covered(4)]] }))
      yield* store.forget(series)
      assert.deepStrictEqual(yield* actionsOf(series), [])
    }).pipe(provide)
  )

  it("the order of the commits does not matter", async () => {
    const tellings = fc.tuple(randomTelling(1), randomTelling(2), randomTelling(3), randomTelling(4), randomTelling(5))
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5, maxLength: 5 })
    const series = seriesOf("A", { timeframe: "1d" })
    const check = Effect.fnUntraced(function* (all: ReadonlyArray<Telling>, indices: ReadonlyArray<number>) {
      const store = yield* MarketStore
      for (const index of indices) {
        const one = all[index]
        if (one === undefined) continue
        const kept = saidBy(one).toSorted(([a], [b]) => a - b)
        const rows = kept.map(([date, amount]) => dividend(date, amount))
        yield* store.commit(telling(series, one.id, rows, one.complete === null ? null : days(...one.complete)))
      }
      assert.deepStrictEqual(yield* actionsOf(series), expected(all))
      assert.deepStrictEqual(yield* actionsOf(series, everything, 3_999), expected(all.slice(0, 3)))
    })
    await fc.assert(
      fc.asyncProperty(tellings, order, (all, indices) => Effect.runPromise(provide(check(all, indices)))),
      { numRuns: 100 }
    )
  })
}
