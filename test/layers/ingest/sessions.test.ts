import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import * as Adapter from "../../../src/services/Adapter.ts"
import { VendorError } from "../../../src/services/Adapter.ts"
import { type FetchOptions, IngestSession, type OpenIngestSession } from "../../../src/services/IngestSession.ts"
import type { ArchivedBytes } from "../../../src/services/PayloadDraft.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { ingest } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

const bytesOf = (payload: ArchivedBytes): Uint8Array => {
  assert.instanceOf(payload, Uint8Array)
  return payload instanceof Uint8Array ? payload : new Uint8Array(0)
}
const anyAge: FetchOptions = { cacheMode: { _tag: "default", ttl: null } }
const refusal = (reason: Adapter.VendorErrorReason) => new VendorError({ vendor: "vendor", reason })

/** Answers what the params say. */
const vendor = () =>
  Vendor.make("vendor", ({ params }) => {
    switch (params) {
      case "rejected":
        return Effect.succeed(Vendor.answer("bad request", new Adapter.Rejected({ message: "no such field" })))
      case "unknown":
        return Effect.succeed(Vendor.answer("404", new Adapter.NotFound({ message: "no such symbol" })))
      case "denied":
        return Effect.fail(refusal(new Adapter.NotEntitled({ message: "not in your plan" })))
      case "unsupported":
        return Effect.fail(refusal(new Adapter.Unsupported({ message: "offers 1d" })))
      case "bug":
        return Effect.die(new Error("a bug in the adapter; key=x?apikey=TOPSECRET"))
      case "never":
        return Effect.never
      default:
        return Effect.succeed(Vendor.answer(`answer to ${JSON.stringify(params)}`))
    }
  })

/** Runs `use` in a session of its own and gives the session as the archive has it afterwards. */
const session = <E>(use: (session: OpenIngestSession) => Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const service = yield* IngestSession
    const exit = yield* Effect.exit(
      Effect.scoped(Effect.flatMap(service.open({ source: "vendor", mode: "sync", asOf: 5 }), use))
    )
    const [newest] = yield* store.sessions({ limit: 1 })
    return { exit, outcome: newest?.outcome, reason: newest?.reason, endedAt: newest?.endedAt }
  })

const calls = Effect.map(
  ProvenanceStore.use((store) => store.requests({ limit: 100 })),
  (requests) => requests.map(({ params, outcome, cause }) => ({ params, outcome, cause })).reverse()
)

describe("C1 session outcome", () => {
  it.effect("C1 ok when every call was served, also an empty session", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* session(() => Effect.void), { outcome: "ok", reason: null, endedAt: 0 })
      const { outcome } = yield* session((s) =>
        Effect.andThen(s.fetch(Vendor.request(1), anyAge), s.ask(Vendor.request("unknown"), anyAge))
      )
      assert.strictEqual(outcome, "ok")
    }).pipe(Effect.provide(ingest(vendor().adapter)))
  )

  it.effect("C1 partial when some calls failed and the session went on, failed when all did", () =>
    Effect.gen(function* () {
      const partial = yield* session((s) =>
        Effect.andThen(s.fetch(Vendor.request(1), anyAge), Effect.flip(s.fetch(Vendor.request("rejected"), anyAge)))
      )
      assert.deepInclude(partial, {
        outcome: "partial",
        reason: "1 of 2 calls failed; the last: vendor: no such field"
      })
      const failed = yield* session((s) => Effect.flip(s.fetch(Vendor.request("rejected"), anyAge)))
      assert.strictEqual(failed.outcome, "failed")
    }).pipe(Effect.provide(ingest(vendor().adapter)))
  )

  it.effect(
    "C1 failed when the session itself fails or dies, cancelled when it is interrupted; each with the reason",
    () =>
      Effect.gen(function* () {
        const failed = yield* session((s) =>
          Effect.andThen(s.fetch(Vendor.request(1), anyAge), s.fetch(Vendor.request("rejected"), anyAge))
        )
        assert.deepInclude(failed, { outcome: "failed", reason: "vendor: no such field" })
        const died = yield* session(() => Effect.die(new Error("a bug?apikey=TOPSECRET")))
        assert.deepInclude(died, { outcome: "failed", reason: "defect: Error: a bug?apikey=[redacted]" })
        const running = yield* Effect.forkChild(
          session((s) => s.fetch(Vendor.request("never"), anyAge)),
          { startImmediately: true }
        )
        yield* Effect.yieldNow
        yield* Fiber.interrupt(running)
        const [newest] = yield* (yield* ProvenanceStore).sessions({ limit: 1 })
        assert.deepInclude(newest, { outcome: "cancelled", reason: "interrupted", asOf: 5 })
      }).pipe(Effect.provide(ingest(vendor().adapter)))
  )

  it.effect("an unknown vendor leaves no session", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Effect.scoped((yield* IngestSession).open({ source: "nobody", mode: "sync" })))
      assert.strictEqual(failure.message, "no vendor named nobody; known: vendor")
      assert.deepStrictEqual(yield* (yield* ProvenanceStore).sessions({ limit: 1 }), [])
    }).pipe(Effect.provide(ingest(vendor().adapter)))
  )
})

describe("C2 every call is recorded", () => {
  it.effect("C2 answers, hits, refusals, failures and defects, each with its response and cause", () =>
    Effect.gen(function* () {
      const store = yield* ProvenanceStore
      yield* session((s) =>
        Effect.forEach(["fine", "fine", "rejected", "unknown", "denied", "unsupported"], (params) =>
          Effect.exit(s.fetch(Vendor.request(params), anyAge))
        )
      )
      const died = yield* session((s) => s.fetch(Vendor.request("bug"), anyAge))
      assert.isTrue(Exit.hasDies(died.exit))
      const recorded = yield* calls
      assert.sameDeepMembers(
        [...recorded],
        [
          { params: "fine", outcome: "fetched", cause: null },
          { params: "fine", outcome: "hit", cause: null },
          { params: "rejected", outcome: "failed", cause: "vendor: no such field" },
          { params: "unknown", outcome: "failed", cause: "vendor: no such symbol" },
          { params: "denied", outcome: "failed", cause: "vendor: not in your plan" },
          { params: "unsupported", outcome: "failed", cause: "vendor: offers 1d" },
          { params: "bug", outcome: "failed", cause: "defect: Error: a bug in the adapter; key=x?apikey=[redacted]" }
        ]
      )
      const responses = yield* store.responses({ limit: 100 })
      assert.deepStrictEqual(responses.map(({ status, sizeBytes }) => ({ status, sizeBytes })).reverse(), [
        { status: "ok", sizeBytes: 16 },
        { status: "error", sizeBytes: 11 },
        { status: "not_found", sizeBytes: 3 },
        { status: "not_entitled", sizeBytes: 0 },
        { status: "error", sizeBytes: 0 },
        { status: "error", sizeBytes: 0 }
      ])
      for (const call of yield* store.requests({ limit: 100 })) {
        assert.isNotNull(call.response, `the call ${JSON.stringify(call.params)} names its response`)
      }
    }).pipe(Effect.provide(ingest(vendor().adapter)))
  )

  it.effect("C2 `ask` takes a written refusal for an answer and gives its bytes", () =>
    Effect.gen(function* () {
      yield* session((s) =>
        Effect.gen(function* () {
          const unknown = yield* s.ask(Vendor.request("unknown"), anyAge)
          assert.deepInclude(unknown, { refusal: "NotFound", served: "vendor" })
          assert.strictEqual(Vendor.text(bytesOf(unknown.payload)), "404")
          const denied = yield* s.ask(Vendor.request("denied"), anyAge)
          assert.deepInclude(denied, { refusal: "NotEntitled" })
          assert.strictEqual(bytesOf(denied.payload).length, 0)
          const fine = yield* s.ask(Vendor.request("fine"), anyAge)
          assert.isNull(fine.refusal)
          const rejected = yield* Effect.flip(s.ask(Vendor.request("rejected"), anyAge))
          assert.strictEqual(rejected.reason._tag, "VendorError")
        })
      )
      assert.deepStrictEqual(
        (yield* calls).map(({ outcome }) => outcome),
        ["fetched", "fetched", "fetched", "failed"]
      )
    }).pipe(Effect.provide(ingest(vendor().adapter)))
  )

  it.effect("C2 an interrupted call is closed as cancelled", () =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(
        session((s) => s.fetch(Vendor.request("never"), anyAge)),
        { startImmediately: true }
      )
      while ((yield* calls).length === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(yield* calls, [{ params: "never", outcome: "cancelled", cause: "interrupted" }])
    }).pipe(Effect.provide(ingest(vendor().adapter)))
  )
})
