/** What of a call at a vendor is counted: each attempt once, by how it ended, and the archive's part. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Metric } from "effect"
import { RetryPolicy } from "../../../src/layers/ingest/RetryPolicy.ts"
import * as Adapter from "../../../src/services/Adapter.ts"
import { type FetchOptions, IngestSession } from "../../../src/services/IngestSession.ts"
import * as Metrics from "../../../src/services/Metrics.ts"
import { ingest } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

const cached: FetchOptions = { cacheMode: { _tag: "default", ttl: null } }
const count = (metric: Metric.Metric<number, Metric.CounterState<number>>) =>
  Effect.map(Metric.value(metric), (state) => state.count)

/** One attempt a call, and counters of its own. */
const counted = <A, E>(vendor: Vendor.ScriptedVendor, body: Effect.Effect<A, E, IngestSession>) =>
  body.pipe(
    Effect.provide(
      ingest(vendor.adapter).pipe(
        Layer.provide(Layer.succeed(RetryPolicy, { attempts: 1, base: 1, cap: 1, patience: 1 }))
      )
    ),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

const asks = ({ params }: Adapter.VendorRequest, what: string) => JSON.stringify(params).includes(what)

const refusing = Vendor.make("vendor", (request) =>
  asks(request, "gone")
    ? Effect.fail(new Adapter.VendorError({ vendor: "vendor", reason: new Adapter.Unavailable({ message: "gone" }) }))
    : asks(request, "never")
      ? Effect.never
      : Effect.succeed(Vendor.answer("0123456789"))
)

describe("metrics of calls at a vendor", () => {
  it.effect("count attempts by status, bytes, hits and misses, and how long the quota made them wait", () =>
    counted(
      refusing,
      Effect.scoped(
        Effect.gen(function* () {
          const session = yield* (yield* IngestSession).open({ source: "vendor", mode: "sync" })
          yield* session.fetch(Vendor.request({ a: 1 }), cached)
          yield* session.fetch(Vendor.request({ a: 1 }), cached)
          yield* session.fetch(Vendor.request({ a: 1 }), { cacheMode: { _tag: "bypass" } })
          yield* Effect.flip(session.fetch(Vendor.request({ gone: true }), cached))
          const given = yield* Effect.forkChild(session.fetch(Vendor.request({ never: true }), cached))
          while (!refusing.asked.some((request) => asks(request, "never"))) yield* Effect.yieldNow
          yield* Fiber.interrupt(given)
          while ((yield* count(Metrics.vendorRequests("vendor", "cancelled"))) === 0) yield* Effect.yieldNow
          assert.strictEqual(yield* count(Metrics.vendorRequests("vendor", "ok")), 2)
          assert.strictEqual(yield* count(Metrics.vendorRequests("vendor", "error")), 1)
          assert.strictEqual(yield* count(Metrics.vendorRequests("vendor", "cancelled")), 1)
          assert.strictEqual(yield* count(Metrics.archiveHits), 1)
          assert.strictEqual(yield* count(Metrics.archiveMisses), 3, "a bypass asks the archive nothing")
          assert.strictEqual(yield* count(Metrics.archiveBytes), 20)
          assert.strictEqual((yield* Metric.value(Metrics.quotaWaitSeconds("vendor-account"))).count, 4)
        })
      )
    )
  )
})
