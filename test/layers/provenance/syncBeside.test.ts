/** The archive's log synced beside the event loop: who is told what when, and what a disk that fails leaves. */
import { readdirSync, readlinkSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Result, Semaphore } from "effect"
import * as GroupCommit from "../../../src/layers/provenance/GroupCommit.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as LogSync from "../../../src/layers/sqlite/LogSync.ts"
import { open, SqliteFailure } from "../../../src/layers/sqlite/SqliteDatabase.ts"
import { suite } from "../../services/ProvenanceStore.contract.ts"
import { platform, temporaryDirectory } from "./temporary.ts"

suite("SQLite and files, synced beside", () =>
  Layer.unwrap(
    Effect.map(temporaryDirectory, (directory) => ProvenanceStoreSqlite.layer({ directory, syncBeside: true }))
  ).pipe(Layer.provide(platform), Layer.orDie, Layer.fresh))

const prepared = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  const database = yield* open({ filename: `${directory}/group.sqlite`, synchronous: "FULL" })
  yield* database.write("prepare", (db) => db.prepare("create table t (a integer primary key) strict").run())
  const rows = database.read("rows", (db) => Number(db.prepare("select count(*) from t").get()?.[0]))
  return { database, rows }
})

const inserting = (writer: GroupCommit.GroupCommit) => (durability: GroupCommit.Durability, a: number) =>
  writer.submit(durability, (db) => db.prepare("insert into t values (?)").run(a).changes)

/** A disk that syncs when the test lets it, and has counted how often it was asked. */
const slowDisk = Effect.gen(function* () {
  const turns = yield* Semaphore.make(0)
  const disk = { syncs: 0, release: turns.release(1) }
  const sync = Effect.suspend(() => {
    disk.syncs++
    return Effect.asVoid(turns.take(1))
  })
  return { disk, sync }
})

const someTurns = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })

describe("a sync beside the event loop", () => {
  it.effect("a durable job and its group are told when it is done, relaxed ones alone when they are written", () =>
    Effect.gen(function* () {
      const { database, rows } = yield* prepared
      const { disk, sync } = yield* slowDisk
      const writer = yield* GroupCommit.make(database, sync)
      const insert = inserting(writer)
      yield* insert("relaxed", 1)
      yield* writer.settled
      assert.strictEqual(disk.syncs, 0)
      const group = yield* Effect.forkChild(
        Effect.all([insert("relaxed", 2), insert("durable", 3), insert("relaxed", 4)], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      while (disk.syncs === 0) yield* Effect.yieldNow
      assert.strictEqual(yield* rows, 4, "in the file")
      // What comes meanwhile is the next group.
      const next = yield* Effect.forkChild(insert("relaxed", 5), { startImmediately: true })
      yield* someTurns
      assert.isUndefined(group.pollUnsafe(), "and nobody is told so yet")
      assert.isUndefined(next.pollUnsafe())
      yield* disk.release
      assert.deepStrictEqual(yield* Fiber.join(group), [1, 1, 1])
      assert.strictEqual(yield* Fiber.join(next), 1)
      assert.strictEqual(disk.syncs, 1)
    })
  )

  it.effect("who waits for what is settled reads it before the next group is written, however many follow", () =>
    Effect.gen(function* () {
      const { database, rows } = yield* prepared
      const { disk, sync } = yield* slowDisk
      const writer = yield* GroupCommit.make(database, sync)
      const insert = inserting(writer)
      const first = yield* Effect.forkChild(insert("durable", 1), { startImmediately: true })
      while (disk.syncs === 0) yield* Effect.yieldNow
      const read = yield* Effect.forkChild(Effect.andThen(writer.settled, rows), { startImmediately: true })
      const second = yield* Effect.forkChild(insert("durable", 2), { startImmediately: true })
      yield* someTurns
      assert.isUndefined(read.pollUnsafe(), "the first group is in the file and not on the disk")
      yield* disk.release
      assert.strictEqual(yield* Fiber.join(read), 1)
      while (disk.syncs === 1) yield* Effect.yieldNow
      yield* disk.release
      assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], [1, 1])
      yield* writer.settled
    })
  )

  it.effect(
    "one that fails fails its group; then nothing durable is taken, and nothing is settled, until a new start",
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
        const insert = inserting(writer)
        const codes = (durable: ReadonlyArray<number>) =>
          Effect.forEach(durable, (a) => Effect.map(Effect.flip(insert("durable", a)), ({ code }) => code), {
            concurrency: "unbounded"
          })
        assert.deepStrictEqual(yield* codes([1, 2]), ["SQLITE_IOERR_FSYNC", "SQLITE_IOERR_FSYNC"])
        assert.strictEqual((yield* Effect.flip(writer.settled)).code, "SQLITE_IOERR_FSYNC")
        const later = yield* Effect.all(
          [Effect.exit(insert("durable", 3)), Effect.exit(insert("relaxed", 4)), Effect.exit(insert("durable", 5))],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(later.map(Exit.isSuccess), [false, true, false])
        const kept = yield* database.read("kept", (db) => db.prepare("select a from t order by a").all().flat())
        assert.deepStrictEqual(kept, [1, 2, 4], "what was written before is not taken back, and may be there")
        assert.strictEqual(syncs, 1, "a sync that succeeds would prove nothing of what the failed one was to write")
      })
  )

  /** Null for a descriptor that has been closed meanwhile. */
  const linkOf = (path: string): string | null => Result.getOrNull(Result.try(() => readlinkSync(path)))

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
})
