/** What TimescaleDB does to chunks, by command and by itself, and what readers and writers see of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { seriesDigest } from "../../../../src/layers/market/seriesDigest.ts"
import type { MarketStore } from "../../../../src/services/MarketStore.ts"
import { bar, collect, commitOf, covered, everything, minute, seriesOf } from "../../../services/market/commits.ts"
import { recordSeries, recordsOf, trade } from "../../../services/records/commits.ts"
import { sql } from "../../../support/postgres.ts"
import { workerIn } from "../../../support/tenants.ts"
import type { Databases } from "../../../support/timescale.ts"
import { day, embedded, hour, hourly, one, opened, policiesOf, upkeepOf, whole } from "./stores.ts"

const series = seriesOf("A")
const other = seriesOf("B", { timeframe: "1h" })

/** The chunks of January 1970 and after, of 30 days each. */
const chunk = 30 * day

/** Real time, in which the server works. */
const pause = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 100)))

/**
 * Waits until a policy has acted. The server runs it at once when it has a worker for it, else when it is asked to; one of two that
 * compress a chunk at the same time may fail.
 */
const acted = (url: string, action: string, condition: string) =>
  Effect.gen(function* () {
    const { policies } = yield* policiesOf(url)
    const policy = (yield* policies).find((one) => one.action === action)
    if (policy === undefined) return assert.fail(`no policy that does ${action}`)
    while ((yield* sql(url, condition))[0]?.[0] !== true) {
      yield* Effect.ignoreCause(sql(url, `call run_job(${policy.job})`))
      yield* pause
    }
  })

/** What a story of commits leaves, and what it says while it goes on. */
const told = Effect.fnUntraced(function* (store: MarketStore["Service"], from: number, to: number) {
  const results = []
  for (const commit of story.slice(from, to)) results.push(yield* store.commit(commit))
  return results
})

const days = 75
const late = commitOf(
  series,
  2,
  hourly(0, days, (index) => 3 + (index % 5)),
  whole(2, 0, days)
)
/** New rows, the same again, corrections, a row withdrawn, rows between others, and an answer that comes late. */
const story = [
  commitOf(series, 1, hourly(0, days), whole(1, 0, days)),
  commitOf(other, 3, hourly(0, days), whole(3, 0, days)),
  commitOf(series, 4, hourly(0, days), whole(4, 0, days)),
  commitOf(
    series,
    5,
    hourly(0, days, (index) => 1 + ((index % 17) + (index % 50 === 0 ? 1 : 0))),
    whole(5, 0, days)
  ),
  commitOf(
    series,
    6,
    hourly(0, days).filter((_, index) => index % 31 !== 4),
    whole(6, 0, days)
  ),
  commitOf(
    series,
    7,
    hourly(0, days).flatMap((row) => [row, bar(row.ts + minute, 5)]),
    whole(7, 0, days)
  ),
  late
]

export const policiesSuite = ({ fresh }: Databases): void => {
  describe("compression", () => {
    it.live("commits into compressed chunks leave what they leave in the embedded store", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        // Somebody who has no rights on tables and chunks.
        const { market } = yield* opened(yield* workerIn(url))
        const plain = yield* embedded
        const { compress, hypertables } = yield* policiesOf(url)
        for (let at = 0; at < story.length; at++) {
          assert.deepStrictEqual(yield* told(market, at, at + 1), yield* told(plain, at, at + 1), `commit ${at}`)
          assert.isAtLeast(yield* compress("bars", 10 * chunk), 2)
          yield* compress("revisions", 10 * chunk)
        }
        const listed = (yield* hypertables).filter(({ table }) => table === "bars" || table === "revisions")
        assert.isTrue(listed.every(({ chunks, compressedChunks }) => chunks > 0 && compressedChunks === chunks))
        for (const of of [series, other]) {
          assert.deepStrictEqual(yield* seriesDigest(market, of), yield* seriesDigest(plain, of))
          for (const asOf of [1_500, 4_500, 5_500, 6_500]) {
            const known = (store: MarketStore["Service"]) => collect(store.storedBars(of, everything, { asOf }))
            assert.deepStrictEqual(yield* known(market), yield* known(plain))
          }
        }
        // A generation takes the place of one that is compressed, which is then removed.
        for (const store of [market, plain]) {
          const generation = yield* store.beginGeneration(series)
          yield* store.commit({
            ...commitOf(
              series,
              8,
              hourly(0, days, () => 9),
              whole(8, 0, days)
            ),
            generation
          })
          yield* store.publishGeneration(generation, 9_000)
        }
        assert.deepStrictEqual(yield* seriesDigest(market, series), yield* seriesDigest(plain, series))
        assert.strictEqual(yield* market.forget(series), days * 24)
        assert.strictEqual(yield* one(url, "select count(*)::int from tapestry_base.bars"), days * 24)
        assert.strictEqual(yield* market.count(other, everything), days * 24)
      })
    )

    it.live("more rows than TimescaleDB would decompress for one transaction are corrected in one commit", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { compress } = yield* policiesOf(url)
        const size = 105_000
        const rows = (close: number) => Array.from({ length: size }, (_, index) => bar(index * minute, close))
        const coverage = (id: number) => ({ coverage: [[0, size * minute, covered(id)] as const] })
        yield* market.commit(commitOf(series, 1, rows(1), coverage(1)))
        yield* compress("bars", 100 * chunk)
        const done = yield* market.commit(commitOf(series, 2, rows(2), coverage(2)))
        assert.deepInclude(done, { updated: size, inserted: 0, unchanged: 0 })
        yield* compress("bars", 100 * chunk)
        yield* compress("revisions", 100 * chunk)
        const gone = yield* market.commit(commitOf(series, 3, [], coverage(3)))
        assert.deepInclude(gone, { withdrawn: size })
        assert.strictEqual(yield* market.count(series, everything), 0)
      })
    )

    it.live("records in compressed chunks are repeated, corrected and added to", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { records } = yield* opened(url)
        const { compress } = yield* policiesOf(url)
        const of = recordSeries("trade")
        const trades = (price: number) =>
          Array.from({ length: 500 }, (_, index) =>
            trade(BigInt(index) * 3_600_000_000_000n + BigInt(index), price + (index % 7), { sequence: index })
          )
        yield* records.commit(recordsOf(of, 1, trades(1)))
        assert.isAtLeast(yield* compress("trades", 100 * chunk), 2)
        assert.deepInclude(yield* records.commit(recordsOf(of, 2, trades(1))), { unchanged: 500, inserted: 0 })
        const changed = yield* records.commit(recordsOf(of, 3, trades(2)))
        assert.strictEqual(changed.updated + changed.inserted, 500)
        assert.deepStrictEqual(yield* collect(records.rows(of, everything)), trades(2))
        assert.deepStrictEqual(yield* collect(records.rows(of, everything, { asOf: 2_500 })), trades(1))
      })
    )

    it.live("a policy is set, listed, seen to compress a chunk, changed, and removed", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { hypertables, policies, removeCompression, setCompression } = yield* policiesOf(url)
        yield* market.commit(commitOf(series, 1, hourly(0, days), whole(1, 0, days)))
        assert.deepStrictEqual(yield* policies, [])
        yield* setCompression("bars", 90 * day)
        yield* setCompression("bars", 30 * day)
        const [set, ...more] = yield* policies
        assert.strictEqual(more.length, 0)
        assert.deepInclude(set, { action: "compress", of: "bars", afterMillis: 30 * day })
        yield* acted(
          url,
          "compress",
          "select bool_and(is_compressed) from timescaledb_information.chunks where hypertable_name = 'bars'"
        )
        const bars = (yield* hypertables).find(({ table }) => table === "bars")
        assert.strictEqual(bars?.compressedChunks, bars?.chunks)
        assert.isBelow(bars?.after ?? Number.NaN, bars?.before ?? Number.NaN)
        assert.strictEqual(yield* market.count(series, { start: 0, end: 3 * hour }), 3)
        assert.isTrue(yield* removeCompression("bars"))
        assert.isFalse(yield* removeCompression("bars"))
        assert.deepStrictEqual(yield* policies, [])
      })
    )
  })

  describe("retention", () => {
    it.live("a policy drops chunks, and nothing claims what was in them, now or as of any instant", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const now = Date.now()
        const start = Math.floor((now - 200 * day) / day) * day
        const history = hourly(start, 200)
        yield* market.commit(commitOf(series, 1, history, whole(1, start, 200)))
        yield* market.commit(commitOf(other, 2, history.slice(0, 48), whole(2, start, 200)))
        yield* market.commit(
          commitOf(
            series,
            3,
            history.map((row) => bar(row.ts, row.close + 1)),
            whole(3, start, 200)
          )
        )
        const { policies, removeRetention, setRetention } = yield* policiesOf(url)
        const of = { kind: "bar", timeframe: null } as const
        const chunksBefore = yield* one(url, "select count(*)::int from show_chunks('tapestry_base.bars')")
        yield* setRetention(of, 300 * day)
        yield* setRetention(of, 100 * day)
        const [set, ...more] = yield* policies
        assert.strictEqual(more.length, 0)
        assert.deepInclude(set, { action: "retention", of: "bar", afterMillis: 100 * day })
        yield* acted(url, "retention", `select count(*) < ${chunksBefore} from show_chunks('tapestry_base.bars')`)
        const left = yield* collect(market.bars(series, everything))
        const first = left[0]?.ts ?? 0
        assert.isAbove(first, start)
        assert.isAtMost(first, now - 100 * day)
        assert.strictEqual(yield* market.count(series, everything), left.length)
        assert.deepStrictEqual(
          left.map(({ ts }) => ts),
          history.map(({ ts }) => ts).filter((ts) => ts >= first)
        )
        for (const options of [{}, { asOf: 1_500 }, { asOf: 3_500 }]) {
          const [claim] = yield* market.coverage(series, everything, options)
          assert.strictEqual(claim?.start, first)
          const rows = yield* collect(market.bars(series, everything, options))
          assert.strictEqual(rows.length, left.length)
        }
        assert.isTrue((yield* collect(market.revisions(series, everything))).every(({ ts }) => ts >= first))
        const listed = yield* market.series
        assert.deepStrictEqual(
          listed.map((one) => [one.series.symbol, one.rows, one.revisions]),
          [
            ["A", left.length, left.length],
            ["B", 0, 0]
          ]
        )
        // What is fetched again is there again.
        const again = commitOf(series, 4, history, whole(4, start, 200))
        assert.deepInclude(yield* market.commit(again), { inserted: history.length - left.length })
        assert.strictEqual((yield* market.coverage(series, everything))[0]?.start, start)
        assert.isTrue(yield* removeRetention(of))
        assert.isFalse(yield* removeRetention(of))
        assert.deepStrictEqual(yield* policies, [])
      })
    )

    it.live("of one timeframe rows go, also from compressed chunks, and those of others stay", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { compress } = yield* policiesOf(url)
        yield* market.commit(commitOf(series, 1, hourly(0, days), whole(1, 0, days)))
        yield* market.commit(commitOf(other, 2, hourly(0, days), whole(2, 0, days)))
        yield* compress("bars", 100 * chunk)
        const { retain } = yield* upkeepOf(url)
        const of = { kind: "bar", timeframe: "1m" } as const
        const looked = yield* retain(of, 50 * day + hour, { apply: false })
        assert.deepStrictEqual(looked, { rows: 50 * 24, chunks: 0, before: 50 * day })
        assert.strictEqual(yield* market.count(series, everything), days * 24)
        assert.deepStrictEqual(yield* retain(of, 50 * day + hour, { apply: true }), looked)
        assert.strictEqual(yield* market.count(series, everything), (days - 50) * 24)
        assert.strictEqual((yield* market.coverage(series, everything))[0]?.start, 50 * day)
        assert.strictEqual(yield* market.count(other, everything), days * 24)
        assert.strictEqual((yield* market.coverage(other, everything))[0]?.start, 0)
      })
    )
  })
}
