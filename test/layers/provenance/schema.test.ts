import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GroupCommit from "../../../src/layers/provenance/GroupCommit.ts"
import { migrations } from "../../../src/layers/provenance/migrations.ts"
import { migrate } from "../../../src/layers/sqlite/migrate.ts"
import { open } from "../../../src/layers/sqlite/SqliteDatabase.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, raw, withArchive } from "./archive.ts"
import { temporaryDirectory } from "./temporary.ts"

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
    "a durable job is committed with synchronous FULL, a relaxed one with NORMAL, a mixed group with FULL",
    () =>
      Effect.gen(function* () {
        const { writer } = yield* prepared
        const level = (durability: GroupCommit.Durability) =>
          writer.submit(durability, (db) => db.prepare("select synchronous from pragma_synchronous").get()?.[0])
        const full = 2
        const normal = 1
        assert.strictEqual(yield* level("durable"), full)
        assert.strictEqual(yield* level("relaxed"), normal)
        assert.deepStrictEqual(
          yield* Effect.all([level("relaxed"), level("durable"), level("relaxed")], { concurrency: "unbounded" }),
          [full, full, full]
        )
        assert.strictEqual(yield* level("relaxed"), normal)
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
