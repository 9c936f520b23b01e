/** Tables that become hypertables: with rows in them, twice, two at once, and what stands on them afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { migrations } from "../../../../src/layers/market/postgres/migrations.ts"
import { chunkedTables } from "../../../../src/layers/market/postgres/timescale/chunkedTables.ts"
import { seriesDigest } from "../../../../src/layers/market/seriesDigest.ts"
import { bar, commitOf, everything, minute, reasonOf, seriesOf } from "../../../services/market/commits.ts"
import { recordSeries, recordsOf, trade } from "../../../services/records/commits.ts"
import { sql } from "../../../support/postgres.ts"
import type { Databases } from "../../../support/timescale.ts"
import { day, hourly, one, opened, policiesOf, upkeepOf, whole } from "./stores.ts"

const series = seriesOf("A")

export const hypertablesSuite = ({ bare, fresh }: Databases): void => {
  describe("hypertables", () => {
    it.live("a database with rows is converted once by two at a time, and has what it had", () =>
      Effect.gen(function* () {
        const url = yield* bare
        const { market, records } = yield* opened(url)
        yield* market.commit(commitOf(series, 1, hourly(0, 90), whole(1, 0, 90)))
        yield* market.commit(
          commitOf(
            series,
            2,
            hourly(0, 90, (index) => 1 + (index % 19)),
            whole(2, 0, 90)
          )
        )
        const trades = [trade(1n, 1), trade(BigInt(40 * day) * 1_000_000n + 7n, 2)]
        yield* records.commit(recordsOf(recordSeries("trade"), 3, trades))
        const before = yield* seriesDigest(market, series)
        const both = yield* Effect.all([policiesOf(url), policiesOf(url)])
        const made = yield* Effect.forEach(both, ({ apply }) => apply, { concurrency: 2 })
        const tables = chunkedTables.map(({ table }) => table)
        // Each table is made by one of them.
        assert.deepStrictEqual(made.flat().sort(), [...tables].sort())
        const [{ apply, hypertables }] = both
        assert.deepStrictEqual(yield* apply, [])
        const listed = yield* hypertables
        assert.deepStrictEqual(
          listed.map(({ table }) => table),
          [...tables].sort()
        )
        const bars = listed.find(({ table }) => table === "bars")
        assert.deepInclude(bars, { chunkMillis: 30 * day, compressedChunks: 0, before: null })
        assert.isAtLeast(bars?.chunks ?? 0, 3)
        assert.strictEqual(yield* one(url, "select count(*)::int from only tapestry_base.bars"), 0)
        assert.deepStrictEqual(yield* seriesDigest(market, series), before)
        assert.strictEqual(yield* records.count(recordSeries("trade"), everything), 2)
        yield* market.commit(commitOf(series, 4, hourly(0, 90), whole(4, 0, 90)))
        assert.strictEqual(yield* market.count(series, everything), 90 * 24)
        const sizes = yield* (yield* upkeepOf(url)).tables
        assert.isAbove(sizes.find(({ table }) => table === "bars")?.bytes ?? 0, 100_000)
      })
    )

    it.live("rows of one series are removed from every chunk, and none of another's that lie in the same places", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const others = [seriesOf("B"), seriesOf("C")]
        for (const [index, of] of [series, ...others].entries()) {
          yield* market.commit(commitOf(of, index + 1, hourly(0, 120), whole(index + 1, 0, 120)))
        }
        const before = yield* Effect.forEach(others, (of) => seriesDigest(market, of))
        assert.strictEqual(yield* market.forget(series), 120 * 24)
        assert.strictEqual(yield* one(url, "select count(*)::int from tapestry_base.bars"), 2 * 120 * 24)
        assert.deepStrictEqual(yield* Effect.forEach(others, (of) => seriesDigest(market, of)), before)
      })
    )

    it.live("the tables still prove the schema's version, and nothing else does", () =>
      Effect.gen(function* () {
        const url = yield* bare
        const { market } = yield* opened(url)
        const newest = migrations.length
        yield* (yield* policiesOf(url)).apply
        yield* market.commit(commitOf(series, 1, hourly(0, 60), whole(1, 0, 60)))
        const upkeep = yield* upkeepOf(url)
        yield* sql(url, "update tapestry.migration_checksums set sha256 = 'x' where id = 1")
        assert.deepStrictEqual(yield* upkeep.stamp(newest, { confirm: false }), { recorded: [1], done: false })
        yield* sql(url, "alter table tapestry_base.bars add column extra int4")
        const error = yield* reasonOf(upkeep.stamp(newest, { confirm: true }))
        assert.match(error.message, /extra.*Nothing was recorded/)
        yield* sql(url, "alter table tapestry_base.bars drop column extra")
        assert.deepStrictEqual(yield* upkeep.stamp(newest, { confirm: true }), { recorded: [1], done: true })
        // Looking has changed nothing.
        yield* market.commit(commitOf(series, 2, hourly(0, 61), whole(2, 0, 61)))
        assert.strictEqual(yield* market.count(series, everything), 61 * 24)
        assert.strictEqual((yield* (yield* policiesOf(url)).hypertables).length, chunkedTables.length)
      })
    )

    it.live("a constraint on a hypertable names the row and the table that it is on", () =>
      Effect.gen(function* () {
        const url = yield* bare
        const { market, records } = yield* opened(url)
        yield* (yield* policiesOf(url)).apply
        yield* sql(url, "alter table tapestry_base.bars add constraint small check (close < 8)")
        yield* sql(url, "alter table tapestry_base.trades add constraint small check (price < 8)")
        const rows = Array.from({ length: 10 }, (_, index) => bar(index * minute, 1 + index))
        const refused = yield* reasonOf(market.commit(commitOf(series, 1, rows)))
        assert.deepInclude(refused, { _tag: "StoreConstraintViolation", constraint: "small", index: 7, ts: 7 * minute })
        assert.match(refused.message, /of table bars/)
        const told = [trade(3_000_000n, 9), trade(1_000_000n, 1)]
        const record = yield* reasonOf(records.commit(recordsOf(recordSeries("trade"), 2, told)))
        assert.deepInclude(record, { _tag: "StoreConstraintViolation", constraint: "small", index: 0, ts: 3 })
        assert.match(record.message, /of table trades/)
      })
    )
  })
}
