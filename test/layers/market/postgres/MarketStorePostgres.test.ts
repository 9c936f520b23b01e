import { createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted, Result, Stream } from "effect"
import { ResponseId } from "../../../../src/domain/Response.ts"
import { FaultPoint } from "../../../../src/layers/FaultPoint.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { migrations } from "../../../../src/layers/market/postgres/migrations.ts"
import { migrate } from "../../../../src/layers/postgres/migrate.ts"
import { addressOf } from "../../../../src/layers/postgres/PostgresAddress.ts"
import { open } from "../../../../src/layers/postgres/PostgresDatabase.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import { apiConfigContract } from "../../../services/ApiConfig.contract.ts"
import { jobLedgerContract } from "../../../services/JobLedger.contract.ts"
import { marketStoreContract } from "../../../services/MarketStore.contract.ts"
import {
  bar,
  collect,
  commitOf,
  covered,
  dump,
  everything,
  minute,
  provisional,
  reasonOf,
  seriesOf
} from "../../../services/market/commits.ts"
import { recordStoreContract } from "../../../services/RecordStore.contract.ts"
import { recordSeries, recordsOf, trade } from "../../../services/records/commits.ts"
import { postgres, sql } from "../../../support/postgres.ts"
import { onBoth } from "../../../support/timescale.ts"

const layerOf = (url: string, readonly = false) => MarketStorePostgres.layer({ url: Redacted.make(url), readonly })

/** A store with connections of its own, as another process would have it. */
const opened = (url: string, readonly = false) =>
  Effect.map(Layer.build(Layer.fresh(layerOf(url, readonly))), Context.get(MarketStore))

const withStore = <A, E>(url: string, effect: Effect.Effect<A, E, MarketStore>) =>
  Effect.provide(effect, Layer.fresh(layerOf(url)))

const rows = (count: number, close = (_index: number) => 1) =>
  Array.from({ length: count }, (_, index) => bar(index * minute, close(index)))
const whole = (id: number, count: number) => ({ coverage: [[0, count * minute, covered(id)] as const] })

onBoth(({ bare: bareDatabase, fresh: freshDatabase, title }) => {
  const empty = Layer.unwrap(Effect.map(freshDatabase, (url) => layerOf(url)))
  marketStoreContract(title, empty)
  recordStoreContract(title, empty)
  jobLedgerContract(title, empty)
  apiConfigContract(title, empty)

  describe(`MarketStorePostgres on ${title}`, () => {
    it.effect("keeps what was committed over a restart, and forgets an abandoned generation", () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const series = seriesOf("A")
        yield* withStore(
          url,
          Effect.gen(function* () {
            const store = yield* MarketStore
            yield* store.commit(commitOf(series, 1, rows(3_000), whole(1, 3_000)))
            const generation = yield* store.beginGeneration(series)
            yield* store.commit(commitOf(series, 2, rows(3_000), { ...whole(2, 3_000), generation }))
            assert.strictEqual((yield* store.applied(series, 1)).size, 2)
          })
        )
        yield* withStore(
          url,
          Effect.gen(function* () {
            const store = yield* MarketStore
            assert.deepStrictEqual([...(yield* store.applied(series, 1))], [ResponseId.make(1)])
            assert.strictEqual(yield* store.count(series, everything), 3_000)
            yield* store.dropGeneration(yield* store.beginGeneration(series))
          })
        )
        const counted = yield* sql(
          url,
          "select (select count(*)::int from tapestry_base.bars), (select count(*)::int from tapestry_base.generations)"
        )
        assert.deepStrictEqual(counted, [[3_000, 1]])
      })
    )

    it.effect("C48: a refetch that changes nothing writes to no row and leaves no revision", () =>
      Effect.gen(function* () {
        const url = yield* bareDatabase
        const series = seriesOf("A")
        const store = yield* opened(url)
        yield* store.commit(commitOf(series, 1, rows(5_000), whole(1, 5_000)))
        yield* sql(
          url,
          `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused: % of %', tg_op, tg_table_name; end $$`
        )
        for (const table of ["bars", "revisions"]) {
          yield* sql(
            url,
            `create trigger guard before insert or update or delete on tapestry_base.${table} for each row execute function refuse()`
          )
        }
        const result = yield* store.commit(commitOf(series, 2, rows(5_000), whole(2, 5_000)))
        assert.strictEqual(result.unchanged, 5_000)
        const broken = yield* Effect.flip(store.commit(commitOf(series, 3, rows(5_001), whole(3, 5_001))))
        assert.match(broken.message, /refused: INSERT of bars/)
        assert.strictEqual((yield* store.applied(series, 1)).size, 2)
      })
    )

    it.effect("two processes that commit to one series at once leave what one after another does", () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const [one, other] = [yield* opened(url), yield* opened(url)]
        const commits = (symbol: string) =>
          Array.from({ length: 12 }, (_, index) => {
            const id = index + 1
            const state = index % 3 === 0 ? provisional(id) : covered(id)
            return commitOf(
              seriesOf(symbol),
              id,
              rows(60 + index, (at) => 1 + ((at + index) % 4)).filter((_, at) => (at + index) % 7 !== 0),
              { coverage: [[(index % 5) * 0, (60 + index) * minute, state]] }
            )
          })
        for (const commit of commits("A")) yield* one.commit(commit)
        yield* Effect.forEach(commits("B"), (commit, index) => (index % 2 === 0 ? one : other).commit(commit), {
          concurrency: "unbounded"
        })
        const read = (symbol: string) => Effect.provideService(dump(seriesOf(symbol)), MarketStore, other)
        assert.deepStrictEqual(yield* read("B"), yield* read("A"))
        // A response that both have is applied once.
        const twice = commitOf(seriesOf("C"), 1, rows(10))
        const results = yield* Effect.all([one.commit(twice), other.commit(twice)], { concurrency: 2 })
        assert.deepStrictEqual(results.map(({ alreadyApplied }) => alreadyApplied).sort(), [false, true])
        assert.strictEqual(yield* one.count(seriesOf("C"), everything), 10)
      })
    )

    it.effect("a generation that one process publishes while another commits has lost nothing", () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const [one, other] = [yield* opened(url), yield* opened(url)]
        const series = seriesOf("A")
        const length = 9_000
        yield* one.commit(commitOf(series, 1, rows(length), whole(1, length)))
        const generation = yield* one.beginGeneration(series)
        yield* one.commit(commitOf(series, 2, rows(length), { ...whole(2, length), generation }))
        const later = commitOf(series, 3, rows(length).slice(1), whole(3, length))
        const [published, committed] = yield* Effect.all(
          [Effect.result(one.publishGeneration(generation, 9_000)), other.commit(later)],
          { concurrency: 2 }
        )
        assert.isTrue(Result.isSuccess(published))
        assert.deepInclude(committed, { withdrawn: 1, unchanged: length - 1 })
        // Whichever was first: the rows keep the lineage of the first answer.
        assert.strictEqual((yield* other.barAt(series, minute))?.lineage.response, 1)
        const gone = yield* reasonOf(other.publishGeneration(generation, 9_000))
        assert.strictEqual(gone._tag, "GenerationGone")
      })
    )

    it.effect("read-only: reads work, every write fails with StoreReadOnly", () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const series = seriesOf("A")
        yield* (yield* opened(url)).commit(commitOf(series, 1, rows(10)))
        const store = yield* opened(url, true)
        assert.strictEqual(yield* Stream.runCount(store.bars(series, everything)), 10)
        assert.strictEqual((yield* store.latest()).length, 1)
        const writes = [
          store.commit(commitOf(series, 2, rows(10))),
          store.invalidate(series, everything, 5),
          store.beginGeneration(series),
          store.forget(series)
        ]
        for (const write of writes) assert.strictEqual((yield* reasonOf(Effect.asVoid(write)))._tag, "StoreReadOnly")
      })
    )

    it.effect("two processes that start at once in an empty database both find the tables, made once", () =>
      Effect.gen(function* () {
        const url = yield* bareDatabase
        const unread = yield* Effect.flip(Effect.scoped(opened(url, true)))
        assert.strictEqual(unread.reason._tag, "StoreSchemaMismatch")
        yield* Effect.all(
          Array.from({ length: 4 }, () => Effect.scoped(opened(url))),
          { concurrency: "unbounded" }
        )
        const applied = yield* sql(url, "select count(*)::int from tapestry.migration_checksums")
        const listed = yield* sql(url, "select count(*)::int from tapestry.migrations")
        assert.deepStrictEqual(applied, listed)
        yield* Effect.scoped(opened(url, true))
      })
    )

    it.effect(
      "a database of before records keeps what it has, and takes records once it was opened to be written",
      () =>
        Effect.gen(function* () {
          const url = yield* bareDatabase
          yield* Effect.scoped(
            Effect.gen(function* () {
              const address = yield* Effect.fromResult(addressOf(Redacted.make(url)))
              const pool = { min: 0, max: 3 }
              const settings = {
                url: Redacted.make(url),
                address,
                tls: undefined,
                pool,
                statementTimeout: 0,
                applicationName: "before"
              }
              yield* migrate(yield* open(settings), migrations.slice(0, 1))
            })
          )
          const tables =
            "select count(*)::int from pg_tables where schemaname like 'tapestry%' and tablename = 'trades'"
          assert.deepStrictEqual(yield* sql(url, tables), [[0]])
          yield* sql(
            url,
            "insert into tapestry.generations (series, created_at, tenant, state) values (7, 1, '00000000-0000-0000-0000-000000000001', 'current')"
          )
          const unread = yield* Effect.flip(Effect.scoped(opened(url, true)))
          assert.match(unread.message, /schema version 1 and this release needs \d+/)
          yield* Effect.scoped(opened(url))
          assert.deepStrictEqual(yield* sql(url, tables), [[1]])
          assert.deepStrictEqual(yield* sql(url, "select series::int from tapestry_base.generations"), [[7]])
          const store = yield* Effect.map(Layer.build(Layer.fresh(layerOf(url))), Context.get(RecordStore))
          const told = [trade(1n, 1), trade(2n, 2)]
          yield* store.commit(recordsOf(recordSeries("trade"), 1, told))
          assert.deepStrictEqual(yield* collect(store.rows(recordSeries("trade"), everything)), told)
        })
    )

    it.effect("a database of a newer release, or one that was tampered with, is refused and not touched", () =>
      Effect.gen(function* () {
        const url = yield* bareDatabase
        yield* Effect.scoped(opened(url))
        yield* sql(url, "insert into tapestry.migration_checksums (id, sha256) values (999, 'x')")
        for (const readonly of [false, true]) {
          const error = yield* Effect.flip(Effect.scoped(opened(url, readonly)))
          assert.strictEqual(error.reason._tag, "StoreSchemaMismatch")
          assert.match(error.message, /999/)
        }
        yield* sql(url, "delete from tapestry.migration_checksums where id = 999")
        yield* sql(url, "update tapestry.migration_checksums set sha256 = 'x'")
        const changed = yield* Effect.flip(Effect.scoped(opened(url)))
        assert.strictEqual(changed.reason._tag, "StoreSchemaMismatch")
      })
    )

    it.effect("a stamp before PostgreSQL's time is refused with its row, and ranges over all time are read", () =>
      Effect.gen(function* () {
        const store = yield* opened(yield* freshDatabase)
        const series = seriesOf("A")
        const first = -210_866_803_200_000
        const coverage = [[everything.start, everything.end, covered(1)] as const]
        const early = yield* reasonOf(store.commit(commitOf(series, 1, [bar(0, 1), bar(first - 1, 1)], { coverage })))
        assert.deepInclude(early, { _tag: "InvalidRow", index: 1, ts: first - 1 })
        const last = 8_640_000_000_000_000 - 1
        yield* store.commit(commitOf(series, 1, [bar(first, 1), bar(0, 2), bar(last, 3)], { coverage }))
        const stamps = (yield* collect(store.bars(series, everything))).map(({ ts }) => ts)
        assert.deepStrictEqual(stamps, [first, 0, last])
        assert.deepStrictEqual(
          (yield* collect(store.bars(series, { start: first + 1, end: last }))).map(({ ts }) => ts),
          [0]
        )
      })
    )

    it.effect("who cannot be reached is named with what to do, and never with the password", () =>
      Effect.gen(function* () {
        const server = yield* postgres
        // Somebody who takes connections and hangs up is no server either.
        const port = yield* Effect.acquireRelease(
          Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
            const listener = createServer((socket) => socket.destroy())
            listener.listen(0, "127.0.0.1", () => {
              const address = listener.address()
              const port = typeof address === "object" && address !== null ? address.port : 0
              resume(Effect.succeed({ port, close: () => listener.close() }))
            })
          }),
          ({ close }) => Effect.sync(close)
        )
        const cases: ReadonlyArray<readonly [url: string, says: RegExp]> = [
          ["postgres://joe:geheim@127.0.0.1:1/prices", /127\.0\.0\.1:1\/prices.*ECONNREFUSED.*pg_isready/],
          [`postgres://joe:geheim@127.0.0.1:${port.port}/prices`, new RegExp(`127\\.0\\.0\\.1:${port.port}/prices`)],
          [
            server.urlOf("nowhere").replace("postgres@", "postgres:geheim@"),
            /nowhere.*does not exist.*createdb nowhere/
          ],
          ["mysql://joe:geheim@127.0.0.1/prices", /postgres:\/\/user:password@host/]
        ]
        for (const [url, says] of cases) {
          const error = yield* Effect.flip(Effect.scoped(opened(url)))
          assert.strictEqual(error.reason._tag, "StoreUnavailable")
          assert.match(error.message, says)
          assert.notInclude(JSON.stringify(error), "geheim")
        }
      })
    )

    it.live(
      "connections that the server cuts off in the middle of a commit leave nothing, and the next commit works",
      () =>
        Effect.gen(function* () {
          const url = yield* freshDatabase
          const store = yield* opened(url)
          const series = seriesOf("A")
          yield* store.commit(commitOf(series, 1, rows(100)))
          const cut = `select count(pg_terminate_backend(pid, 20000))::int from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name = 'tapestry'`
          let asked = 0
          const cutting = yield* Effect.forkChild(
            Effect.gen(function* () {
              while (asked === 0) yield* Effect.sleep("1 millis")
              yield* sql(url, cut)
            })
          )
          const failed = yield* store.commit(commitOf(series, 2, rows(99), whole(2, 100))).pipe(
            Effect.provideService(FaultPoint, (point) => {
              if (point === "midCommit") asked++
            }),
            Effect.result
          )
          yield* Fiber.join(cutting)
          // The commit may have been faster than the cut, or only its answer slower: then it is there, whole.
          if (Result.isFailure(failed)) assert.strictEqual(failed.failure.reason._tag, "StoreUnavailable")
          const left = yield* store.count(series, everything)
          assert.include(Result.isSuccess(failed) ? [99] : [99, 100], left)
          const again = yield* store.commit(commitOf(series, 3, rows(99), whole(3, 100)))
          assert.strictEqual(again.withdrawn, left - 99)
          assert.strictEqual(yield* store.count(series, everything), 99)
        })
    )
  })
})
