/** Bars that are made of bars of a minute: what they are, and that they are never older than the minutes. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Redacted } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import { type DerivedTimeframe, derivedTimeframes, widthOf } from "../../../../src/domain/derivedTimeframes.ts"
import type { SeriesKey } from "../../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { migrations } from "../../../../src/layers/market/postgres/migrations.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { bar, collect, commitOf, covered, minute, seriesOf } from "../../../services/market/commits.ts"
import { sql } from "../../../support/postgres.ts"
import { acme, bolt, withTenants, workerIn } from "../../../support/tenants.ts"
import type { Databases } from "../../../support/timescale.ts"
import { day, hour, one, opened, policiesOf, upkeepOf, whole } from "./stores.ts"

const series = seriesOf("A")
const start = Date.parse("2024-03-04T00:00:00Z")
const days = 3
const range: TimeRange = { start, end: start + days * day }

/** With minutes that have no bar, and bars that lack a part. */
const minutes = (seed: number): ReadonlyArray<Bar> =>
  Array.from({ length: (days * day) / minute }, (_, index) =>
    bar(start + index * minute, 10 + ((index * 7 + seed) % 13), {
      open: 10 + ((index * 5 + seed) % 11),
      high: 30 + (index % 9),
      low: 1 + (index % 7) / 8,
      volume: index % 97 === 0 ? null : index % 3 === 0 ? 0 : (index % 31) / 4,
      vwap: index % 211 === 0 || index % 3 === 0 ? null : 10 + (index % 17) / 8,
      count: index % 401 === 0 ? null : index % 5
    })
  ).filter((_, index) => index % 1_000 < 700)

/** Made here, of the same bars. */
const madeOf = (bars: ReadonlyArray<Bar>, width: number): ReadonlyArray<Bar> => {
  const cells = new Map<number, Array<Bar>>()
  for (const one of bars) {
    const at = Math.floor(one.ts / width) * width
    cells.set(at, [...(cells.get(at) ?? []), one])
  }
  return [...cells].map(([ts, parts]) => {
    const sum = (of: (part: Bar) => number | null) =>
      parts.some((part) => of(part) === null) ? null : parts.reduce((total, part) => total + (of(part) ?? 0), 0)
    const volume = sum((part) => part.volume)
    const traded = parts.filter((part) => part.volume !== 0)
    const weighed = traded.some((part) => part.vwap === null)
      ? null
      : traded.reduce((total, part) => total + (part.vwap ?? 0) * (part.volume ?? 0), 0)
    return {
      ts,
      open: parts[0]?.open ?? 0,
      high: Math.max(...parts.map((part) => part.high)),
      low: Math.min(...parts.map((part) => part.low)),
      close: parts.at(-1)?.close ?? 0,
      volume,
      vwap: weighed === null || volume === null || volume === 0 ? null : weighed / volume,
      count: sum((part) => part.count)
    }
  })
}

/** Sums of floating point depend on their order in the last digits. */
const rounded = (bars: ReadonlyArray<Bar>) =>
  bars.map((one) => ({
    ...one,
    volume: one.volume === null ? null : Number(one.volume.toPrecision(12)),
    vwap: one.vwap === null ? null : Number(one.vwap.toPrecision(12))
  }))

const derivedOf = Effect.fnUntraced(function* (
  market: MarketStore["Service"],
  key: SeriesKey,
  timeframe: DerivedTimeframe,
  within = range
) {
  const derived = yield* market.derived(key, timeframe)
  return derived === null ? null : yield* collect(derived.bars(within))
})

/** Each timeframe has what its minutes make. */
const expectMade = Effect.fnUntraced(function* (market: MarketStore["Service"], of = series) {
  const bars = yield* collect(market.bars(of, range))
  for (const timeframe of derivedTimeframes) {
    const made = (yield* derivedOf(market, of, timeframe)) ?? assert.fail(`nothing of ${timeframe}`)
    assert.deepStrictEqual(rounded(made), rounded(madeOf(bars, widthOf(timeframe))), timeframe)
  }
})

export const aggregatesSuite = ({ bare, fresh }: Databases): void => {
  describe("aggregates", () => {
    it.live("of two tenants are made of their own minutes, and who has none has none", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        yield* withTenants(url)
        const [{ market: first }, { market: second }, { market: third }] = [
          yield* opened(url, acme.name),
          yield* opened(url, bolt.name),
          yield* opened(url)
        ]
        const { addAggregate, refreshAggregate } = yield* policiesOf(url)
        yield* first.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        yield* second.commit(commitOf(series, 2, minutes(5), whole(2, start, days)))
        yield* Effect.forEach(derivedTimeframes, (timeframe) => addAggregate(timeframe, hour))
        for (const refreshed of [false, true]) {
          if (refreshed) yield* Effect.forEach(derivedTimeframes, (timeframe) => refreshAggregate(timeframe, null))
          yield* expectMade(first)
          yield* expectMade(second)
          assert.notDeepEqual(yield* derivedOf(first, series, "1h"), yield* derivedOf(second, series, "1h"))
          assert.isNull(yield* third.derived(series, "1h"))
        }
        yield* first.forget(series)
        assert.isNull(yield* first.derived(series, "1h"))
        yield* expectMade(second)
      })
    )

    it.live("are what their minutes make: before they are made, after, and after the minutes were corrected", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { addAggregate, aggregates, compress, refreshAggregate, removeAggregate } = yield* policiesOf(url)
        assert.isNull(yield* market.derived(series, "5m"))
        yield* Effect.forEach(derivedTimeframes, (timeframe) => addAggregate(timeframe, hour))
        assert.isNull(yield* market.derived(series, "5m"))
        yield* market.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        // Bars of another timeframe and of another series are in the same table.
        const daily = seriesOf("A", { timeframe: "1d" })
        yield* market.commit(commitOf(daily, 2, [bar(start, 99)], whole(2, start, days)))
        yield* market.commit(commitOf(seriesOf("B"), 3, minutes(5), whole(3, start, days)))
        yield* expectMade(market)
        yield* Effect.forEach(derivedTimeframes, (timeframe) => refreshAggregate(timeframe, null))
        yield* expectMade(market)
        assert.isAbove(yield* one(url, "select count(*)::int from tapestry_base.derived_5m"), 1_000)
        const upTo = (yield* aggregates).map((aggregate) => aggregate.timeframe)
        assert.deepStrictEqual(upTo, [...derivedTimeframes])
        // Corrections, a row that goes, rows that come.
        yield* market.commit(
          commitOf(
            series,
            4,
            minutes(2).filter((_, index) => index % 50 !== 3),
            whole(4, start, days)
          )
        )
        yield* expectMade(market)
        yield* refreshAggregate("5m", range)
        yield* expectMade(market)
        yield* compress("bars", start + 900 * day)
        yield* market.commit(commitOf(series, 5, minutes(3), whole(5, start, days)))
        yield* expectMade(market)
        yield* Effect.forEach(derivedTimeframes, (timeframe) => refreshAggregate(timeframe, null))
        yield* expectMade(market)
        yield* expectMade(market, seriesOf("B"))
        // A generation that is built shows nowhere, and everywhere when it is published.
        const generation = yield* market.beginGeneration(series)
        yield* market.commit({ ...commitOf(series, 6, minutes(9), whole(6, start, days)), generation })
        yield* refreshAggregate("1h", null)
        yield* expectMade(market)
        const before = yield* derivedOf(market, series, "1h")
        yield* market.publishGeneration(generation, 7_000)
        yield* expectMade(market)
        assert.notDeepEqual(yield* derivedOf(market, series, "1h"), before)
        yield* market.forget(series)
        assert.isNull(yield* market.derived(series, "5m"))
        assert.isTrue(yield* removeAggregate("5m"))
        assert.isFalse(yield* removeAggregate("5m"))
        assert.isNull(yield* market.derived(seriesOf("B"), "5m"))
        assert.isNotNull(yield* market.derived(seriesOf("B"), "1h"))
        yield* Effect.forEach(derivedTimeframes, (timeframe) => removeAggregate(timeframe))
      })
    )

    it.live("of every timeframe are as new where a table of TimescaleDB's catalogue is not as it is known", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { addAggregate, refreshAggregate, removeAggregate } = yield* policiesOf(url)
        yield* Effect.forEach(derivedTimeframes, (timeframe) => addAggregate(timeframe, day))
        yield* market.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        yield* Effect.forEach(derivedTimeframes, (timeframe) => refreshAggregate(timeframe, null))
        // Stale in each way that is written down: changed since, and changed since and looked at for a part.
        yield* market.commit(commitOf(series, 2, minutes(2), whole(2, start, days)))
        yield* refreshAggregate("5m", { start, end: start + day })
        yield* expectMade(market)
        const catalogue = "_timescaledb_catalog.continuous_agg"
        for (const [table, column] of [
          [`${catalogue}s_hypertable_invalidation_log`, "lowest_modified_value"],
          [`${catalogue}s_materialization_invalidation_log`, "greatest_modified_value"],
          [`${catalogue}s_materialization_ranges`, "lowest_modified_value"],
          [catalogue, "user_view_name"]
        ]) {
          const rename = (from: string, to: string) => sql(url, `alter table ${table} rename column ${from} to ${to}`)
          yield* Effect.acquireUseRelease(
            rename(`${column}`, `${column}_then`),
            () => Effect.mapError(expectMade(market), (error) => new Error(`${table}: ${error.message}`)),
            () => rename(`${column}_then`, `${column}`)
          )
          yield* expectMade(market)
        }
        yield* Effect.forEach(derivedTimeframes, (timeframe) => removeAggregate(timeframe))
      })
    )

    it.live("are never older than what was committed, while they are made anew all the time", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { addAggregate, refreshAggregate, removeAggregate } = yield* policiesOf(url)
        yield* addAggregate("5m", day)
        const span = { start, end: start + 4 * hour }
        const commit = (id: number) => {
          const rows = Array.from({ length: 240 }, (_, index) => bar(start + index * minute, id))
          return commitOf(series, id, rows, { coverage: [[span.start, span.end, covered(id)]] })
        }
        yield* market.commit(commit(1))
        let acknowledged = 1
        let writing = true
        const refreshing = yield* Effect.forkChild(
          Effect.gen(function* () {
            while (writing) yield* refreshAggregate("5m", null)
          })
        )
        const reading = yield* Effect.forkChild(
          Effect.gen(function* () {
            let seen = 0
            while (writing) {
              const known = acknowledged
              const bars = (yield* derivedOf(market, series, "5m", span)) ?? []
              assert.lengthOf(bars, 48)
              const closes = new Set(bars.map(({ close }) => close))
              assert.strictEqual(closes.size, 1, `of several moments: ${[...closes].join(", ")}`)
              assert.isAtLeast(bars[0]?.close ?? 0, known)
              seen++
            }
            return seen
          })
        )
        for (let id = 2; id <= 60; id++) {
          yield* market.commit(commit(id))
          acknowledged = id
        }
        writing = false
        assert.isAbove(yield* Fiber.join(reading), 5)
        yield* Fiber.join(refreshing)
        yield* removeAggregate("5m")
      })
    )

    it.live("are a tenant's own, also to a user who may no more than work in the database, and to nobody's", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        yield* withTenants(url)
        const { addAggregate, refreshAggregate, removeAggregate } = yield* policiesOf(url)
        yield* addAggregate("5m", day)
        const worker = yield* workerIn(url)
        const stores = yield* MarketStorePostgres.open({ url: Redacted.make(worker) })
        const of = (name: typeof acme.name) => Effect.map(stores.of(name), Context.get(MarketStore))
        const [a, b] = [yield* of(acme.name), yield* of(bolt.name)]
        yield* a.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        assert.isNull(yield* b.derived(series, "5m"))
        yield* b.commit(commitOf(series, 2, minutes(4), whole(2, start, days)))
        yield* refreshAggregate("5m", null)
        // Some of it is in the aggregate, some has changed since.
        yield* b.commit(commitOf(series, 3, minutes(6), whole(3, start, days)))
        for (const store of [a, b]) {
          const made = (yield* derivedOf(store, series, "5m")) ?? []
          const bars = yield* collect(store.bars(series, range))
          assert.deepStrictEqual(rounded(made), rounded(madeOf(bars, widthOf("5m"))))
        }
        // The number of another's generation opens nothing.
        const theirs = (yield* b.derived(series, "5m"))?.generation ?? assert.fail("none")
        const stolen = yield* Effect.flip(a.derived(series, "5m", { generation: theirs }))
        assert.strictEqual(stolen.reason._tag, "GenerationGone")
        for (const schema of ["tapestry", "tapestry_app"]) {
          assert.strictEqual(yield* one(worker, `select count(*)::int from ${schema}.bars_5m`), 0)
        }
        assert.isAbove(yield* one(url, "select count(distinct tenant)::int from tapestry_base.derived_5m"), 1)
        const denied = yield* Effect.exit(sql(worker, "select * from tapestry_base.derived_5m"))
        assert.isTrue(Exit.isFailure(denied))
        yield* removeAggregate("5m")
      })
    )

    it.live("whose minutes are dropped between what was said of them and their reading fail with GenerationGone", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { addAggregate, removeAggregate } = yield* policiesOf(url)
        yield* addAggregate("5m", day)
        yield* market.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        const said = (yield* market.derived(series, "5m")) ?? assert.fail("none")
        const { retain } = yield* upkeepOf(url)
        const cut = start + day
        assert.isAbove((yield* retain({ kind: "bar", timeframe: "1m" }, cut, { apply: true })).rows, 0)
        assert.strictEqual((yield* Effect.flip(collect(said.bars(range)))).reason._tag, "GenerationGone")
        const late = { start: cut, end: range.end }
        const left = yield* collect(said.bars(late))
        assert.deepStrictEqual(rounded(left), rounded(madeOf(yield* collect(market.bars(series, late)), widthOf("5m"))))
        assert.isAbove(left.length, 0)
        yield* removeAggregate("5m")
      })
    )

    it.live("leave the tables the proof of the schema's version", () =>
      Effect.gen(function* () {
        const url = yield* bare
        const { market } = yield* opened(url)
        const { addAggregate, apply } = yield* policiesOf(url)
        yield* apply
        yield* addAggregate("5m", day)
        yield* sql(url, "update tapestry.migration_checksums set sha256 = 'x' where id = 1")
        const upkeep = yield* upkeepOf(url)
        assert.deepStrictEqual(yield* upkeep.stamp(migrations.length, { confirm: true }), { recorded: [1], done: true })
        yield* market.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        const made = (yield* derivedOf(market, series, "5m")) ?? []
        const bars = yield* collect(market.bars(series, range))
        assert.deepStrictEqual(rounded(made), rounded(madeOf(bars, widthOf("5m"))))
      })
    )

    it.live("a policy is set, listed, seen to make bars, changed, and removed with its aggregate", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const { market } = yield* opened(url)
        const { addAggregate, policies, removeAggregate } = yield* policiesOf(url)
        yield* market.commit(commitOf(series, 1, minutes(1), whole(1, start, days)))
        assert.isTrue(yield* addAggregate("15m", day))
        assert.isFalse(yield* addAggregate("15m", hour))
        const [set, ...more] = yield* policies
        assert.strictEqual(more.length, 0)
        assert.deepInclude(set, { action: "refresh", of: "15m", everyMillis: hour, afterMillis: widthOf("15m") })
        while ((yield* one(url, "select count(*)::int from tapestry_base.derived_15m")) === 0) {
          yield* Effect.ignoreCause(sql(url, `call run_job(${set?.job})`))
          yield* Effect.sleep("50 millis")
        }
        assert.isTrue(yield* removeAggregate("15m"))
        assert.deepStrictEqual(yield* policies, [])
      })
    )
  })
}
