import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { RetryPolicy } from "../../../src/layers/ingest/RetryPolicy.ts"
import * as Adapter from "../../../src/services/Adapter.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { ingest } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

const gone = new Adapter.Unavailable({ message: "connection refused" })
const throttled = (retryAfter: number) => new Adapter.Throttled({ retryAfter })
const failing = (reason: Adapter.VendorErrorReason) =>
  Effect.fail(new Adapter.VendorError({ vendor: "vendor", reason }))

/** Makes one call and gives its exit with the instants of its attempts. */
const call = (respond: Parameters<typeof Vendor.make>[1]) => {
  const at: Array<number> = []
  const vendor = Vendor.make("vendor", (request, count) =>
    Effect.andThen(
      Effect.map(Clock.currentTimeMillis, (now) => at.push(now)),
      respond(request, count)
    )
  )
  return Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const session = yield* (yield* IngestSession).open({ source: "vendor", mode: "sync" })
    const running = yield* Effect.forkChild(
      Effect.exit(session.fetch(Vendor.request({}), { cacheMode: { _tag: "default", ttl: null } })),
      { startImmediately: true }
    )
    for (let minute = 0; minute < 240; minute++) {
      yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })
      yield* TestClock.adjust("500 millis")
    }
    const exit = yield* Fiber.join(running)
    const responses = (yield* store.responses({ limit: 100 })).toReversed()
    return { exit, at, responses, requests: yield* store.requests({ limit: 100 }) }
  }).pipe(
    Effect.provide(
      ingest(vendor.adapter).pipe(
        Layer.provide(Layer.succeed(RetryPolicy, { attempts: 4, base: 1_000, cap: 3_000, patience: 60_000 }))
      )
    )
  )
}

const pauses = (at: ReadonlyArray<number>) => at.slice(1).map((time, index) => time - (at[index] ?? 0))

describe("C27 retry", () => {
  it.effect("tries again after a growing, jittered, capped pause; each attempt is a response of the same request", () =>
    Effect.gen(function* () {
      const { at, exit, requests, responses } = yield* call((_, count) =>
        count < 4 ? failing(gone) : Effect.succeed(Vendor.answer("at last"))
      )
      assert.strictEqual(exit._tag, "Success")
      const [first = 0, second = 0, third = 0] = pauses(at)
      assert.isTrue(first >= 800 && first <= 1_700, `first pause ${first}`)
      assert.isTrue(second >= 1_600 && second <= 2_900, `second pause ${second}`)
      assert.isTrue(third >= 3_000 && third <= 3_500, `third pause ${third} is capped`)
      assert.deepStrictEqual(
        responses.map(({ attempt, status, cause }) => ({ attempt, status, cause })),
        [
          { attempt: 1, status: "error", cause: "vendor: connection refused" },
          { attempt: 2, status: "error", cause: "vendor: connection refused" },
          { attempt: 3, status: "error", cause: "vendor: connection refused" },
          { attempt: 4, status: "ok", cause: null }
        ]
      )
      assert.deepStrictEqual(
        requests.map(({ outcome, response }) => ({ outcome, response })),
        [{ outcome: "fetched", response: responses[3]?.id ?? null }]
      )
    })
  )

  it.effect("a body that broke off is kept as partial and is never the answer, whatever its head said", () =>
    Effect.gen(function* () {
      const heads = [null, new Adapter.NotFound({ message: "no such symbol" }), throttled(2_000)]
      const { exit, responses } = yield* call((_, count) =>
        Effect.succeed(
          count <= heads.length
            ? { ...Vendor.answer("ts,clo", heads[count - 1] ?? null), brokenOff: "the body broke off (ECONNRESET)" }
            : Vendor.answer("ts,close")
        )
      )
      assert.strictEqual(exit._tag, "Success")
      const broken = { status: "partial", sizeBytes: 6, cause: "vendor: the body broke off (ECONNRESET)" }
      assert.deepStrictEqual(
        responses.map(({ cause, sizeBytes, status }) => ({ status, sizeBytes, cause })),
        [
          broken,
          broken,
          { ...broken, cause: "vendor: throttled; try again in 2 s" },
          { status: "ok", sizeBytes: 8, cause: null }
        ]
      )
    })
  )

  it.effect("never comes back sooner than the vendor asked, and keeps the bytes of each refusal", () =>
    Effect.gen(function* () {
      const { at, exit, responses } = yield* call((_, count) =>
        count === 1
          ? Effect.succeed(Vendor.answer("slow down", throttled(20_000)))
          : Effect.succeed(Vendor.answer("fine"))
      )
      assert.strictEqual(exit._tag, "Success")
      assert.isAtLeast(pauses(at)[0] ?? 0, 20_000)
      assert.deepStrictEqual(
        responses.map(({ status, sizeBytes }) => ({ status, sizeBytes })),
        [
          { status: "throttled", sizeBytes: 9 },
          { status: "ok", sizeBytes: 4 }
        ]
      )
    })
  )

  it.effect("gives up after its attempts, and names the last response", () =>
    Effect.gen(function* () {
      const { at, exit, requests, responses } = yield* call(() => failing(gone))
      assert.strictEqual(exit._tag, "Failure")
      assert.strictEqual(at.length, 4)
      assert.deepInclude(requests[0], {
        outcome: "failed",
        cause: "vendor: connection refused",
        response: responses[3]?.id ?? null
      })
    })
  )

  it.effect("does not wait longer than its patience: Throttled reaches the caller with the vendor's word", () =>
    Effect.gen(function* () {
      const { at, exit } = yield* call(() => failing(throttled(600_000)))
      assert.strictEqual(at.length, 1)
      const failure = yield* Effect.flip(exit)
      assert.deepInclude(failure.reason, { _tag: "VendorError" })
      assert.include(failure.message, "try again in 600 s")
    })
  )

  for (const reason of [
    new Adapter.Rejected({ message: "bad request" }),
    new Adapter.NotFound({ message: "no such symbol" }),
    new Adapter.NotEntitled({ message: "not in your plan" }),
    new Adapter.Unsupported({ message: "offers 1d" }),
    new Adapter.Malformed({ position: null, message: "not JSON" })
  ]) {
    it.effect(`does not try again what cannot succeed later: ${reason._tag}`, () =>
      Effect.gen(function* () {
        const { at } = yield* call(() => failing(reason))
        assert.strictEqual(at.length, 1)
      })
    )
  }
})

describe("C27 quota", () => {
  it.effect(
    "every attempt draws on the account's budget, configured before the first, and its wait is recorded",
    () => {
      const windows = [{ name: "per minute", limit: 2, span: 60_000, key: null }]
      const vendor = Vendor.make("vendor", () => Effect.succeed(Vendor.answer("x")), {
        ...Vendor.limits,
        windows
      })
      return Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const session = yield* (yield* IngestSession).open({ source: "vendor", mode: "batch" })
        const running = yield* Effect.forkChild(
          Effect.forEach([1, 2, 3], (n) => session.fetch(Vendor.request(n), { cacheMode: { _tag: "bypass" } }), {
            concurrency: 3
          }),
          { startImmediately: true }
        )
        yield* Effect.forEach(Array.from({ length: 200 }), () => Effect.yieldNow, { discard: true })
        assert.strictEqual(vendor.asked.length, 2)
        yield* TestClock.adjust("2 minutes")
        yield* Fiber.join(running)
        const waited = (yield* store.responses({ limit: 3 }))
          .map((response) => response.waited)
          .toSorted((a, b) => a - b)
        assert.deepStrictEqual(waited, [0, 0, 60_000])
      }).pipe(Effect.provide(ingest(vendor.adapter)))
    }
  )
})
