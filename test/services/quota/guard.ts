/** What every layer of Quota does with calls that fail; part of its contract. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Throttled, VendorError } from "../../../src/services/Adapter.ts"
import { account, openQuota, type QuotaService, type QuotaStore, reasonOf } from "../quotaSupport.ts"

class Trouble extends Data.TaggedError("Trouble")<{ readonly counts: boolean }> {}

export const quotaGuardContract = (name: string, store: QuotaStore): void => {
  const fresh = Effect.flatMap(store, openQuota)
  describe(`Quota.guard (${name})`, () => {
    const counts = (error: Trouble): boolean => error.counts
    const failing = (quota: QuotaService, counting: boolean) =>
      Effect.flip(quota.guard(account, Effect.fail(new Trouble({ counts: counting })), counts))
    const breakerOf = (quota: QuotaService) => Effect.map(quota.use(account), (use) => use.breaker)

    it.effect("opens after five failures in a row, probes once, and closes when that succeeds", () =>
      Effect.gen(function* () {
        const quota = yield* fresh
        yield* Effect.replicateEffect(failing(quota, true), 4)
        assert.strictEqual(yield* quota.guard(account, Effect.succeed("fine"), counts), "fine")
        yield* Effect.replicateEffect(failing(quota, true), 5)
        assert.strictEqual(yield* breakerOf(quota), "open")
        const ran: Array<string> = []
        const call = Effect.sync(() => ran.push("ran"))
        const refused = yield* reasonOf(quota.guard(account, call, counts))
        assert.include(refused, { _tag: "BreakerOpen", account, retryAfter: 5_000 })
        assert.deepStrictEqual(ran, [])
        assert.strictEqual(yield* quota.guard("other", Effect.succeed(1), counts), 1)
        yield* TestClock.adjust(5_000)
        const probe = yield* Effect.forkChild(quota.guard(account, Effect.sleep(100), counts), {
          startImmediately: true
        })
        assert.strictEqual(yield* breakerOf(quota), "half-open")
        assert.include(yield* reasonOf(quota.guard(account, call, counts)), {
          _tag: "BreakerOpen",
          retryAfter: 1_000
        })
        yield* TestClock.adjust(100)
        yield* Fiber.join(probe)
        assert.strictEqual(yield* breakerOf(quota), "closed")
      })
    )

    it.effect("failures that do not count, and interruptions, leave it closed", () =>
      Effect.gen(function* () {
        const quota = yield* fresh
        yield* Effect.replicateEffect(failing(quota, false), 20)
        yield* Effect.replicateEffect(Effect.exit(quota.guard(account, Effect.interrupt, counts)), 20)
        assert.strictEqual(yield* breakerOf(quota), "closed")
        yield* Effect.replicateEffect(Effect.exit(quota.guard(account, Effect.die("defect"), counts)), 5)
        assert.strictEqual(yield* breakerOf(quota), "open")
      })
    )

    it.effect("stays open twice as long each time, up to five minutes", () =>
      Effect.gen(function* () {
        const quota = yield* fresh
        yield* Effect.replicateEffect(failing(quota, true), 5)
        const lengths: Array<number> = []
        for (let i = 0; i < 9; i++) {
          const refused = yield* reasonOf(quota.guard(account, Effect.void, counts))
          const length =
            typeof refused === "object" && refused !== null && "retryAfter" in refused
              ? Number(refused.retryAfter)
              : Number.NaN
          lengths.push(length / 1_000)
          yield* TestClock.adjust(length)
          yield* failing(quota, true)
        }
        assert.deepStrictEqual(lengths, [5, 10, 20, 40, 80, 160, 300, 300, 300])
      })
    )

    it.effect("opens for as long as a throttling vendor asks for", () =>
      Effect.gen(function* () {
        const quota = yield* fresh
        const throttled = new VendorError({ vendor: "acme", reason: new Throttled({ retryAfter: 90_000 }) })
        yield* Effect.replicateEffect(Effect.exit(quota.guard(account, Effect.fail(throttled), () => true)), 5)
        const refused = yield* reasonOf(quota.guard(account, Effect.void, () => true))
        assert.include(refused, { _tag: "BreakerOpen", retryAfter: 90_000 })
      })
    )
  })
}
