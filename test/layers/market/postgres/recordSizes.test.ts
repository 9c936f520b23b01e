/** Records at every size: what commits leave does not depend on how many rows they have, and is what the embedded store leaves. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import type { RecordKind, RecordOf, RecordSeries } from "../../../../src/domain/records/RecordKind.ts"
import type { Trade } from "../../../../src/domain/records/Trade.ts"
import * as MarketStoreSqlite from "../../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { MarketStore, type MarketStoreError } from "../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import { collect, everything, reasonOf } from "../../../services/market/commits.ts"
import { recordSeries, recordsOf, samples, signal, trade } from "../../../services/records/commits.ts"
import { onBoth } from "../../../support/timescale.ts"

interface Stores {
  readonly records: RecordStore["Service"]
  readonly market: MarketStore["Service"]
}

const built = (layer: Layer.Layer<MarketStore | RecordStore, MarketStoreError>) =>
  Effect.map(
    Layer.build(Layer.fresh(layer)),
    (context): Stores => ({ records: Context.get(context, RecordStore), market: Context.get(context, MarketStore) })
  )

const asJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}n` : inner))

/** Everything that can be read of a series. */
const told = Effect.fnUntraced(function* <K extends RecordKind>({ market, records }: Stores, series: RecordSeries<K>) {
  const known = yield* Effect.forEach([1_500, 4_500, 6_000], (asOf) =>
    collect(records.storedRows(series, everything, { asOf }))
  )
  return asJson({
    rows: yield* collect(records.rows(series, everything)),
    stored: yield* collect(records.storedRows(series, everything)),
    revisions: yield* collect(records.revisions(series, everything)),
    known,
    count: yield* records.count(series, everything),
    part: yield* records.count(series, { start: 3, end: 40 }),
    last: yield* records.last(series),
    vendors: yield* records.vendors,
    freshness: yield* records.freshness,
    series: yield* market.series,
    coverage: yield* market.coverage(series, everything),
    referred: [...new Set(yield* collect(market.referencedResponses))].sort((a, b) => a - b)
  })
})

const series = recordSeries("trade")

/** Small numbers that repeat, so that some rows stay as they are from answer to answer and some do not; trades without a number are alike. */
const rowAt = (index: number, round: number, perMilli: number): Trade => {
  const tsNs = BigInt(Math.floor(index / perMilli)) * 1_000_000n + BigInt(index % perMilli) * 3n
  if (index % 5 === 4) return trade(tsNs - (tsNs % 1_000_000n), -1 * (index % 2), { size: null, venue: null })
  return trade(tsNs, 1 + ((index * 7 + (index % 3 === 0 ? round : 0)) % 11), {
    sequence: index,
    size: index % 4 === round % 4 ? null : 0.1 * (index % 13),
    conditions: index % 6 === 0 ? "@ 'T' \\ ü🚀" : null
  })
}

const rowsOf = (size: number, round: number, perMilli: number) =>
  Array.from({ length: size }, (_, index) => rowAt(index, round, perMilli))

/** Each finds what those before it left; the last was fetched between the others. */
const commitsOf = (size: number, perMilli: number) => {
  const rows = (round: number) => rowsOf(size, round, perMilli)
  const covers = [[0, Math.ceil(size / perMilli)] as const]
  return [
    recordsOf(series, 1, rows(0), { covers }),
    recordsOf(series, 2, rows(0).toReversed(), { covers }),
    recordsOf(series, 3, [...rows(2), ...rows(1)], { covers, nulls: "keep" }),
    recordsOf(series, 4, rows(2), { covers }),
    recordsOf(
      series,
      6,
      rows(2).filter((_, index) => index % 7 !== 3),
      { covers }
    ),
    recordsOf(series, 7, rows(3), { covers }),
    recordsOf(series, 5, rows(4), { covers })
  ]
}

onBoth(({ fresh, title }) => {
  const both = Effect.gen(function* () {
    const url = yield* fresh
    return {
      postgres: yield* built(MarketStorePostgres.layer({ url: Redacted.make(url) })),
      sqlite: yield* built(MarketStoreSqlite.layer({ filename: ":memory:" }))
    }
  })

  describe(`commits of records of any size on ${title}`, () => {
    const sizes = [
      [1, 10],
      [499, 10],
      [500, 10],
      [4_999, 10],
      [5_000, 10],
      // All in two milliseconds, which is more of one than a step has.
      [5_000, 2_500],
      [200_000, 10]
    ] as const
    for (const [size, perMilli] of sizes) {
      it.live(`${size} trades, ${perMilli} a millisecond, leave what they leave in the embedded store`, () =>
        Effect.gen(function* () {
          const { postgres, sqlite } = yield* both
          // The whole story takes a minute of 200,000 rows.
          const commits = size > 5_000 ? commitsOf(size, perMilli).slice(0, 2) : commitsOf(size, perMilli)
          for (const commit of commits) {
            const result = yield* postgres.records.commit(commit)
            assert.deepStrictEqual(result, yield* sqlite.records.commit(commit), `response ${commit.response}`)
            if (commit.response === 2) assert.deepInclude(result, { unchanged: size, inserted: 0, updated: 0 })
            if (commit.response === 6) assert.isTrue(size < 4 || result.withdrawn > 0)
          }
          if (size > 5_000) {
            assert.strictEqual(yield* postgres.records.count(series, everything), size)
            const read = (stores: Stores) => Stream.runCollect(stores.records.storedRows(series, everything))
            assert.isTrue(asJson(yield* read(postgres)) === asJson(yield* read(sqlite)))
            return
          }
          const left = yield* told(postgres, series)
          assert.isTrue(left === (yield* told(sqlite, series)))
          assert.strictEqual(yield* postgres.market.forget(series), yield* sqlite.market.forget(series))
          assert.strictEqual(yield* told(postgres, series), yield* told(sqlite, series))
        })
      )
    }

    it.live("every kind reads the same in both, before and after a correction", () =>
      Effect.gen(function* () {
        const { postgres, sqlite } = yield* both
        const compare = <K extends RecordKind>(kind: K, rows: ReadonlyArray<RecordOf<K>>) =>
          Effect.gen(function* () {
            const of = recordSeries(kind)
            const covers = [[everything.start, everything.end]] as const
            const commits = [
              recordsOf<K>(of, 2, rows, { covers }),
              recordsOf<K>(of, 3, rows.slice(1), { covers }),
              recordsOf<K>(of, 1, rows.slice(0, 1), { covers })
            ]
            for (const commit of commits) {
              const result = yield* postgres.records.commit(commit)
              assert.deepStrictEqual(result, yield* sqlite.records.commit(commit), kind)
            }
            assert.strictEqual(yield* told(postgres, of), yield* told(sqlite, of), kind)
          })
        yield* compare("trade", samples.trade)
        yield* compare("quote", samples.quote)
        yield* compare("statistic", samples.statistic)
        yield* compare("fundamental", samples.fundamental)
        yield* compare("news", samples.news)
        yield* compare("option", samples.option)
        yield* compare("signal", samples.signal)
      })
    )

    it.live(
      "a stamp before PostgreSQL's time is refused with its row, and the first nanosecond and the last are kept",
      () =>
        Effect.gen(function* () {
          const { postgres } = yield* both
          const first = -210_866_803_200_000
          const early = yield* reasonOf(
            postgres.records.commit(
              recordsOf(recordSeries("signal"), 1, [signal(0, "a", 1), signal(first - 1, "a", 1)])
            )
          )
          assert.deepInclude(early, { _tag: "InvalidRow", index: 1, ts: first - 1 })
          const signals = [signal(first, "a", 1), signal(8_640_000_000_000_000 - 1, "b", 1)]
          yield* postgres.records.commit(recordsOf(recordSeries("signal"), 2, signals))
          assert.deepStrictEqual(yield* collect(postgres.records.rows(recordSeries("signal"), everything)), signals)
          const trades = [trade(-(2n ** 63n), 1), trade(2n ** 63n - 1n, 2)]
          yield* postgres.records.commit(recordsOf(series, 3, trades))
          assert.deepStrictEqual(yield* collect(postgres.records.rows(series, everything)), trades)
        })
    )

    it.live("two processes that commit to one series at once leave what one after another does", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const store = built(MarketStorePostgres.layer({ url: Redacted.make(url) }))
        const [one, other] = [yield* store, yield* store]
        const commits = (symbol: string) =>
          Array.from({ length: 12 }, (_, round) =>
            recordsOf(
              recordSeries("trade", symbol),
              round + 1,
              rowsOf(60 + round, round % 4, 10).filter((_, index) => (index + round) % 7 !== 0),
              { covers: [[0, 6]] }
            )
          )
        for (const commit of commits("A")) yield* one.records.commit(commit)
        yield* Effect.forEach(commits("B"), (commit, index) => (index % 2 === 0 ? one : other).records.commit(commit), {
          concurrency: "unbounded"
        })
        const read = (symbol: string) =>
          Effect.gen(function* () {
            const of = recordSeries("trade", symbol)
            const revisions = yield* collect(other.records.revisions(of, everything))
            return [yield* collect(other.records.storedRows(of, everything)), revisions]
          })
        assert.deepStrictEqual(yield* read("B"), yield* read("A"))
      })
    )
  })
})
