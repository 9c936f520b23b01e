import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Metric, References } from "effect"
import { TestClock } from "effect/testing"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ArchiveUnavailable, ProvenanceStore, ProvenanceStoreError } from "../../../src/services/ProvenanceStore.ts"
import { ask, call, post, serve } from "./support.ts"

const failing = Layer.mergeAll(
  Layer.mock(MarketStore, { newestResponse: Effect.succeed(null) }),
  Layer.mock(ProvenanceStore, {
    sessions: () =>
      Effect.fail(new ProvenanceStoreError({ reason: new ArchiveUnavailable({ message: "the disk is gone" }) }))
  })
)
describe("/healthz and /readyz", () => {
  it.effect("say that all is well, to GET and to HEAD", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      assert.strictEqual((yield* ask(port, { path: "/healthz" })).status, 200)
      const ready = yield* ask(port, { path: "/readyz" })
      assert.strictEqual(ready.status, 200)
      assert.deepStrictEqual(ready.lines, [
        {
          ready: true,
          checks: [
            { name: "archive", ok: true, detail: "answers" },
            { name: "market store", ok: true, detail: "answers" },
            { name: "server", ok: true, detail: "takes calls" }
          ],
          status: "ready",
          subscriptions_rehydrated: true,
          active_streams: 0
        }
      ])
      for (const path of ["/healthz", "/readyz", "/metrics"]) {
        const answer = yield* ask(port, { path, method: "HEAD" })
        assert.strictEqual(answer.status, 200, path)
        assert.strictEqual(answer.text, "")
      }
    })
  )

  it.effect("name the store that fails", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({}, failing)
      assert.strictEqual((yield* ask(port, { path: "/healthz" })).status, 200)
      const answer = yield* ask(port, { path: "/readyz" })
      assert.strictEqual(answer.status, 503)
      assert.include(answer.text, `{"name":"archive","ok":false,"detail":"the disk is gone"}`)
      assert.include(answer.text, `{"name":"market store","ok":true`)
    })
  )

  it.effect("do not wait for a store that hangs", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const hanging = Layer.mergeAll(
        Layer.mock(MarketStore, { newestResponse: Effect.andThen(Deferred.succeed(asked, undefined), Effect.never) }),
        Layer.mock(ProvenanceStore, { sessions: () => Effect.succeed([]) })
      )
      const { port } = yield* serve({}, hanging)
      const asking = yield* Effect.forkChild(ask(port, { path: "/readyz" }))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("2 seconds")
      const answer = yield* Fiber.join(asking)
      assert.strictEqual(answer.status, 503)
      assert.include(answer.text, `{"name":"market store","ok":false,"detail":"did not answer within 2 seconds"}`)
    })
  )

  it.effect("say of a defect nothing but its incident", () =>
    Effect.gen(function* () {
      const broken = Layer.mergeAll(
        Layer.mock(MarketStore, { newestResponse: Effect.die(new Error("a secret")) }),
        Layer.mock(ProvenanceStore, { sessions: () => Effect.succeed([]) })
      )
      const { port } = yield* serve({}, broken)
      const answer = yield* ask(port, { path: "/readyz" })
      assert.strictEqual(answer.status, 500)
      assert.deepInclude(answer.lines[0], { status: 500, error: "InternalError" })
      assert.isString(answer.lines[0]?.incident)
      assert.notInclude(answer.text, "secret")
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

  it.effect("say that the server drains, and POST is told ShuttingDown", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      yield* host.drain
      assert.strictEqual((yield* ask(port, { path: "/healthz" })).status, 200)
      const ready = yield* ask(port, { path: "/readyz" })
      assert.strictEqual(ready.status, 503)
      assert.include(ready.text, `{"name":"server","ok":false,"detail":"is shutting down"}`)
      const refused = yield* post(port, call("1", "Echo", { text: "x" }))
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers.connection, "close")
      assert.include(
        refused.text,
        `"requestId":"1","exit":{"_tag":"Failure","cause":[{"_tag":"Fail","error":{"_tag":"ShuttingDown"`
      )
    })
  )
})

describe("/metrics", () => {
  it.effect("shows the metrics of the process in Prometheus' format", () =>
    Effect.gen(function* () {
      yield* Metric.update(Metric.counter("test_http_listener_total", { description: "for a test" }), 3)
      const { port } = yield* serve()
      const answer = yield* ask(port, { path: "/metrics" })
      assert.strictEqual(answer.status, 200)
      assert.match(answer.headers["content-type"] ?? "", /^text\/plain; version=0.0.4/)
      assert.include(answer.text, "# TYPE test_http_listener_total counter\n")
      assert.match(answer.text, /^test_http_listener_total 3$/m)
    })
  )
})
