import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Redacted, Stream } from "effect"
import { ResponseId } from "../../../../../src/domain/Response.ts"
import { defaultTenant, TenantId, TenantName } from "../../../../../src/domain/Tenant.ts"
import * as MarketStorePostgres from "../../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { migrations } from "../../../../../src/layers/market/postgres/migrations.ts"
import { openDatabase } from "../../../../../src/layers/market/postgres/openDatabase.ts"
import { migrate } from "../../../../../src/layers/postgres/migrate.ts"
import type { PostgresDatabase } from "../../../../../src/layers/postgres/PostgresDatabase.ts"
import { int8, ownTenant } from "../../../../../src/layers/postgres/values.ts"
import { MarketStore, type MarketStoreError } from "../../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../../src/services/RecordStore.ts"
import {
  bar,
  collect,
  commitOf,
  covered,
  dump,
  everything,
  minute,
  reasonOf,
  seriesOf
} from "../../../../services/market/commits.ts"
import { recordSeries, recordsOf, trade } from "../../../../services/records/commits.ts"
import { bareDatabase, freshDatabase, sql } from "../../../../support/postgres.ts"
import { acme, bolt, withTenants, workerIn } from "../../../../support/tenants.ts"

/** The stores of both tenants, over one pool of a user who may only work in the database. */
const both = Effect.gen(function* () {
  const url = yield* freshDatabase
  yield* withTenants(url)
  const stores = yield* MarketStorePostgres.open({ url: Redacted.make(yield* workerIn(url)) })
  const of = (name: TenantName) =>
    Effect.map(stores.of(name), (context) => ({
      bars: Context.get(context, MarketStore),
      records: Context.get(context, RecordStore)
    }))
  return { url, stores, a: yield* of(acme.name), b: yield* of(bolt.name) }
})

const rows = (count: number, close: number) => Array.from({ length: count }, (_, at) => bar(at * minute, close + at))
const whole = (id: number, count: number) => ({ coverage: [[0, count * minute, covered(id)] as const] })
const series = seriesOf("SPX")
const trades = recordSeries("trade", "SPX")

describe("stores of two tenants", () => {
  it.live("equal series over one pool, read and written at the same time: each sees its own and nothing else", () =>
    Effect.gen(function* () {
      const { a, b, url } = yield* both
      const rounds = 12
      const work = (store: typeof a, close: number, turn: number) =>
        Effect.gen(function* () {
          const id = turn + 1
          yield* store.bars.commit(commitOf(series, id, rows(200, close + turn), whole(id, 200)))
          yield* store.records.commit(recordsOf(trades, id, [trade(BigInt(id), close)]))
          const bars = yield* collect(store.bars.bars(series, everything))
          // Of whichever of its own commits was the last: what the other wrote is a thousand away.
          for (const [at, { close: found }] of bars.entries()) {
            assert.isTrue(found - at >= close && found - at < close + rounds, `${found} at ${at} for ${close}`)
          }
          for (const { price } of yield* collect(store.records.rows(trades, everything)))
            assert.strictEqual(price, close)
          assert.deepStrictEqual((yield* store.bars.series).map(({ series: key }) => key.kind).sort(), ["bar", "trade"])
        })
      yield* Effect.all(
        Array.from({ length: rounds }, (_, turn) => [work(a, 1_000, turn), work(b, 5_000, turn)]).flat(),
        { concurrency: "unbounded" }
      )
      const last = rounds - 1
      for (const [store, close] of [
        [a, 1_000],
        [b, 5_000]
      ] as const) {
        const bars = yield* collect(store.bars.bars(series, everything))
        assert.deepStrictEqual(
          bars.map((row) => row.close),
          rows(200, close + last).map((row) => row.close)
        )
        assert.strictEqual((yield* store.bars.applied(series, 1)).size, rounds)
        const [latest] = yield* store.bars.latest()
        assert.strictEqual(latest?.price, close + last + 199)
        assert.strictEqual(yield* store.bars.newestResponse, rounds)
      }
      // Nobody who names no tenant has any of it.
      assert.deepStrictEqual(yield* sql(url, "select count(*)::int from tapestry_app.bars"), [[0]])
      assert.deepStrictEqual(yield* sql(url, "select count(distinct tenant)::int from tapestry_base.bars"), [[2]])
    })
  )

  it.live("the number of another tenant's generation: nothing is read through it, written into it or done to it", () =>
    Effect.gen(function* () {
      const { a, b } = yield* both
      yield* a.bars.commit(commitOf(series, 1, rows(100, 1), whole(1, 100)))
      yield* b.bars.commit(commitOf(series, 1, rows(50, 9), whole(1, 50)))
      const visible = yield* a.bars.visibleGeneration(series)
      assert.isNotNull(visible)
      if (visible === null) return
      const building = yield* a.bars.beginGeneration(series)
      yield* a.bars.commit(commitOf(series, 2, rows(100, 2), { ...whole(2, 100), generation: building }))
      const before = yield* Effect.provideService(dump(series), MarketStore, a.bars)
      for (const generation of [visible, building]) {
        const attempts: ReadonlyArray<Effect.Effect<unknown, MarketStoreError>> = [
          b.bars.commit(commitOf(series, 3, rows(100, 7), { ...whole(3, 100), generation })),
          b.bars.publishGeneration(generation, 9_000),
          b.bars.dropGeneration(generation),
          b.bars.replaceGenerations([generation], 1),
          collect(b.bars.bars(series, everything, { generation })),
          b.bars.coverage(series, everything, { generation }),
          b.bars.surroundings(series, { start: minute, end: 2 * minute }, { generation })
        ]
        for (const attempt of attempts) {
          assert.strictEqual((yield* reasonOf(attempt))._tag, "GenerationGone")
        }
        assert.strictEqual(yield* b.bars.count(series, everything, { generation }), 0)
        assert.strictEqual((yield* b.bars.applied(series, 1, { generation })).size, 0)
        yield* b.bars.invalidate(series, everything, 9_000, { generation })
      }
      assert.deepStrictEqual(yield* Effect.provideService(dump(series), MarketStore, a.bars), before)
      yield* a.bars.publishGeneration(building, 9_000)
      assert.strictEqual((yield* a.bars.barAt(series, 0))?.bar.close, 2)
      // What one forgets, the other keeps; what is referred to is a tenant's own.
      assert.strictEqual(yield* a.bars.forget(series), 100)
      assert.strictEqual(yield* b.bars.count(series, everything), 50)
      assert.deepStrictEqual(yield* Stream.runCollect(a.bars.referencedResponses), [])
      assert.deepStrictEqual([...new Set(yield* Stream.runCollect(b.bars.referencedResponses))], [ResponseId.make(1)])
    })
  )

  it.live("a tenant that the database does not know is refused by its name", () =>
    Effect.gen(function* () {
      const { stores } = yield* both
      const unknown = yield* Effect.flip(stores.of(TenantName.make("nobody")))
      assert.strictEqual(unknown.reason._tag, "StoreTenantDenied")
      assert.match(unknown.message, /no tenant nobody: .*tapestry tenants add nobody/)
    })
  )
})

const database = Effect.flatMap(bareDatabase, (url) =>
  Effect.map(openDatabase(Redacted.make(url), false), (opened) => ({ url, database: opened }))
)
const current = "select nullif(current_setting('app.tenant_id', true), '')::uuid::text"

describe("statements of a tenant", () => {
  it.live("a plan that has become stale is made anew for the same tenant", () =>
    Effect.gen(function* () {
      const { database: own, url } = yield* database
      yield* sql(url, "create table things (tenant uuid, name text)")
      yield* sql(url, `insert into things values ('${defaultTenant.id}', 'mine'), ('${acme.id}', 'theirs')`)
      const view = (columns: string) =>
        `create or replace view mine as select ${columns} from things
          where tenant = (select nullif(current_setting('app.tenant_id', true), '')::uuid)`
      yield* sql(url, view("name"))
      const reads = [
        own.query("read")("select * from mine"),
        own.transaction("read", (query) => query("select * from mine"))
      ]
      for (const [at, columns] of ["name", "name, 1 as one", "name, 1 as one, 2 as two"].entries()) {
        yield* sql(url, view(columns))
        for (const read of reads) assert.deepStrictEqual(yield* read, [["mine", 1, 2].slice(0, at + 1)])
      }
    })
  )

  it.live("whoever is interrupted leaves at once, and the statement is cancelled on the server", () =>
    Effect.gen(function* () {
      const { database: own, url } = yield* database
      const sleeping =
        "select count(*)::int from pg_stat_activity where query like 'select pg_sleep(300%' and state = 'active'"
      const until = (count: number): Effect.Effect<void> =>
        Effect.flatMap(sql(url, sleeping), ([row]) =>
          row?.[0] === count ? Effect.void : Effect.andThen(Effect.sleep("20 millis"), until(count))
        )
      const ways: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        own.query("sleep")("select pg_sleep(300)"),
        own.transaction("sleep", (query) => query("select pg_sleep(300)"))
      ]
      for (const way of ways) {
        const fiber = yield* Effect.forkChild(way)
        yield* until(1)
        yield* Fiber.interrupt(fiber)
        yield* until(0)
        assert.deepStrictEqual(yield* own.query("after")(current), [[defaultTenant.id]])
      }
    })
  )

  it.live("each statement and each transaction has its tenant, whatever the connection was used for before", () =>
    Effect.gen(function* () {
      const { database: one } = yield* database
      const other = one.forTenant(TenantId.make(acme.id))
      const told = (of: PostgresDatabase) => [
        of.query("single")(current),
        of.query("parameter")("select $1::uuid::text", [ownTenant]),
        of.transaction("many", (query) => Effect.andThen(query("select 1"), query(current))),
        // What fails in between leaves no tenant behind.
        Effect.andThen(Effect.flip(of.query("fails")("select 1 / $1::int8", [int8(0)])), of.query("single")(current))
      ]
      yield* Effect.forEach(
        Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? one : other)),
        (of) =>
          Effect.gen(function* () {
            for (const way of told(of)) assert.deepStrictEqual(yield* way, [[of.tenant]])
            assert.deepStrictEqual(yield* one.bare("bare")(current), [[null]])
          }),
        { concurrency: "unbounded" }
      )
    })
  )
})

describe("a database of version 2", () => {
  it.live("becomes one of tenants where it stands: its rows are the default tenant's", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      yield* Effect.scoped(
        Effect.flatMap(openDatabase(Redacted.make(url), false), (before) => migrate(before, migrations.slice(0, 2)))
      )
      yield* sql(
        url,
        `insert into tapestry.series (generation, tenant, canonical, sha256, vendor, symbol, kind, timeframe, price, session, adjustment)
          values (1, '${defaultTenant.id}', 'x', 'x', 'model', 'SPX', 'bar', '1m', 'trade', 'all', 'raw')`
      )
      yield* sql(
        url,
        `insert into tapestry.generations (series, created_at, row_count, tenant, state) values (1, 1, 3, '${defaultTenant.id}', 'current')`
      )
      yield* sql(
        url,
        `insert into tapestry.applied (generation, response, decoder_version, fetched_at, tenant, keeps_nulls)
          values (1, 1, 1, 1000, '${defaultTenant.id}', 0)`
      )
      yield* sql(
        url,
        `insert into tapestry.bars (generation, ts, open, high, low, close, position, applied, tenant, final)
          select 1, to_timestamp(n * 60), n, n, n, n, n, 1, '${defaultTenant.id}', 1 from generate_series(0, 2) n`
      )
      const before = yield* sql(url, "select ts::text, close, ctid::text from tapestry.bars order by ts")
      const store = yield* Effect.flatMap(MarketStorePostgres.open({ url: Redacted.make(url) }), (stores) =>
        Effect.map(stores.of(defaultTenant.name), Context.get(MarketStore))
      )
      assert.deepStrictEqual(
        yield* sql(url, "select ts::text, close, ctid::text from tapestry_base.bars order by ts"),
        before
      )
      assert.strictEqual(yield* store.newestResponse, null)
      assert.deepStrictEqual(yield* store.witnesses, [{ response: ResponseId.make(1), fetchedAt: 1000 }])
      // Identities go on where they were.
      yield* store.commit(commitOf(seriesOf("NEW"), 2, rows(2, 1)))
      assert.deepStrictEqual(yield* sql(url, "select id::int from tapestry_base.series order by id"), [[1], [2]])
      assert.deepStrictEqual(yield* sql(url, "select name from tapestry_base.tenants"), [["default"]])
    })
  )
})
