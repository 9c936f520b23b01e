/** What every layer of Quota does: here with requests that draw on a budget, in quota/guard.ts with calls that fail. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { QuotaWindow } from "../../src/domain/VendorLimits.ts"
import type { QuotaError } from "../../src/services/Quota.ts"
import { quotaGuardContract } from "./quota/guard.ts"
import { account, openQuota, policy, type QuotaStore, reasonOf, request, startOf, window } from "./quotaSupport.ts"

export const quotaContract = (name: string, store: QuotaStore): void => {
  const fresh = Effect.flatMap(store, openQuota)
  const configured = (windows: ReadonlyArray<QuotaWindow>, maxInFlight: number | null = null) =>
    Effect.tap(fresh, (quota) => quota.configure(account, policy(windows, maxInFlight)))

  quotaGuardContract(name, store)

  describe(`Quota (${name})`, () => {
    it.effect("lets requests through up to the limit, and the next when the oldest is a whole span old", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(2, 1_000)])
        const first = yield* startOf(quota)
        yield* TestClock.adjust(300)
        const second = yield* startOf(quota)
        const third = yield* startOf(quota)
        const fourth = yield* startOf(quota)
        yield* TestClock.adjust(699)
        assert.strictEqual((yield* quota.use(account)).waiting, 2)
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* quota.use(account)).waiting, 1)
        yield* TestClock.adjust(1_000)
        const starts = yield* Effect.forEach([first, second, third, fourth], Fiber.join)
        assert.deepStrictEqual(starts, [0, 300, 1_000, 1_300])
      })
    )

    it.effect(
      "an account that its vendor asked to be left alone lets nothing go until then, and says how long that is",
      () =>
        Effect.gen(function* () {
          const opened = yield* store
          const quota = yield* openQuota(opened)
          yield* quota.rest(account, 3_600_000)
          // A later, shorter word does not bring the end nearer.
          yield* quota.rest(account, 1_000)
          yield* quota.rest(account, Number.NaN)
          yield* TestClock.adjust(600_000)
          for (const ask of [quota.reserve, quota.tryReserve]) {
            const refused = yield* reasonOf(ask(account, request()))
            assert.include(refused, { _tag: "Pacing", retryAfter: 3_000_000 })
          }
          assert.strictEqual((yield* quota.use(account)).restsFor, 3_000_000)
          assert.deepStrictEqual(yield* quota.forecast(account, [request(), request()]), [3_000_000, 3_000_000])
          yield* Effect.scoped(quota.tryReserve("another", request()))
          yield* quota.configure(account, policy([window(1, 1_000)], null))
          assert.include(yield* reasonOf(quota.tryReserve(account, request())), {
            _tag: "Pacing",
            retryAfter: 3_000_000
          })
          yield* TestClock.adjust(3_000_000)
          yield* quota.tryReserve(account, request())
          assert.notProperty(yield* quota.use(account), "restsFor")
        })
    )

    it.effect("a short rest is waited for, and a restart does not forget one", () =>
      Effect.gen(function* () {
        const opened = yield* store
        yield* Effect.scoped(Effect.flatMap(openQuota(opened), (quota) => quota.rest(account, 50_000)))
        const quota = yield* openQuota(opened)
        yield* TestClock.adjust(10_000)
        assert.include(yield* reasonOf(quota.tryReserve(account, request())), { _tag: "Pacing", retryAfter: 40_000 })
        const start = yield* startOf(quota)
        yield* TestClock.adjust(39_999)
        assert.isUndefined(start.pollUnsafe())
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* Fiber.join(start), 50_000)
      })
    )

    it.effect("says how long a request waited", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(1, 1_000)])
        assert.strictEqual((yield* quota.reserve(account, request())).waited, 0)
        const waiting = yield* Effect.forkChild(Effect.scoped(quota.reserve(account, request())), {
          startImmediately: true
        })
        yield* TestClock.adjust(5_000)
        assert.strictEqual((yield* Fiber.join(waiting)).waited, 1_000)
      })
    )

    it.effect("takes from all windows or from none", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(1, 1_000, "contract", "per contract"), window(3, 10_000, null, "all")])
        yield* quota.tryReserve(account, request({ keys: { contract: "ES" } }))
        const refused = yield* reasonOf(quota.tryReserve(account, request({ keys: { contract: "ES" } })))
        assert.include(refused, { _tag: "Pacing", window: "per contract", retryAfter: 1_000 })
        assert.deepStrictEqual(
          (yield* quota.use(account)).windows.map(({ name, key, used }) => [name, key, used]),
          [
            ["per contract", "ES", 1],
            ["all", null, 1]
          ]
        )
      })
    )

    it.effect("counts each value of a key by itself, and not at all a request without the key", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(1, 1_000, "contract")])
        yield* quota.tryReserve(account, request({ keys: { contract: "ES" } }))
        yield* quota.tryReserve(account, request({ keys: { contract: "NQ" } }))
        yield* quota.tryReserve(account, request())
        yield* quota.tryReserve(account, request({ keys: { type: "ES" } }))
        assert.include(yield* reasonOf(quota.tryReserve(account, request({ keys: { contract: "NQ" } }))), {
          _tag: "Pacing"
        })
      })
    )

    it.effect("weighs requests", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(10, 1_000)])
        yield* quota.tryReserve(account, request({ weight: 7 }))
        assert.include(yield* reasonOf(quota.tryReserve(account, request({ weight: 4 }))), { _tag: "Pacing" })
        yield* quota.tryReserve(account, request({ weight: 2.5 }))
        assert.strictEqual((yield* quota.use(account)).windows[0]?.used, 9.5)
      })
    )

    it.effect("X8: Pacing tells when the same request passes if nobody else comes", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(2, 1_000, null, "burst"), window(3, 60_000, null, "minute")])
        yield* quota.tryReserve(account, request())
        yield* TestClock.adjust(400)
        yield* quota.tryReserve(account, request())
        const burst = yield* reasonOf(quota.tryReserve(account, request()))
        assert.include(burst, { _tag: "Pacing", account, window: "burst", retryAfter: 600 })
        yield* TestClock.adjust(599)
        assert.include(yield* reasonOf(quota.tryReserve(account, request())), { retryAfter: 1 })
        yield* TestClock.adjust(1)
        yield* quota.tryReserve(account, request())
        const minute = yield* reasonOf(quota.tryReserve(account, request()))
        assert.include(minute, { _tag: "Pacing", window: "minute", retryAfter: 59_000 })
      })
    )

    it.effect("tryReserve does not push in front of those who wait, and leaves them as they were", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(4, 1_000)])
        yield* quota.tryReserve(account, request({ weight: 2 }))
        const heavy = yield* startOf(quota, { weight: 4 })
        yield* TestClock.adjust(10)
        assert.include(yield* reasonOf(quota.tryReserve(account, request())), { _tag: "Pacing", retryAfter: 1_990 })
        yield* TestClock.adjust(990)
        assert.strictEqual(yield* Fiber.join(heavy), 1_000)
      })
    )

    it.effect("NeverFits at once for what is heavier than a window, and nothing is taken", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(10, 1_000, null, "wide"), window(3, 1_000, "contract", "narrow")])
        const heavy = request({ weight: 4, keys: { contract: "ES" } })
        const expected = { _tag: "NeverFits", account, window: "narrow", weight: 4, limit: 3 }
        assert.include(yield* reasonOf(Effect.scoped(quota.reserve(account, heavy))), expected)
        assert.include(yield* reasonOf(quota.tryReserve(account, heavy)), expected)
        assert.include(yield* reasonOf(quota.forecast(account, [request(), heavy])), expected)
        for (const weight of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
          assert.include(yield* reasonOf(quota.tryReserve(account, request({ weight }))), { _tag: "NeverFits" })
        }
        yield* quota.tryReserve(account, request({ weight: 4 }))
        assert.strictEqual((yield* quota.use(account)).windows[0]?.used, 4)
      })
    )

    it.effect("higher priority goes first, equal ones in order of arrival", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(1, 100)])
        yield* quota.tryReserve(account, request())
        const fibers = yield* Effect.forEach([0, 0, 5, -1, 5], (priority) => startOf(quota, { priority }))
        yield* TestClock.adjust(1_000)
        assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [300, 400, 100, 500, 200])
      })
    )

    it.effect("a heavy request keeps its turn however many light ones come", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(4, 100)])
        yield* Effect.forEach([1, 1, 1], (weight) =>
          Effect.andThen(quota.tryReserve(account, request({ weight })), TestClock.adjust(10))
        )
        const heavy = yield* startOf(quota, { weight: 4 })
        const light: Array<Fiber.Fiber<number, QuotaError>> = []
        for (let i = 0; i < 40; i++) {
          light.push(yield* startOf(quota))
          yield* TestClock.adjust(5)
        }
        assert.strictEqual(yield* Fiber.join(heavy), 120)
        yield* TestClock.adjust(5_000)
        const starts = yield* Effect.forEach(light, Fiber.join)
        assert.isTrue(
          starts.every((start) => start >= 220),
          String(starts)
        )
      })
    )

    it.effect("one behind may start before one ahead where that does not delay it", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(2, 1_000, "contract"), window(5, 1_000)])
        const keys = (contract: string) => ({ keys: { contract } })
        const fibers = yield* Effect.forEach(["ES", "ES", "ES", "ES", "NQ", "NQ"], (it) => startOf(quota, keys(it)))
        yield* TestClock.adjust(3_000)
        assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [0, 0, 1_000, 1_000, 0, 0])
      })
    )

    it.effect("an interrupted waiter has taken nothing, and those behind move up", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(1, 100)])
        yield* quota.tryReserve(account, request())
        const first = yield* startOf(quota)
        const second = yield* startOf(quota)
        yield* TestClock.adjust(50)
        yield* Fiber.interrupt(first)
        assert.strictEqual((yield* quota.use(account)).waiting, 1)
        yield* TestClock.adjust(50)
        assert.strictEqual(yield* Fiber.join(second), 100)
        assert.strictEqual((yield* quota.use(account)).windows[0]?.used, 1)
      })
    )

    it.effect("one interrupted in the instant it was let go gives everything back", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(2, 100)])
        yield* Effect.scoped(quota.tryReserve(account, request({ weight: 2 })))
        const second: Array<Fiber.Fiber<number, QuotaError>> = []
        // Both are let go at 100; the first interrupts the second before it gets to run.
        const first = yield* quota
          .reserve(account, request())
          .pipe(
            Effect.andThen(Effect.suspend(() => Effect.forEach(second, Fiber.interrupt))),
            Effect.scoped,
            Effect.forkChild({ startImmediately: true })
          )
        second.push(yield* startOf(quota))
        const third = yield* startOf(quota)
        yield* TestClock.adjust(100)
        yield* Fiber.join(first)
        const interrupted = yield* Effect.forEach(second, Fiber.await)
        assert.isTrue(interrupted.every((exit) => Exit.hasInterrupts(exit)))
        assert.strictEqual(yield* Fiber.join(third), 100)
        const use = yield* quota.use(account)
        assert.deepStrictEqual([use.inFlight, use.waiting, use.windows[0]?.used], [0, 0, 2])
      })
    )

    it.effect("holds the places in flight until the scope closes, however it closes", () =>
      Effect.gen(function* () {
        const quota = yield* configured([], 2)
        const first = yield* Scope.make()
        const second = yield* Scope.make()
        yield* Scope.provide(quota.reserve(account, request()), first)
        yield* Scope.provide(quota.tryReserve(account, request()), second)
        assert.include(yield* reasonOf(quota.tryReserve(account, request())), {
          _tag: "Pacing",
          window: "requests in flight"
        })
        const third = yield* startOf(quota)
        yield* TestClock.adjust(500)
        yield* Scope.close(second, Exit.die("trouble"))
        assert.strictEqual(yield* Fiber.join(third), 500)
        assert.strictEqual((yield* quota.use(account)).inFlight, 1)
        yield* Scope.close(first, Exit.void)
        assert.strictEqual((yield* quota.use(account)).inFlight, 0)
      })
    )

    it.effect("an account that is not configured is never made to wait", () =>
      Effect.gen(function* () {
        const quota = yield* fresh
        yield* Effect.replicateEffect(quota.tryReserve("other", request({ weight: 1e9 })), 100)
        assert.deepStrictEqual(yield* quota.forecast("other", [request(), request()]), [0, 0])
        assert.include(yield* quota.use("other"), { account: "other", inFlight: 100, waiting: 0, breaker: "closed" })
      })
    )

    it.effect("X8: accounts do not share anything", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(1, 1_000)])
        yield* quota.configure("other", policy([window(1, 1_000)]))
        yield* quota.tryReserve(account, request())
        yield* quota.tryReserve("other", request())
        assert.include(yield* reasonOf(quota.tryReserve("other", request())), { _tag: "Pacing", account: "other" })
      })
    )

    it.effect("forecast tells what then happens, and spends nothing", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(2, 100), window(1, 150, "contract")])
        yield* quota.tryReserve(account, request())
        const earlier = yield* startOf(quota, { weight: 2 })
        yield* TestClock.adjust(20)
        const wanted = [
          { keys: { contract: "ES" } },
          { keys: { contract: "ES" }, priority: 1 },
          { keys: { contract: "NQ" } },
          { weight: 2, priority: 2 }
        ]
        const before = yield* quota.use(account)
        const forecast = yield* quota.forecast(account, wanted.map(request))
        assert.deepStrictEqual(yield* quota.use(account), before)
        const fibers = yield* Effect.forEach(wanted, (options) => startOf(quota, options))
        yield* TestClock.adjust(5_000)
        const starts = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(
          forecast,
          starts.map((start) => start - 20)
        )
        yield* Fiber.join(earlier)
      })
    )

    it.effect("a restart remembers what was spent", () =>
      Effect.gen(function* () {
        const layer = yield* store
        const before = yield* Scope.make()
        const first = yield* Scope.provide(openQuota(layer), before)
        yield* first.configure(account, policy([window(2, 1_000)]))
        yield* Effect.scoped(first.tryReserve(account, request({ weight: 2 })))
        yield* TestClock.adjust(400)
        yield* Scope.close(before, Exit.void)
        const second = yield* openQuota(layer)
        yield* second.configure(account, policy([window(2, 1_000)]))
        assert.include(yield* reasonOf(second.tryReserve(account, request())), { _tag: "Pacing", retryAfter: 600 })
        assert.strictEqual((yield* second.use(account)).windows[0]?.used, 2)
        yield* TestClock.adjust(600)
        yield* second.tryReserve(account, request())
      })
    )

    it.effect("X8: two instances over one store respect the windows together", () =>
      Effect.gen(function* () {
        const layer = yield* store
        const instances = yield* Effect.forEach([1, 2], () => openQuota(layer))
        for (const quota of instances) yield* quota.configure(account, policy([window(3, 1_000)]))
        const fibers = yield* Effect.forEach(Array.from({ length: 12 }), (_, index) => {
          const quota = instances[index % 2]
          return quota === undefined ? Effect.die("no instance") : startOf(quota)
        })
        yield* TestClock.adjust(10_000)
        const starts = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(
          starts.toSorted((a, b) => a - b),
          [0, 0, 0, 1_000, 1_000, 1_000, 2_000, 2_000, 2_000, 3_000, 3_000, 3_000]
        )
      })
    )

    it.effect("a new policy counts what was spent under the old one, in its own windows", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(5, 10_000)])
        yield* quota.tryReserve(account, request({ weight: 4, keys: { contract: "ES" } }))
        yield* quota.configure(account, policy([window(6, 5_000, "contract", "new"), window(100, 1_000)]))
        const refused = yield* reasonOf(quota.tryReserve(account, request({ weight: 3, keys: { contract: "ES" } })))
        assert.include(refused, { _tag: "Pacing", window: "new", retryAfter: 5_000 })
      })
    )

    it.effect("a new policy fails those who will never fit and lets go those who fit now", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(4, 1_000)])
        yield* quota.tryReserve(account, request({ weight: 4 }))
        const heavy = yield* Effect.forkChild(reasonOf(Effect.scoped(quota.reserve(account, request({ weight: 4 })))), {
          startImmediately: true
        })
        const light = yield* startOf(quota, { weight: 2 })
        yield* quota.configure(account, policy([window(3, 500)]))
        assert.include(yield* Fiber.join(heavy), { _tag: "NeverFits", limit: 3 })
        yield* TestClock.adjust(500)
        assert.strictEqual(yield* Fiber.join(light), 500)
      })
    )

    it.effect("use shows windows, waiters and places in flight", () =>
      Effect.gen(function* () {
        const quota = yield* configured([window(2, 1_000, null, "all"), window(5, 1_000, "contract", "each")], 3)
        yield* quota.reserve(account, request({ keys: { contract: "ES" } }))
        yield* quota.reserve(account, request({ keys: { contract: "NQ" } }))
        yield* startOf(quota)
        assert.deepStrictEqual(yield* quota.use(account), {
          account,
          windows: [
            { name: "all", key: null, used: 2, limit: 2, span: 1_000 },
            { name: "each", key: "ES", used: 1, limit: 5, span: 1_000 },
            { name: "each", key: "NQ", used: 1, limit: 5, span: 1_000 }
          ],
          inFlight: 2,
          waiting: 1,
          breaker: "closed"
        })
        yield* TestClock.adjust(999)
        assert.strictEqual((yield* quota.use(account)).windows[0]?.used, 2)
        yield* TestClock.adjust(1)
        assert.strictEqual(
          (yield* quota.use(account)).windows.find((it) => it.key === "ES"),
          undefined
        )
      })
    )
  })
}
