/** Rows are dropped while others commit: what is claimed afterwards is there. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, type Scope } from "effect"
import * as MarketStoreSqlite from "../../../../src/layers/market/MarketStoreSqlite.ts"
import type { StoreUpkeep } from "../../../../src/layers/market/upkeep/StoreUpkeep.ts"
import { sqliteUpkeep } from "../../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import { collect, commitOf, everything, seriesOf } from "../../../services/market/commits.ts"
import { recordSeries, recordsOf, signal, trade } from "../../../services/records/commits.ts"
import { onBoth } from "../../../support/timescale.ts"
import { day, hour, hourly, opened, upkeepOf, whole } from "../timescale/stores.ts"

interface Stores {
  readonly one: Effect.Success<ReturnType<typeof opened>>
  readonly other: Effect.Success<ReturnType<typeof opened>>
  readonly retain: StoreUpkeep["retain"]
}

const suite = <E>(title: string, stores: Effect.Effect<Stores, E, Scope.Scope>): void => {
  describe(`retention on ${title}`, () => {
    it.live("beside commits of old rows: coverage, now and as of then, claims no row that is not there", () =>
      Effect.gen(function* () {
        const { one: first, other: second, retain } = yield* stores
        const [one, other] = [first.market, second.market]
        const days = 100
        const many = 24
        const names = Array.from({ length: many }, (_, index) => seriesOf(`S${index % 6}`, { dataset: `${index % 4}` }))
        let writing = true
        const dropping = yield* Effect.forkChild(
          Effect.gen(function* () {
            let dropped = 0
            for (let at = 0; writing; at++) {
              const { rows } = yield* retain({ kind: "bar", timeframe: null }, (40 + (at % 3) * 10) * day, {
                apply: true
              })
              dropped += rows
            }
            return dropped
          })
        )
        yield* Effect.forEach(
          Array.from({ length: 2 * many }, (_, index) => index),
          (index) => {
            const series = names[index % many] ?? seriesOf("S")
            const rows = hourly(0, days, (at) => 1 + ((at + (index < many ? 0 : 1)) % 17))
            return (index % 2 === 0 ? one : other).commit(commitOf(series, index + 1, rows, whole(index + 1, 0, days)))
          },
          { concurrency: 4 }
        )
        writing = false
        assert.isAbove(yield* Fiber.join(dropping), 0)
        const summaries = new Map(
          (yield* one.series).map((summary) => [summary.series.symbol + summary.series.dataset, summary])
        )
        for (const series of names) {
          for (const options of [{}, { asOf: 1_000 * many + 500 }, { asOf: 1_000_000 }]) {
            const coverage = yield* one.coverage(series, everything, options)
            const rows = yield* collect(one.bars(series, everything, options))
            const claimed = coverage.reduce((sum, { end, start }) => sum + (end - start) / hour, 0)
            const inside = rows.filter(({ ts }) => coverage.some(({ end, start }) => start <= ts && ts < end))
            assert.strictEqual(inside.length, claimed, `${series.symbol} ${JSON.stringify(options)}`)
          }
          const stored = yield* collect(one.bars(series, everything))
          const revisions = yield* collect(one.revisions(series, everything))
          const summary = summaries.get(series.symbol + series.dataset)
          assert.deepInclude(summary, { rows: stored.length, revisions: revisions.length })
        }
      })
    )

    it.live("of records: rows, revisions and what repeated them go, those of other kinds stay", () =>
      Effect.gen(function* () {
        const {
          one: { market, records },
          retain
        } = yield* stores
        const [of, other] = [recordSeries("trade"), recordSeries("signal")]
        const told = (price: number) =>
          Array.from({ length: 40 }, (_, at) => trade(BigInt(at * day) * 1_000_000n, price, { sequence: at }))
        const range = { start: 0, end: 40 * day }
        const covers = [[0, 40 * day] as const]
        yield* records.commit(recordsOf(of, 1, told(1), { covers }))
        yield* records.commit(recordsOf(of, 2, told(2), { covers }))
        yield* records.commit(recordsOf(other, 3, [signal(day, "s", 1)], { covers }))
        const dropped = yield* retain({ kind: "trade", timeframe: null }, 21 * day, { apply: true })
        const before = dropped.before ?? 0
        assert.isAbove(before, 0)
        assert.isAtMost(before, 21 * day)
        const left = yield* collect(records.rows(of, range))
        assert.deepStrictEqual(left, told(2).slice(before / day))
        assert.strictEqual(dropped.rows, 40 - left.length)
        assert.strictEqual(yield* records.count(of, everything), left.length)
        assert.lengthOf(yield* collect(records.revisions(of, range)), left.length)
        const covered = yield* market.coverage(of, everything)
        assert.deepStrictEqual(
          covered.map(({ end, start }) => [start, end]),
          [[before, 40 * day]]
        )
        assert.deepStrictEqual(yield* collect(records.rows(of, range, { asOf: 1_500 })), told(1).slice(before / day))
        assert.strictEqual(yield* records.count(other, everything), 1)
        assert.deepInclude((yield* market.coverage(other, everything))[0], { start: 0, end: 40 * day })
      })
    )
  })
}

onBoth(({ fresh, title }) =>
  suite(
    title,
    Effect.gen(function* () {
      const url = yield* fresh
      return { one: yield* opened(url), other: yield* opened(url), retain: (yield* upkeepOf(url)).retain }
    })
  )
)

/** One process has one connection that writes; the upkeep has another one beside it. */
suite(
  "SQLite",
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-retention-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true }))
    )
    const filename = join(directory, "market.sqlite")
    const one = yield* Effect.map(Layer.build(Layer.fresh(MarketStoreSqlite.layer({ filename }))), (context) => ({
      market: Context.get(context, MarketStore),
      records: Context.get(context, RecordStore)
    }))
    return { one, other: one, retain: (yield* sqliteUpkeep(filename, false)).retain }
  })
)
