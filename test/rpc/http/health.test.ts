import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Metric, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import { unlimited } from "../../../src/domain/VendorLimits.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import type { Adapter } from "../../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { MarketStreams, type StreamState } from "../../../src/services/MarketStreams.ts"
import { ArchiveUnavailable, ProvenanceStore, ProvenanceStoreError } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import type { VendorSession } from "../../../src/services/VendorSession.ts"
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
      const alive = yield* ask(port, { path: "/healthz" })
      assert.strictEqual(alive.status, 200)
      const components = [{ name: "server", state: "healthy", details: {} }]
      assert.deepStrictEqual(alive.lines, [{ alive: true, state: "healthy", components }])
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
          active_streams: 0,
          streams: { live: 0, waiting: 0, broken: 0 }
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

const stateOf = (state: StreamState["state"], symbol: string): StreamState => ({
  key: { vendor: "gate", symbol, kind: "quotes", timeframe: null, params: {} },
  state,
  consumers: 1,
  rows: 0,
  through: null,
  heardAt: null,
  opened: 1,
  gaps: 0
})

const sessionOf = (over: Partial<VendorSession>): VendorSession => ({
  vendor: "gate",
  place: "127.0.0.1:4001",
  state: "ready",
  problem: null,
  connection: 1,
  clientId: 7,
  serverVersion: 193,
  connectedAt: null,
  accounts: [],
  upstream: true,
  farms: [],
  clockSkew: null,
  lines: 0,
  ...over
})

/** A server with a vendor that has a session, and streams as they stand. */
const liveServer = Effect.fnUntraced(function* (
  session: Partial<VendorSession>,
  states: ReadonlyArray<StreamState["state"]>,
  path = "/readyz"
) {
  const now = Effect.succeed(sessionOf(session))
  const registry = Layer.effectDiscard(
    Effect.flatMap(AdapterRegistry, (known) =>
      known.register(
        Effect.succeed<Adapter>({
          name: "gate",
          type: "gate",
          description: "",
          account: "gate",
          limits: unlimited,
          symbols: Effect.succeed([]),
          ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "" }),
          session: { now, changes: Stream.fromEffect(now), connect: Effect.void }
        })
      )
    )
  ).pipe(Layer.orDie, Layer.provideMerge(AdapterRegistryInMemory.layer))
  const streams = Layer.mock(MarketStreams, {
    states: Effect.succeed(states.map((state, at) => stateOf(state, `S${at}`)))
  })
  const live = Layer.mergeAll(registry, streams, Layer.mock(StitchingCache, {}))
  const { port } = yield* serve({}, undefined, undefined, undefined, live)
  return yield* ask(port, { path })
})

describe("/healthz of a server with live data", () => {
  it.effect("tells how sessions and streams stand, and is 200 however that is", () =>
    Effect.gen(function* () {
      const well = yield* liveServer({ state: "idle" }, ["live"], "/healthz")
      assert.include(well.text, `"state":"healthy"`)
      const away = yield* liveServer({ state: "reconnecting", problem: "refused" }, ["gap", "live"], "/healthz")
      assert.strictEqual(away.status, 200)
      const place = sessionOf({}).place
      assert.deepStrictEqual(away.lines, [
        {
          alive: true,
          state: "degraded",
          components: [
            { name: "server", state: "healthy", details: {} },
            { name: "session gate", state: "unhealthy", details: { state: "reconnecting", place, problem: "refused" } },
            { name: "streams", state: "degraded", details: { active: "2", waiting: "0", broken: "1" } }
          ]
        }
      ])
    })
  )
})

describe("/readyz of a server with live data", () => {
  it.effect("is 200 though streams wait for room at their vendor, or were refused by it, and says so", () =>
    Effect.gen(function* () {
      const answer = yield* liveServer({}, ["live", "filling", "waiting", "closed", "live"])
      assert.strictEqual(answer.status, 200)
      assert.deepInclude(answer.lines[0], {
        subscriptions_rehydrated: true,
        active_streams: 4,
        streams: { live: 3, waiting: 1, broken: 0 }
      })
      assert.include(answer.text, `{"name":"streams","ok":true,"detail":"3 run; 1 of 4 wait for room at their vendor"}`)
      assert.include(answer.text, `{"name":"session gate","ok":true,"detail":"ready"}`)
    })
  )

  it.effect("is 503 while one of many is broken, and names it", () =>
    Effect.gen(function* () {
      const answer = yield* liveServer({}, ["live", "gap", "waiting"])
      assert.strictEqual(answer.status, 503)
      assert.deepInclude(answer.lines[0], {
        subscriptions_rehydrated: false,
        streams: { live: 1, waiting: 1, broken: 1 }
      })
      assert.include(answer.text, "1 of 3 do not run, among them quotes of S1 (gate)")
    })
  )

  it.effect("is 503 until a session that is needed is connected, and never for one that nobody has needed", () =>
    Effect.gen(function* () {
      for (const [state, status] of [
        ["idle", 200],
        ["connecting", 503],
        ["reconnecting", 503],
        ["closed", 503]
      ] as const) {
        const answer = yield* liveServer({ state, problem: state === "idle" ? null : "refused" }, [])
        assert.strictEqual(answer.status, status, state)
      }
      const lost = yield* liveServer({ state: "degraded", upstream: false, problem: "IB is away" }, [])
      assert.strictEqual(lost.status, 503)
      assert.include(lost.text, `{"name":"session gate","ok":false,"detail":"degraded: IB is away"}`)
      assert.strictEqual((yield* liveServer({ state: "degraded", problem: "a farm" }, [])).status, 200)
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
