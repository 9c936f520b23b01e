import { readdirSync, readlinkSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result, Semaphore } from "effect"
import * as GroupCommit from "../../../src/layers/provenance/GroupCommit.ts"
import { migrations } from "../../../src/layers/provenance/migrations.ts"
import * as LogSync from "../../../src/layers/sqlite/LogSync.ts"
import { migrate } from "../../../src/layers/sqlite/migrate.ts"
import { open, SqliteFailure } from "../../../src/layers/sqlite/SqliteDatabase.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, raw, withArchive } from "./archive.ts"
import { temporaryDirectory } from "./temporary.ts"

/** Null for a descriptor that has been closed meanwhile. */
const linkOf = (path: string): string | null => Result.getOrNull(Result.try(() => readlinkSync(path)))

describe("C11 schema", () => {
  it.effect("C11 the database has a schema version, WAL, foreign keys, a busy timeout and strict tables", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        yield* archive({ a: 1 }, new Uint8Array(10))
        assert.strictEqual((yield* store.stats).schemaVersion, migrations.length)
        yield* raw(directory, (db) => {
          assert.strictEqual(db.pragma("journal_mode", { simple: true }), "wal")
          const tables = db.prepare("select name, strict from pragma_table_list where schema = 'main'").all()
          const own = ["sessions", "requests", "responses", "identities", "payloads", "series"]
          for (const name of own) assert.deepInclude(tables, { name, strict: 1 })
          for (const table of ["sessions", "requests", "responses"]) {
            assert.strictEqual(db.prepare(`select tenant from ${table}`).pluck().get(), "default")
          }
          assert.deepStrictEqual(db.pragma("foreign_key_check"), [])
        })
      }).pipe(withArchive({ directory }))
    })
  )

  it.effect("C11 opening again changes nothing; a newer or a changed schema is refused and left alone", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const response = yield* archive({ a: 1 }, new Uint8Array(10)).pipe(withArchive({ directory }))
      const read = ProvenanceStore.use((store) => store.response(response.id))
      assert.deepStrictEqual(yield* read.pipe(withArchive({ directory })), response)

      yield* raw(directory, (db) => db.prepare("insert into migration_checksums values (99, 'x')").run())
      for (const readonly of [false, true]) {
        const newer = yield* Effect.flip(read.pipe(withArchive({ directory, readonly })))
        assert.strictEqual(newer.reason._tag, "ArchiveSchemaMismatch")
        assert.include(newer.message, "has schema version 99")
        assert.include(newer.message, "use the release that wrote it")
      }

      yield* raw(directory, (db) => {
        db.prepare("delete from migration_checksums where id = 99").run()
        db.prepare("update migration_checksums set sha256 = 'x'").run()
      })
      const changed = yield* Effect.flip(read.pipe(withArchive({ directory })))
      assert.strictEqual(changed.reason._tag, "ArchiveSchemaMismatch")
      assert.strictEqual(yield* raw(directory, (db) => db.prepare("select count(*) from responses").pluck().get()), 1)
    })
  )

  it.effect("C9 foreign keys are enforced", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const database = yield* open({ filename: `${directory}/provenance.sqlite`, synchronous: "FULL" })
      yield* migrate(database, migrations)
      const failure = yield* Effect.flip(
        database.write("orphan", (db) =>
          db
            .prepare(
              "insert into responses (request, identity, attempt, status, size, asked_at, fetched_at, waited, metadata) values (7, 7, 1, 'ok', 0, 0, 0, 0, '{}')"
            )
            .run()
        )
      )
      assert.strictEqual(failure.code, "SQLITE_CONSTRAINT_FOREIGNKEY")
    })
  )
})

describe("group commit", () => {
  const prepared = Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const database = yield* open({ filename: `${directory}/group.sqlite`, synchronous: "FULL" })
    yield* database.write("prepare", (db) => db.prepare("create table t (a integer primary key) strict").run())
    return { database, writer: yield* GroupCommit.make(database) }
  })

  it.effect(
    "a durable job and its group are told when the log is on the disk, relaxed ones alone when it is written",
    () =>
      Effect.gen(function* () {
        const { database } = yield* prepared
        let syncs = 0
        const disk = yield* Semaphore.make(0)
        const writer = yield* GroupCommit.make(
          database,
          Effect.andThen(
            disk.take(1),
            Effect.sync(() => void syncs++)
          )
        )
        const insert = (durability: GroupCommit.Durability, a: number) =>
          writer.submit(durability, (db) => db.prepare("insert into t values (?)").run(a).changes)
        yield* insert("relaxed", 1)
        assert.strictEqual(syncs, 0)
        const group = yield* Effect.forkChild(
          Effect.all([insert("relaxed", 2), insert("durable", 3), insert("relaxed", 4)], { concurrency: "unbounded" }),
          { startImmediately: true }
        )
        const rows = database.read("rows", (db) => db.prepare("select count(*) from t").get()?.[0])
        while ((yield* rows) !== 4) yield* Effect.yieldNow
        // In the file, and nobody is told so yet; what comes meanwhile is the next group.
        const next = yield* Effect.forkChild(insert("relaxed", 5), { startImmediately: true })
        for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
        assert.isUndefined(group.pollUnsafe())
        assert.isUndefined(next.pollUnsafe())
        yield* disk.release(1)
        assert.deepStrictEqual(yield* Fiber.join(group), [1, 1, 1])
        assert.strictEqual(yield* Fiber.join(next), 1)
        assert.strictEqual(syncs, 1)
      })
  )

  it.effect(
    "a sync that fails fails its whole group, which is not written twice, and the next group is tried again",
    () =>
      Effect.gen(function* () {
        const { database } = yield* prepared
        let syncs = 0
        const broken = new SqliteFailure({
          filename: "x",
          operation: "sync",
          code: "SQLITE_IOERR_FSYNC",
          message: "EIO"
        })
        const writer = yield* GroupCommit.make(
          database,
          Effect.suspend(() => (syncs++ === 0 ? Effect.fail(broken) : Effect.void))
        )
        const insert = (a: number) =>
          writer.submit("durable", (db) => db.prepare("insert into t values (?)").run(a).changes)
        const results = yield* Effect.all(
          [1, 2].map((a) => Effect.flip(insert(a))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          results.map(({ code }) => code),
          ["SQLITE_IOERR_FSYNC", "SQLITE_IOERR_FSYNC"]
        )
        assert.strictEqual(yield* insert(3), 1)
        assert.strictEqual(syncs, 2)
      })
  )

  it.live("the log of a database is synced, and its descriptor is given back", () =>
    Effect.gen(function* () {
      const { database } = yield* prepared
      const log = `${database.filename}-wal`
      const held = () => readdirSync("/proc/self/fd").filter((fd) => linkOf(`/proc/self/fd/${fd}`) === log).length
      const before = held()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const sync = yield* LogSync.make(database.filename)
          yield* sync
          yield* sync
          assert.strictEqual(held(), before + 1)
        })
      )
      assert.strictEqual(held(), before)
      const nowhere = yield* LogSync.make(`${database.filename}.none`)
      assert.strictEqual((yield* Effect.flip(nowhere)).code, "SQLITE_IOERR_FSYNC")
    })
  )

  it.effect("concurrent jobs share a transaction; one that fails takes none of the others with it", () =>
    Effect.gen(function* () {
      const { database, writer } = yield* prepared
      let transactions = 0
      const counted = {
        ...database,
        write: ((...args) => {
          transactions += 1
          return database.write(...args)
        }) satisfies typeof database.write
      }
      const counting = yield* GroupCommit.make(counted)
      const insert = (a: number) =>
        counting.submit("durable", (db) => db.prepare("insert into t values (?)").run(a).changes)
      yield* Effect.all([1, 2, 3, 4].map(insert), { concurrency: "unbounded" })
      assert.strictEqual(transactions, 1)
      const results = yield* Effect.all(
        [5, 3, 6, 7].map((a) => Effect.exit(insert(a))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        results.map(({ _tag }) => _tag),
        ["Success", "Failure", "Success", "Success"]
      )
      const rows = yield* writer.submit("relaxed", (db) => db.prepare("select a from t order by a").all().flat())
      assert.deepStrictEqual(rows, [1, 2, 3, 4, 5, 6, 7])
    })
  )

  it.effect("what is queued is written before it closes, and nothing is accepted afterwards", () =>
    Effect.gen(function* () {
      const { database } = yield* prepared
      const writer = yield* Effect.scoped(
        Effect.gen(function* () {
          const made = yield* GroupCommit.make(database)
          for (let a = 0; a < 300; a++) {
            yield* Effect.forkDetach(
              made.submit("relaxed", (db) => db.prepare("insert into t values (?)").run(a).changes),
              { startImmediately: true }
            )
          }
          return made
        })
      )
      assert.deepStrictEqual(yield* database.read("count", (db) => db.prepare("select count(*) from t").get()), [300])
      const refused = yield* Effect.flip(writer.submit("relaxed", () => 1))
      assert.include(refused.message, "the archive is closed")
    })
  )
})
