import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import type { QuotaError } from "../../../src/services/Quota.ts"
import { quotaContract } from "../../services/Quota.contract.ts"
import { account, openQuota, policy, reasonOf, request, startOf, window } from "../../services/quotaSupport.ts"
import { temporaryFile, temporaryFolder } from "./support.ts"

const store = Effect.map(temporaryFile, (filename) => QuotaSqlite.layer({ filename }))

quotaContract("SQLite", store)

const opened = (options: Partial<QuotaSqlite.QuotaOptions> = {}) =>
  Effect.gen(function* () {
    const filename = yield* temporaryFile
    const quota = yield* openQuota(QuotaSqlite.layer({ filename, ...options }))
    const other = yield* Effect.acquireRelease(
      Effect.sync(() => new Database(filename)),
      (db) => Effect.sync(() => db.close())
    )
    return { quota, other, filename }
  })

const rowsOf = (db: Database.Database): number => Number(db.prepare("select count(*) from spent").pluck().get())

describe("QuotaSqlite", () => {
  it.effect("WaitersFull beyond the most that may wait, and room again when one has left", () =>
    Effect.gen(function* () {
      const { quota } = yield* opened({ maxWaiting: 2 })
      yield* quota.configure(account, policy([window(1, 100)]))
      const fibers = yield* Effect.forEach([1, 2, 3], () => startOf(quota))
      const refused = yield* reasonOf(Effect.scoped(quota.reserve(account, request())))
      assert.include(refused, { _tag: "WaitersFull", account, waiting: 2 })
      yield* TestClock.adjust(100)
      const late = yield* startOf(quota)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(yield* Effect.forEach([...fibers, late], Fiber.join), [0, 100, 200, 300])
    })
  )

  it.effect("10,000 waiters, half of them interrupted: the rest start in order and nothing is left behind", () =>
    Effect.gen(function* () {
      const { quota } = yield* opened()
      yield* quota.configure(account, policy([window(100, 10)]))
      yield* quota.tryReserve(account, request({ weight: 100 }))
      const fibers = yield* Effect.forEach(Array.from({ length: 10_000 }), () => startOf(quota))
      assert.strictEqual((yield* quota.use(account)).waiting, 10_000)
      assert.include(yield* reasonOf(Effect.scoped(quota.reserve(account, request()))), { _tag: "WaitersFull" })
      yield* Effect.forEach(fibers, (fiber, index) => (index % 2 === 0 ? Fiber.interrupt(fiber) : Effect.void))
      assert.strictEqual((yield* quota.use(account)).waiting, 5_000)
      yield* TestClock.adjust(10 * 50)
      const starts = yield* Effect.forEach(
        fibers.filter((_, index) => index % 2 === 1),
        Fiber.join
      )
      assert.deepStrictEqual(
        starts,
        Array.from({ length: 5_000 }, (_, index) => 10 + 10 * Math.floor(index / 100))
      )
      yield* TestClock.adjust(10)
      const use = yield* quota.use(account)
      assert.deepStrictEqual([use.waiting, use.inFlight, use.windows[0]?.used], [0, 1, 0])
    })
  )

  it.effect("a stream of urgent requests delays another by no more than its lead in priority", () =>
    Effect.gen(function* () {
      const { quota } = yield* opened({ priorityStep: 100 })
      yield* quota.configure(account, policy([window(1, 10)]))
      yield* quota.tryReserve(account, request())
      const patient = yield* startOf(quota, { priority: 0 })
      const urgent: Array<Fiber.Fiber<number, QuotaError>> = []
      for (let i = 0; i < 100; i++) {
        urgent.push(yield* startOf(quota, { priority: 5 }))
        yield* TestClock.adjust(10)
      }
      // Those who came within 5 x 100 ms after it went first; nobody who came later.
      assert.strictEqual(yield* Fiber.join(patient), 510)
      yield* TestClock.adjust(1_000)
      yield* Effect.forEach(urgent, Fiber.join)
    })
  )

  it.effect("priorities beyond 100, infinite ones and NaN are counted within bounds", () =>
    Effect.gen(function* () {
      const { quota } = yield* opened()
      yield* quota.configure(account, policy([window(1, 10)]))
      yield* quota.tryReserve(account, request())
      const priorities = [Number.NaN, Number.NEGATIVE_INFINITY, 100, Number.POSITIVE_INFINITY, 1]
      const fibers = yield* Effect.forEach(priorities, (priority) => startOf(quota, { priority }))
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [40, 50, 10, 20, 30])
    })
  )

  it.effect("an account without windows writes nothing to the disk", () =>
    Effect.gen(function* () {
      const { quota, other } = yield* opened()
      const version = () => other.pragma("data_version", { simple: true })
      yield* quota.configure("free", policy([]))
      yield* quota.configure("bounded", policy([], 3))
      const before = version()
      for (const name of ["free", "bounded", "unknown"]) {
        yield* Effect.replicateEffect(Effect.scoped(quota.reserve(name, request())), 50)
        yield* Effect.replicateEffect(Effect.scoped(quota.tryReserve(name, request())), 50)
      }
      assert.strictEqual(version(), before)
      yield* quota.configure("free", policy([window(1, 10)]))
      yield* quota.tryReserve("free", request())
      assert.notStrictEqual(version(), before)
    })
  )

  it.effect("old entries are deleted, a bounded step at a time", () =>
    Effect.gen(function* () {
      const { quota, other } = yield* opened()
      yield* quota.configure(account, policy([window(1_000, 10)]))
      const take = Effect.scoped(quota.tryReserve(account, request({ keys: { contract: "ES" } })))
      yield* Effect.replicateEffect(take, 1_000)
      assert.strictEqual(rowsOf(other), 2_000)
      let before = rowsOf(other)
      for (let i = 0; i < 1_000; i++) {
        yield* Effect.andThen(TestClock.adjust(10), take)
        const after = rowsOf(other)
        assert.isAtLeast(after, before - 500)
        before = after
      }
      assert.isBelow(before, 300)
    })
  )

  it.effect("when the log cannot be written nothing is let go, and those who wait hear why", () =>
    Effect.gen(function* () {
      const { quota, other } = yield* opened()
      yield* quota.configure(account, policy([window(1, 100)]))
      yield* Effect.scoped(quota.tryReserve(account, request()))
      const waiting = yield* Effect.forkChild(reasonOf(Effect.scoped(quota.reserve(account, request()))), {
        startImmediately: true
      })
      other.exec("create trigger full before insert on spent begin select raise(abort, 'disk full'); end")
      yield* TestClock.adjust(100)
      const reason = yield* Fiber.join(waiting)
      assert.include(reason, { _tag: "QuotaUnavailable" })
      assert.match(JSON.stringify(reason), /cannot be kept, so nothing is sent: .*disk full/)
      assert.include(yield* reasonOf(quota.tryReserve(account, request())), { _tag: "QuotaUnavailable" })
      const use = yield* quota.use(account)
      assert.deepStrictEqual([use.inFlight, use.waiting, use.windows[0]?.used], [0, 0, 0])
      other.exec("drop trigger full")
      yield* quota.tryReserve(account, request())
    })
  )

  it.effect("closing fails those who wait; nobody starts because another was sent away", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const scope = yield* Scope.make()
      const quota = yield* Scope.provide(openQuota(QuotaSqlite.layer({ filename })), scope)
      yield* quota.configure(account, policy([window(2, 100)]))
      yield* Effect.scoped(quota.tryReserve(account, request()))
      yield* TestClock.adjust(10)
      const reasons = yield* Effect.forEach([2, 1, 1], (weight) =>
        Effect.forkChild(reasonOf(Effect.scoped(quota.reserve(account, request({ weight })))), {
          startImmediately: true
        })
      )
      yield* Scope.close(scope, Exit.void)
      for (const reason of yield* Effect.forEach(reasons, Fiber.join)) {
        assert.include(reason, { _tag: "QuotaUnavailable" })
      }
      assert.include(yield* reasonOf(quota.tryReserve(account, request())), { _tag: "QuotaUnavailable" })
    })
  )

  it.effect("a file that cannot be opened is QuotaUnavailable, with its name", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const reason = yield* reasonOf(openQuota(QuotaSqlite.layer({ filename: `${folder}/missing/quota.sqlite` })))
      assert.include(reason, { _tag: "QuotaUnavailable" })
      assert.match(JSON.stringify(reason), /missing\/quota\.sqlite/)
    })
  )

  it.effect("a file of a newer release is refused", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* Effect.scoped(openQuota(QuotaSqlite.layer({ filename })))
      const db = new Database(filename)
      db.exec("insert into migration_checksums (id, sha256) values (99, 'x')")
      db.close()
      const reason = yield* reasonOf(openQuota(QuotaSqlite.layer({ filename })))
      assert.match(JSON.stringify(reason), /schema version 99, this release knows up to 2/)
    })
  )
})
