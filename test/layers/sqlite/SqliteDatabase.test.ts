import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Deferred, Effect, Fiber } from "effect"
import { open } from "../../../src/layers/sqlite/SqliteDatabase.ts"

const temporaryFile = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-sqlite-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
).pipe(Effect.map((directory) => join(directory, "test.sqlite")))

const withTable = Effect.fnUntraced(function* (filename: string) {
  const database = yield* open({ filename, synchronous: "NORMAL" })
  yield* database.write("make", (db) => db.prepare("create table numbers (n integer) strict").run())
  return database
})

describe("SqliteDatabase", () => {
  it.live("a file that another process holds for a moment is opened when it lets go", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const other = new Database(filename)
      // SQLite does not wait for this lock when it takes up WAL mode; so does who opens a database at the same time.
      other.exec("begin immediate")
      const opening = yield* Effect.forkChild(open({ filename, synchronous: "NORMAL" }), { startImmediately: true })
      yield* Effect.sleep("100 millis")
      assert.isUndefined(opening.pollUnsafe())
      other.exec("rollback")
      other.close()
      const database = yield* Fiber.join(opening)
      assert.deepStrictEqual(yield* database.read("mode", (db) => db.prepare("pragma journal_mode").get()), ["wal"])
    })
  )

  it.live("what another connection has locked is waited for, while the event loop turns", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const database = yield* withTable(filename)
      const other = new Database(filename)
      other.exec("begin immediate")
      const insert = "insert into numbers values (1)"
      const writing = yield* Effect.forkChild(
        Effect.all([
          database.write("once", (db) => db.prepare(insert).run()),
          database.writeUnchecked("unchecked", (db) => db.prepare(insert).run()),
          database.transaction("steps", (step) => step((db) => db.prepare(insert).run()))
        ]),
        { startImmediately: true }
      )
      let longest = 0
      const began = performance.now()
      while (performance.now() < began + 300) {
        const before = performance.now()
        yield* Effect.sleep("1 millis")
        longest = Math.max(longest, performance.now() - before)
      }
      assert.isUndefined(writing.pollUnsafe())
      // SQLite's own waiting would have stood in the loop for seconds.
      assert.isBelow(longest, 250)
      other.exec("rollback")
      other.close()
      yield* Fiber.join(writing)
      assert.deepStrictEqual(
        yield* database.read("count", (db) => db.prepare("select count(*) from numbers").get()),
        [3]
      )
    })
  )

  it.live("a lock that is never let go ends the wait, and the writer works again when it is", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const database = yield* open({ filename, synchronous: "NORMAL", lockWait: 100 })
      yield* database.write("make", (db) => db.prepare("create table numbers (n integer) strict").run())
      const other = new Database(filename)
      other.exec("begin immediate")
      let ran = 0
      const write = database.write("insert", (db) => {
        ran++
        db.prepare("insert into numbers values (1)").run()
      })
      const before = performance.now()
      const failed = yield* Effect.flip(write)
      assert.isAtLeast(performance.now() - before, 95)
      assert.strictEqual(failed.code, "SQLITE_BUSY")
      assert.strictEqual(ran, 0)
      const inSteps = database.transaction("steps", (step) => step((db) => db.prepare("select 1").get()))
      assert.strictEqual((yield* Effect.flip(inSteps)).code, "SQLITE_BUSY")
      const left = yield* Effect.forkChild(write, { startImmediately: true })
      yield* Fiber.interrupt(left)
      other.exec("rollback")
      other.close()
      yield* write
      assert.strictEqual(ran, 1)
    })
  )

  it.effect("a transaction that is interrupted between two steps leaves nothing and frees the writer", () =>
    Effect.gen(function* () {
      const database = yield* withTable(yield* temporaryFile)
      const begun = yield* Deferred.make<void>()
      const count = database.read("count", (db) => db.prepare("select count(*) from numbers").get())
      const insert = (n: number) =>
        database.write("insert", (db) => db.prepare("insert into numbers values (?)").run(n))
      const fiber = yield* Effect.forkChild(
        database.transaction("two steps", (step) =>
          step((db) => db.prepare("insert into numbers values (1)").run()).pipe(
            Effect.andThen(Deferred.succeed(begun, undefined)),
            Effect.andThen(Effect.never)
          )
        ),
        { startImmediately: true }
      )
      yield* Deferred.await(begun)
      const waiting = yield* Effect.forkChild(insert(2), { startImmediately: true })
      assert.isUndefined(waiting.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(yield* count, [1])
    })
  )

  it.effect(
    "a waiting writer that is interrupted leaves the line, and a step that throws rolls back what came before",
    () =>
      Effect.gen(function* () {
        const database = yield* withTable(yield* temporaryFile)
        const go = yield* Deferred.make<void>()
        const insert = (n: number) => (db: Parameters<Parameters<typeof database.write>[1]>[0]) =>
          db.prepare("insert into numbers values (?)").run(n)
        const failing = yield* Effect.forkChild(
          Effect.flip(
            database.transaction("fails", (step) =>
              step(insert(1)).pipe(
                Effect.andThen(Deferred.await(go)),
                Effect.andThen(step((db) => db.prepare("insert into numbers values ('x')").run()))
              )
            )
          ),
          { startImmediately: true }
        )
        const leaving = yield* Effect.forkChild(database.write("leaves", insert(2)), { startImmediately: true })
        yield* Fiber.interrupt(leaving)
        yield* Deferred.succeed(go, undefined)
        assert.strictEqual((yield* Fiber.join(failing)).code, "SQLITE_CONSTRAINT_DATATYPE")
        yield* database.write("stays", insert(3))
        assert.deepStrictEqual(yield* database.read("all", (db) => db.prepare("select n from numbers").all()), [[3]])
      })
  )

  const counted = (database: Effect.Success<ReturnType<typeof open>>) =>
    database.read("count", (db) => db.prepare("select count(*) from numbers").get()?.[0])
  const insert = "insert into numbers values (1)"

  it.live("the reads of one callback see one state, and the next callback what others have committed", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const database = yield* withTable(filename)
      const other = new Database(filename)
      yield* Effect.sleep("1 millis")
      const [before, during] = yield* Effect.all([
        counted(database),
        Effect.andThen(
          Effect.sync(() => other.exec(insert)),
          counted(database)
        )
      ])
      assert.deepStrictEqual([before, during], [0, 0])
      yield* Effect.sleep("1 millis")
      assert.strictEqual(yield* counted(database), 1)
      other.close()
    })
  )

  it.live("what this process commits is seen at once, by whatever handle", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const database = yield* withTable(filename)
      const beside = yield* open({ filename, synchronous: "NORMAL" })
      const seen = yield* Effect.all([
        counted(database),
        Effect.andThen(
          beside.write("one", (db) => db.prepare(insert).run()),
          counted(database)
        ),
        Effect.andThen(
          database.write("two", (db) => db.prepare(insert).run()),
          counted(beside)
        ),
        Effect.andThen(
          database.transaction("three", (step) => step((db) => db.prepare(insert).run())),
          counted(database)
        ),
        Effect.andThen(database.client`insert into numbers values (4)`, counted(beside))
      ])
      assert.deepStrictEqual(seen, [0, 1, 2, 3, 4])
    })
  )

  it.live("a checkpoint, a pragma and the end of the scope follow a read in its own callback", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const database = yield* withTable(filename)
          yield* counted(database)
          yield* database.checkpoint
          yield* counted(database)
          yield* database.writeUnchecked("unchecked", (db) => db.prepare(insert).run())
          yield* counted(database)
          yield* database.write("full", (db) => db.prepare(insert).run(), "FULL")
          yield* counted(database)
          const failed = yield* Effect.flip(database.read("wrong", (db) => db.prepare("select 1 from nothing").get()))
          assert.include(failed.message, "nothing")
          assert.strictEqual(yield* counted(database), 2)
        })
      )
      const after = new Database(filename)
      // Only the last connection, outside any transaction, can take the file out of WAL mode.
      assert.strictEqual(after.pragma("journal_mode", { simple: true }), "delete")
      after.close()
    })
  )
})
