/** Rows are dropped while others commit and read: what is claimed afterwards is there, and what was claimed before is no gap. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Context, Effect, Fiber, Layer, Redacted, type Scope, Stream } from "effect"
import * as MarketStoreSqlite from "../../../../src/layers/market/MarketStoreSqlite.ts"
import { migrations } from "../../../../src/layers/market/postgres/migrations.ts"
import { openDatabase } from "../../../../src/layers/market/postgres/openDatabase.ts"
import type { StoreUpkeep } from "../../../../src/layers/market/upkeep/StoreUpkeep.ts"
import { retain } from "../../../../src/layers/market/upkeep/sqliteRetention.ts"
import { sqliteUpkeep } from "../../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import { migrate } from "../../../../src/layers/postgres/migrate.ts"
import { open } from "../../../../src/layers/sqlite/SqliteDatabase.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import { bar, collect, commitOf, covered, everything, reasonOf, seriesOf } from "../../../services/market/commits.ts"
import { recordSeries, recordsOf, signal, trade } from "../../../services/records/commits.ts"
import { sql } from "../../../support/postgres.ts"
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

    it.live(
      "a reader that was told of rows before they were dropped fails with GenerationGone, and never ends early",
      () =>
        Effect.gen(function* () {
          const {
            one: { market },
            retain
          } = yield* stores
          const series = seriesOf("S")
          const days = 400
          const [older, newer] = [hourly(0, days), hourly(0, days, () => 40)]
          yield* market.commit(commitOf(series, 1, older, whole(1, 0, days)))
          yield* market.commit(commitOf(series, 2, newer, whole(2, 0, days)))
          const drop = (at: number) => retain({ kind: "bar", timeframe: "1m" }, at * day, { apply: true })
          const range = { start: 0, end: days * day }
          const late = { start: 100 * day, end: days * day }
          /** Takes the first chunk, drops rows, and goes on. */
          const overtaken = <A, E>(rows: Stream.Stream<A, E>, at: number) => {
            let dropped = false
            return rows.pipe(
              Stream.chunks,
              Stream.mapEffect((chunk) => {
                if (dropped) return Effect.succeed(chunk)
                dropped = true
                return Effect.as(drop(at), chunk)
              }),
              Stream.flattenIterable,
              Stream.runCollect
            )
          }

          // Told before, read after.
          const mark = yield* market.mark(series)
          const then = yield* market.mark(series, { asOf: 1_500 })
          if (mark === null || then === null) return assert.fail("the series has no mark")
          assert.deepStrictEqual([mark.cuts, then.cuts], [0, 0])
          assert.lengthOf(yield* market.coverage(series, range, { generation: mark.generation }), 1)
          assert.strictEqual((yield* drop(50)).rows, 50 * 24)
          for (const read of [mark, { ...then, asOf: 1_500 }]) {
            assert.strictEqual((yield* reasonOf(collect(market.bars(series, range, read))))._tag, "GenerationGone")
            // What lies behind the cut is there, whatever was dropped before it.
            const rows = yield* collect(market.bars(series, late, read))
            assert.deepStrictEqual(rows, ("asOf" in read ? older : newer).slice(100 * 24))
          }
          // Nobody who asks now is told of them, nor kept from the rest.
          const [known] = yield* market.coverage(series, range)
          assert.strictEqual(known?.start, 50 * day)
          const again = yield* market.mark(series)
          assert.isAbove(again?.cuts ?? 0, mark.cuts)
          assert.lengthOf(yield* collect(market.bars(series, range, { ...again })), 350 * 24)

          // In the middle of it: the first chunk is of a thousand rows, or of four thousand with lineage.
          assert.strictEqual((yield* reasonOf(overtaken(market.bars(series, range), 120)))._tag, "GenerationGone")
          assert.strictEqual(
            (yield* reasonOf(overtaken(market.bars(series, range, { asOf: 1_500 }), 190)))._tag,
            "GenerationGone"
          )
          assert.strictEqual((yield* reasonOf(overtaken(market.storedBars(series, range), 380)))._tag, "GenerationGone")
          // Rows that have been given before they were dropped were no gap.
          const other = seriesOf("T")
          yield* market.commit(commitOf(other, 3, newer, whole(3, 0, days)))
          assert.lengthOf(yield* overtaken(market.bars(other, range), 40), days * 24)
          // What dropped nothing keeps nobody from anything.
          const before = yield* market.mark(series)
          assert.strictEqual((yield* drop(40)).rows, 0)
          assert.deepStrictEqual(yield* market.mark(series), before)
        })
    )

    it.live("a reader of records that is overtaken fails with GenerationGone, as they are and as they were", () =>
      Effect.gen(function* () {
        const {
          one: { market, records },
          retain
        } = yield* stores
        const of = recordSeries("trade")
        const many = 12_000
        const told = (price: number) =>
          Array.from({ length: many }, (_, at) => trade(BigInt(at * hour) * 1_000_000n, price, { sequence: at }))
        const range = { start: 0, end: many * hour }
        yield* records.commit(recordsOf(of, 1, told(1), { covers: [[0, many * hour]] }))
        yield* records.commit(recordsOf(of, 2, told(2), { covers: [[0, many * hour]] }))
        assert.lengthOf(yield* market.coverage(of, range), 1)
        for (const [age, asOf] of [
          [200, {}],
          [490, { asOf: 1_500 }]
        ] as const) {
          let dropped = 0
          const read = records.rows(of, range, asOf).pipe(
            Stream.chunks,
            Stream.mapEffect(() =>
              Effect.map(retain({ kind: "trade", timeframe: null }, age * day, { apply: true }), ({ rows }) => {
                dropped += rows
              })
            ),
            Stream.runDrain
          )
          assert.strictEqual((yield* reasonOf(read))._tag, "GenerationGone")
          assert.isAbove(dropped, 0)
        }
      })
    )

    it.live(
      "a reader of a series that is removed between what is said of it and its rows fails with GenerationGone",
      () =>
        Effect.gen(function* () {
          const {
            one: { market }
          } = yield* stores
          const series = seriesOf("S")
          yield* market.commit(commitOf(series, 1, hourly(0, 4), whole(1, 0, 4)))
          const mark = yield* market.mark(series)
          const then = yield* market.mark(series, { asOf: 1_500 })
          if (mark === null || then === null) return assert.fail("the series has no mark")
          yield* market.forget(series)
          for (const read of [mark, { ...then, asOf: 1_500 }]) {
            assert.strictEqual((yield* reasonOf(collect(market.bars(series, everything, read))))._tag, "GenerationGone")
          }
          assert.isNull(yield* market.mark(series))
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

onBoth(({ bare, title }) =>
  describe(`retention that an earlier release has installed, on ${title}`, () => {
    it.live(
      "is made anew by the migration that counts cuts, so that policies go on with it; nothing is made where there was none",
      () =>
        Effect.gen(function* () {
          const made =
            "select prosrc from pg_proc where pronamespace = 'tapestry_base'::regnamespace and proname = 'retain'"
          const migrated = Effect.fnUntraced(function* (url: string, installed: boolean) {
            const database = yield* openDatabase(Redacted.make(url), false)
            yield* migrate(database, migrations.slice(0, 4))
            if (installed) {
              yield* sql(
                url,
                `create function tapestry_base.retain(of_kind text, of_timeframe text, before timestamptz, out dropped int8, out chunks int8,
                out horizon timestamptz) language plpgsql as $$ begin dropped := 0; chunks := 0; end $$`
              )
            }
            assert.deepStrictEqual(yield* migrate(database, migrations.slice(0, 5)), [5])
            return yield* sql(url, made)
          })
          assert.include(String((yield* migrated(yield* bare, true))[0]?.[0]), "cut_before")
          assert.lengthOf(yield* migrated(yield* bare, false), 0)
        }).pipe(Effect.scoped)
    )
  })
)

const sqliteFile = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-retention-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )
  const filename = join(directory, "market.sqlite")
  const one = yield* Effect.map(Layer.build(Layer.fresh(MarketStoreSqlite.layer({ filename }))), (context) => ({
    market: Context.get(context, MarketStore),
    records: Context.get(context, RecordStore)
  }))
  return { filename, one }
})

/** One process has one connection that writes; the upkeep has another one beside it. */
suite(
  "SQLite",
  Effect.gen(function* () {
    const { filename, one } = yield* sqliteFile
    return { one, other: one, retain: (yield* sqliteUpkeep(filename, false)).retain }
  })
)

describe("retention in the embedded store", () => {
  it.live("waits for who holds the lock for as long as it takes, and lets commits in between its steps", () =>
    Effect.gen(function* () {
      const { filename, one } = yield* sqliteFile
      const series = seriesOf("S")
      yield* one.market.commit(commitOf(series, 1, hourly(0, 1_000), whole(1, 0, 1_000)))
      // As another process would: those of one process take turns without SQLite's lock.
      const holder = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(filename)),
        (database) => Effect.sync(() => database.close())
      )
      const own = yield* open({ filename, synchronous: "NORMAL", lockWait: 20, lockStand: 0 })
      holder.exec("begin immediate")
      const holding = yield* Effect.forkChild(
        Effect.andThen(
          Effect.sleep(200),
          Effect.sync(() => holder.exec("rollback"))
        )
      )
      const busy = yield* Effect.flip(own.write("probe", () => 0))
      assert.strictEqual(busy.code, "SQLITE_BUSY")
      const retaining = yield* Effect.forkChild(retain(own, { kind: "bar", timeframe: null }, 900 * day))
      yield* Fiber.join(holding)
      let between = 0
      const committing = yield* Effect.forkChild(
        Effect.forever(
          Effect.suspend(() => {
            const at = (2_000 + ++between) * day
            return one.market.commit(
              commitOf(series, between + 1, [bar(at, 3)], { coverage: [[at, at + day, covered(between + 1)]] })
            )
          }).pipe(Effect.andThen(Effect.yieldNow))
        )
      )
      assert.strictEqual((yield* Fiber.join(retaining)).rows, 900 * 24)
      yield* Fiber.interrupt(committing)
      assert.isAbove(between, 1)
    })
  )
})
