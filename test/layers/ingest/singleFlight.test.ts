import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { CacheMode } from "../../../src/domain/Request.ts"
import { FirstByte, Unavailable, type VendorAnswer, VendorError } from "../../../src/services/Adapter.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"
import { ingest, ingestOver } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

const anyAge: CacheMode = { _tag: "default", ttl: null }
const bypass: CacheMode = { _tag: "bypass" }

/** A vendor that answers when the test says so, and says whether it was interrupted. */
const held = (onStart: Effect.Effect<void> = Effect.void) => {
  const gate = Deferred.makeUnsafe<VendorAnswer, VendorError>()
  const state = { interrupted: 0 }
  const vendor = Vendor.make("vendor", () =>
    Effect.andThen(onStart, Deferred.await(gate)).pipe(
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          state.interrupted += 1
        })
      )
    )
  )
  return { vendor, gate, state }
}

const outcomes = Effect.map(
  ProvenanceStore.use((store) => store.requests({ limit: 2_000 })),
  (requests) => {
    const counts: Record<string, number> = {}
    for (const { outcome } of requests) counts[outcome ?? "open"] = (counts[outcome ?? "open"] ?? 0) + 1
    return counts
  }
)

const fetcher = Effect.gen(function* () {
  const session = yield* (yield* IngestSession).open({ source: "vendor", mode: "async" })
  return (cacheMode: CacheMode = anyAge, params: string = "same") =>
    session.fetch(Vendor.request(params), { cacheMode })
})

/** Lets every fiber get as far as it can. */
const settle = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, { discard: true })
const until = (ready: () => boolean) =>
  Effect.gen(function* () {
    while (!ready()) yield* Effect.yieldNow
  })

describe("C20 single flight", () => {
  it.effect("C20 stampede: a thousand identical calls make one request, in sessions of their own too", () => {
    const { vendor, gate } = held()
    return Effect.gen(function* () {
      const one = yield* fetcher
      const other = yield* fetcher
      const fibers = yield* Effect.forEach(Array.from({ length: 1_000 }), (_, index) =>
        Effect.forkChild(index % 2 === 0 ? one() : other(), { startImmediately: true })
      )
      yield* settle
      yield* Deferred.succeed(gate, Vendor.answer("once"))
      const answers = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(vendor.asked.length, 1)
      assert.strictEqual(answers.filter(({ served }) => served === "vendor").length, 1)
      assert.strictEqual(answers.filter(({ served }) => served === "flight").length, 999)
      assert.strictEqual(new Set(answers.map(({ response }) => response.id)).size, 1)
      assert.deepStrictEqual(yield* outcomes, { fetched: 1, shared: 999 })
      const shared = yield* (yield* ProvenanceStore).requests({ limit: 1_000 })
      assert.strictEqual(new Set(shared.map(({ response }) => response)).size, 1)
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("C20 other requests are not held up, and a failure reaches every passenger", () => {
    const gate = Deferred.makeUnsafe<VendorAnswer, VendorError>()
    const vendor = Vendor.make("vendor", ({ params }) =>
      params === "same" ? Deferred.await(gate) : Effect.succeed(Vendor.answer("other"))
    )
    return Effect.gen(function* () {
      const fetch = yield* fetcher
      const waiting = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Effect.flip(fetch()), { startImmediately: true })
      )
      assert.strictEqual((yield* fetch(anyAge, "another")).served, "vendor")
      yield* Deferred.die(gate, new Error("broken")).pipe(Effect.andThen(settle))
      const exits = yield* Effect.forEach(waiting, Fiber.await)
      assert.deepStrictEqual(
        exits.map(({ _tag }) => _tag),
        ["Failure", "Failure", "Failure"]
      )
      assert.deepStrictEqual(yield* outcomes, { fetched: 1, failed: 3 })
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("the last passenger who leaves interrupts the flight, and the next caller starts afresh", () => {
    const { vendor, gate, state } = held()
    return Effect.gen(function* () {
      const fetch = yield* fetcher
      const first = yield* Effect.forkChild(fetch(), { startImmediately: true })
      const second = yield* Effect.forkChild(fetch(), { startImmediately: true })
      yield* until(() => vendor.asked.length === 1)
      yield* settle
      yield* Fiber.interrupt(first)
      assert.strictEqual(state.interrupted, 0, "somebody still waits")
      yield* Fiber.interrupt(second)
      assert.strictEqual(state.interrupted, 1)
      assert.deepStrictEqual(yield* outcomes, { cancelled: 2 })
      const third = yield* Effect.forkChild(fetch(), { startImmediately: true })
      yield* until(() => vendor.asked.length === 2)
      yield* Deferred.succeed(gate, Vendor.answer("second try"))
      assert.strictEqual((yield* Fiber.join(third)).served, "vendor")
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("the first passenger may leave: the flight goes on for the others, recorded under its own request", () => {
    const { vendor, gate, state } = held()
    return Effect.gen(function* () {
      const fetch = yield* fetcher
      const first = yield* Effect.forkChild(fetch(), { startImmediately: true })
      yield* until(() => vendor.asked.length === 1)
      const second = yield* Effect.forkChild(fetch(), { startImmediately: true })
      yield* settle
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, Vendor.answer("once"))
      assert.strictEqual((yield* Fiber.join(second)).served, "flight")
      assert.strictEqual(state.interrupted, 0)
      assert.deepStrictEqual(yield* outcomes, { fetched: 1, shared: 1 })
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("once bytes have begun to arrive, the flight is finished and archived without passengers", () => {
    const began = Effect.flatMap(FirstByte, (tell) => Effect.sync(tell))
    const { vendor, gate, state } = held(began)
    return Effect.gen(function* () {
      const fetch = yield* fetcher
      const caller = yield* Effect.forkChild(fetch(), { startImmediately: true })
      yield* until(() => vendor.asked.length === 1)
      yield* settle
      yield* Fiber.interrupt(caller)
      assert.strictEqual(state.interrupted, 0)
      // Whoever comes meanwhile joins it.
      const late = yield* Effect.forkChild(fetch(bypass), { startImmediately: true })
      yield* settle
      yield* Deferred.succeed(gate, Vendor.answer("paid for"))
      assert.strictEqual((yield* Fiber.join(late)).served, "flight")
      assert.strictEqual((yield* fetch()).served, "archive")
      assert.strictEqual(vendor.asked.length, 1)
      assert.deepStrictEqual(yield* outcomes, { fetched: 1, shared: 1, hit: 1 })
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("bytes that came are archived also when everything is shut down; what had not come is cancelled", () => {
    const began = Effect.flatMap(FirstByte, (tell) => Effect.sync(tell))
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { vendor } = held(began)
      yield* Effect.gen(function* () {
        const fetch = yield* fetcher
        yield* Effect.forkDetach(fetch(), { startImmediately: true })
        yield* until(() => vendor.asked.length === 1)
      }).pipe(Effect.provide(ingestOver({ directory }, [vendor.adapter])))
      const again = Vendor.make("vendor", () => Effect.succeed(Vendor.answer("x")))
      const found = yield* outcomes.pipe(Effect.provide(ingestOver({ directory }, [again.adapter])))
      assert.deepStrictEqual(found, { cancelled: 1 })
    })
  })

  it.effect("nobody retries for passengers who have left", () => {
    const gate = Deferred.makeUnsafe<void>()
    const vendor = Vendor.make("vendor", () =>
      Effect.gen(function* () {
        const tell = yield* FirstByte
        tell()
        yield* Deferred.await(gate)
        return yield* new VendorError({ vendor: "vendor", reason: new Unavailable({ message: "cut off" }) })
      })
    )
    return Effect.gen(function* () {
      const fetch = yield* fetcher
      const caller = yield* Effect.forkChild(fetch(), { startImmediately: true })
      yield* until(() => vendor.asked.length === 1)
      yield* Fiber.interrupt(caller)
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.strictEqual(vendor.asked.length, 1)
      assert.deepStrictEqual(yield* outcomes, { failed: 1 })
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })
})
