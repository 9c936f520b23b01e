import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Context, Effect, Fiber, Layer, Stream } from "effect"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import { type Commit, MarketStore } from "../../../src/services/MarketStore.ts"
import { apiConfigContract } from "../../services/ApiConfig.contract.ts"
import { jobLedgerContract } from "../../services/JobLedger.contract.ts"
import { marketStoreContract } from "../../services/MarketStore.contract.ts"
import { seriesOf } from "../../services/market/commits.ts"
import { recordStoreContract } from "../../services/RecordStore.contract.ts"
import { canBecomeNobody, nobody, withoutNobody } from "../../support/otherUser.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-market-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const temporaryFile = Effect.map(temporaryDirectory, (directory) => join(directory, "market.sqlite"))

const overFile = Layer.unwrap(Effect.map(temporaryFile, (filename) => MarketStoreSqlite.layer({ filename })))

marketStoreContract("SQLite", overFile)
recordStoreContract("SQLite", overFile)
jobLedgerContract("SQLite", overFile)
apiConfigContract("SQLite", overFile)

const minute = 60_000
const everything = { start: 0, end: Number.MAX_SAFE_INTEGER }

const commitOf = (series: SeriesKey, id: number, rows: number, parts: Partial<Commit> = {}): Commit => ({
  series,
  response: ResponseId.make(id),
  fetchedAt: id * 1_000,
  decoderVersion: 1,
  bars: Array.from({ length: rows }, (_, index) => ({
    ts: index * minute,
    open: 1.25 + (index % 97) / 7,
    high: 99.75,
    low: 0.25,
    close: 1.25 + (index % 89) / 7,
    volume: 100.5 + index,
    vwap: null,
    count: null
  })),
  positions: Array.from({ length: rows }, (_, index) => index),
  coverage: [{ start: 0, end: rows * minute, state: { _tag: "Covered", response: ResponseId.make(id) } }],
  ...parts
})

const withStore = <A, E>(
  options: MarketStoreSqlite.MarketStoreSqliteOptions,
  effect: Effect.Effect<A, E, MarketStore>
) => Effect.provide(effect, Layer.fresh(MarketStoreSqlite.layer(options)))

describe("MarketStoreSqlite", () => {
  it.effect("keeps what was committed over a restart, and forgets an abandoned generation", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const series = seriesOf("A")
      yield* withStore(
        { filename },
        Effect.gen(function* () {
          const store = yield* MarketStore
          yield* store.commit(commitOf(series, 1, 3_000))
          const generation = yield* store.beginGeneration(series)
          yield* store.commit(commitOf(series, 2, 3_000, { generation }))
          assert.strictEqual((yield* store.applied(series, 1)).size, 2)
        })
      )
      yield* withStore(
        { filename },
        Effect.gen(function* () {
          const store = yield* MarketStore
          assert.deepStrictEqual([...(yield* store.applied(series, 1))], [ResponseId.make(1)])
          assert.strictEqual(yield* store.count(series, everything), 3_000)
          yield* store.dropGeneration(yield* store.beginGeneration(series))
        })
      )
      const database = new Database(filename, { readonly: true })
      const rows = database.prepare("select count(*) from bars").pluck().get()
      const generations = database.prepare("select count(*) from generations").pluck().get()
      database.close()
      assert.deepStrictEqual([rows, generations], [3_000, 1])
    })
  )

  it.effect("a generation that another process drops while it is published does not take the series with it", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const open = Effect.map(Layer.build(Layer.fresh(MarketStoreSqlite.layer({ filename }))), Context.get(MarketStore))
      const one = yield* open
      const other = yield* open
      const series = seriesOf("A")
      yield* one.commit(commitOf(series, 1, 30_000))
      const generation = yield* one.beginGeneration(series)
      yield* one.commit(commitOf(series, 2, 30_000, { generation }))
      const publishing = yield* Effect.forkChild(Effect.flip(one.publishGeneration(generation, 2_000)), {
        startImmediately: true
      })
      yield* Effect.replicateEffect(Effect.yieldNow, 10)
      yield* other.beginGeneration(series)
      assert.strictEqual((yield* Fiber.join(publishing)).reason._tag, "GenerationGone")
      assert.strictEqual(yield* Stream.runCount(one.bars(series, everything)), 30_000)
    })
  )

  it.effect("positions of any size come back from the log of unchanged rows", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const series = seriesOf("A")
      const positions = [2 ** 52, 2 ** 53 - 1]
      yield* withStore(
        { filename },
        Effect.gen(function* () {
          const store = yield* MarketStore
          const first = commitOf(series, 1, 2, { positions })
          yield* store.commit(first)
          yield* store.commit(commitOf(series, 5, 2, { positions }))
          // Fetched between the two and committed last: the rows are the later one's again.
          const bars = first.bars.map((bar) => ({ ...bar, close: bar.close + 1 }))
          yield* store.commit(commitOf(series, 3, 2, { bars }))
          assert.deepInclude((yield* store.barAt(series, minute))?.lineage, {
            response: ResponseId.make(5),
            position: 2 ** 53 - 1
          })
        })
      )
    })
  )

  it.effect("C48: a refetch that changes nothing writes to no row and leaves no revision", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const series = seriesOf("A")
      yield* withStore(
        { filename },
        Effect.gen(function* () {
          const store = yield* MarketStore
          yield* store.commit(commitOf(series, 1, 5_000))
          const guard = new Database(filename)
          for (const table of ["bars", "revisions"]) {
            for (const change of ["insert", "update", "delete"]) {
              guard.exec(`create trigger guard_${table}_${change} before ${change} on ${table}
                begin select raise(abort, '${change} of ${table}'); end`)
            }
          }
          guard.close()
          const result = yield* store.commit(commitOf(series, 2, 5_000))
          assert.strictEqual(result.unchanged, 5_000)
          const broken = yield* Effect.flip(
            store
              .commit(commitOf(series, 3, 4_999, { nulls: "keep" }))
              .pipe(Effect.andThen(store.commit(commitOf(series, 4, 5_001))))
          )
          assert.match(broken.message, /insert of bars/)
        })
      )
    })
  )

  it.effect("disk full: the commit fails with StoreFull and leaves nothing, and works again when there is space", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const [a, b] = [seriesOf("A"), seriesOf("B")]
      yield* withStore(
        { filename, maxPageCount: 300 },
        Effect.gen(function* () {
          const store = yield* MarketStore
          yield* store.commit(commitOf(a, 1, 9_000))
          const before = yield* store.series
          for (let attempt = 0; attempt < 3; attempt++) {
            const error = yield* Effect.flip(store.commit(commitOf(b, 2, 9_000)))
            assert.strictEqual(error.reason._tag, "StoreFull")
            assert.match(error.message, /full/)
          }
          assert.deepStrictEqual(yield* store.series, before)
          assert.deepStrictEqual(yield* store.coverage(b, everything), [])
          assert.strictEqual((yield* store.applied(b, 1)).size, 0)
          assert.strictEqual(yield* store.forget(a), 9_000)
          assert.strictEqual((yield* store.commit(commitOf(b, 2, 9_000))).inserted, 9_000)
        })
      )
      yield* withStore(
        { filename },
        Effect.gen(function* () {
          const store = yield* MarketStore
          assert.strictEqual((yield* store.commit(commitOf(a, 3, 20_000))).inserted, 20_000)
          assert.strictEqual(yield* Stream.runCount(store.bars(b, everything)), 9_000)
        })
      )
    })
  )

  it.effect("read-only: reads work, every write fails with StoreReadOnly", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const series = seriesOf("A")
      yield* withStore(
        { filename },
        Effect.flatMap(MarketStore, (store) => store.commit(commitOf(series, 1, 10)))
      )
      yield* withStore(
        { filename, readonly: true },
        Effect.gen(function* () {
          const store = yield* MarketStore
          assert.strictEqual(yield* Stream.runCount(store.bars(series, everything)), 10)
          assert.strictEqual((yield* store.latest()).length, 1)
          const writes = [
            store.commit(commitOf(series, 2, 10)),
            store.invalidate(series, everything, 5),
            store.beginGeneration(series),
            store.forget(series)
          ]
          for (const write of writes) {
            const error = yield* Effect.flip(Effect.asVoid(write))
            assert.strictEqual(error.reason._tag, "StoreReadOnly")
          }
        })
      )
      const missing = yield* Effect.flip(
        withStore({ filename: join(filename, "..", "no-such.sqlite"), readonly: true }, MarketStore)
      )
      assert.strictEqual(missing.reason._tag, "StoreUnavailable")
      assert.match(missing.message, /no-such\.sqlite/)
    })
  )

  withoutNobody(1, "a market store that belongs to another user")
  it.effect.skipIf(!canBecomeNobody)(
    "a data directory of another user: StoreReadOnly for a writer, and a reader reads",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const filename = join(directory, "market.sqlite")
        yield* withStore(
          { filename },
          Effect.flatMap(MarketStore, (store) => store.commit(commitOf(seriesOf("A"), 1, 10)))
        )
        chmodSync(directory, 0o755)
        chmodSync(filename, 0o644)
        const asNobody = (file: string) =>
          execFileSync(process.execPath, [fileURLToPath(new URL("./readAsOther.ts", import.meta.url)), file], {
            ...nobody,
            encoding: "utf8"
          }).trim()
        assert.strictEqual(asNobody(filename), '["StoreReadOnly","10 rows"]')
        assert.strictEqual(asNobody(join(directory, "none.sqlite")), '["StoreReadOnly","StoreReadOnly"]')
      })
  )

  it.effect("a database of a newer release, or one that was tampered with, is refused and not touched", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* withStore({ filename }, MarketStore)
      const tamper = (sql: string) => {
        const database = new Database(filename)
        database.exec(sql)
        database.close()
      }
      tamper("insert into migration_checksums (id, sha256) values (999, 'x')")
      for (const readonly of [false, true]) {
        const error = yield* Effect.flip(withStore({ filename, readonly }, MarketStore))
        assert.strictEqual(error.reason._tag, "StoreSchemaMismatch")
        assert.match(error.message, /999/)
      }
      tamper("delete from migration_checksums where id = 999; update migration_checksums set sha256 = 'x'")
      const changed = yield* Effect.flip(withStore({ filename }, MarketStore))
      assert.strictEqual(changed.reason._tag, "StoreSchemaMismatch")
    })
  )

  it.effect("a file that is no database, and a directory that is not there, are StoreUnavailable", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      writeFileSync(filename, "this is not a database, and long enough for one to be looked for in it ".repeat(20))
      const error = yield* Effect.flip(withStore({ filename }, MarketStore))
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      const nowhere = yield* Effect.flip(withStore({ filename: join(filename, "..", "no", "x.sqlite") }, MarketStore))
      assert.strictEqual(nowhere.reason._tag, "StoreUnavailable")
    })
  )

  it.live("what was committed is moved from the log into the database while the store stays open", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* withStore(
        { filename },
        Effect.gen(function* () {
          const store = yield* MarketStore
          for (let id = 1; id <= 3; id++) {
            yield* store.commit(commitOf(seriesOf(`S${id}`), id, 80_000))
            yield* waitUntil(() => statSync(filename).size > id * 4_000_000)
          }
        })
      )
    })
  )
})

const waitUntil = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    condition() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), waitUntil(condition))
  ).pipe(Effect.timeout("10 seconds"), Effect.orDie)
