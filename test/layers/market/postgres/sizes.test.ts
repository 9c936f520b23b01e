/** One write path at every size: what a commit leaves does not depend on how many rows it has, and is what the embedded store leaves. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import * as MarketStoreSqlite from "../../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { seriesDigest } from "../../../../src/layers/market/seriesDigest.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { bar, commitOf, covered, everything, minute, provisional, seriesOf } from "../../../services/market/commits.ts"
import { onBoth } from "../../../support/timescale.ts"

const series = seriesOf("A")

const built = <E>(layer: Layer.Layer<MarketStore, E>) =>
  Effect.map(Layer.build(Layer.fresh(layer)), Context.get(MarketStore))

/** Small numbers that repeat, so that some rows stay as they are from answer to answer and some do not. */
const rowAt = (index: number, round: number): Bar =>
  bar(index * minute, 1 + ((index * 7 + (index % 5 === 0 ? round : 0)) % 11), {
    // Absent in every way in which a vendor leaves something out.
    volume: index % 3 === 0 ? null : 0.5 * (index % 13),
    vwap: index % 4 === round % 4 ? null : 1.25,
    count: index % 6 === 0 ? null : index % 1_000
  })

const ordered = (size: number, round: number) => Array.from({ length: size }, (_, index) => rowAt(index, round))

/** Every tenth stamp twice, the first time with another value, and out of order. */
const withDuplicates = (size: number, round: number) => {
  const rows = ordered(size, round)
  const wrong = rows.filter((_, index) => index % 10 === 0).map((row) => ({ ...row, close: 99, high: 99 }))
  return [...wrong, ...rows.toReversed()]
}

/** Each finds what those before it left. */
const commitsOf = (size: number) => {
  const whole = (id: number) => [[0, size * minute, covered(id)] as const]
  return [
    commitOf(series, 1, ordered(size, 0), { coverage: [[0, size * minute, provisional(1)]] }),
    // The same again.
    commitOf(series, 2, ordered(size, 0), { coverage: whole(2) }),
    commitOf(series, 3, withDuplicates(size, 1), { coverage: whole(3), nulls: "keep" }),
    commitOf(series, 4, ordered(size, 2), { coverage: whole(4), nulls: "overwrite" }),
    // Every seventh row is gone, and comes back.
    commitOf(
      series,
      6,
      ordered(size, 2).filter((_, index) => index % 7 !== 3),
      { coverage: whole(6) }
    ),
    commitOf(series, 7, ordered(size, 3), { coverage: whole(7) }),
    // Fetched between the others and committed last.
    commitOf(series, 5, ordered(size, 4), { coverage: whole(5) })
  ]
}

/** What a batch of this size must do to the rows, counted without any store. */
const expectedOf = (size: number) => {
  const differs = (a: Bar, b: Bar) => JSON.stringify(a) !== JSON.stringify(b)
  const changed = ordered(size, 3).filter((row, index) => index % 7 !== 3 && differs(row, rowAt(index, 2))).length
  const gone = Array.from({ length: size }, (_, index) => index).filter((index) => index % 7 === 3).length
  return { inserted: gone, updated: changed, unchanged: size - gone - changed, withdrawn: 0, alreadyApplied: false }
}

onBoth(({ fresh, title }) => {
  describe(`commits of any size on ${title}`, () => {
    for (const size of [1, 499, 500, 4_999, 5_000, 200_000]) {
      it.live(
        `${size} rows: duplicates, nulls, repetitions and late answers leave what they leave in the embedded store`,
        () =>
          Effect.gen(function* () {
            const url = yield* fresh
            const postgres = yield* built(MarketStorePostgres.layer({ url: Redacted.make(url) }))
            const sqlite = yield* built(MarketStoreSqlite.layer({ filename: ":memory:" }))
            // The whole story takes a minute of 200,000 rows.
            const commits = size > 5_000 ? commitsOf(size).slice(0, 3) : commitsOf(size)
            for (const commit of commits) {
              const result = yield* postgres.commit(commit)
              assert.deepStrictEqual(result, yield* sqlite.commit(commit), `response ${commit.response}`)
              if (commit.response === 2) assert.deepInclude(result, { unchanged: size, inserted: 0, updated: 0 })
              if (commit.response === 7) assert.deepStrictEqual(result, expectedOf(size))
            }
            assert.deepStrictEqual(yield* seriesDigest(postgres, series), yield* seriesDigest(sqlite, series))
            assert.strictEqual(yield* postgres.count(series, everything), size)
            if (size > 5_000) return
            const asOf = 4_500
            const then = (store: MarketStore["Service"]) => Stream.runCollect(store.bars(series, everything, { asOf }))
            assert.isTrue(JSON.stringify(yield* then(postgres)) === JSON.stringify(yield* then(sqlite)))
          })
      )
    }
  })
})
