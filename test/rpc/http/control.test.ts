/** The control plane over HTTP: what it answers, how it refuses, and what is counted. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Layer, References } from "effect"
import { ControlPlane, type SchemaReport } from "../../../src/services/ControlPlane.ts"
import {
  MarketStoreError,
  StoreFull,
  StoreSchemaMismatch,
  StoreTenantDenied,
  StoreTimeout,
  StoreUnavailable
} from "../../../src/services/MarketStore.ts"
import { World, layer as world } from "../handlers/world.ts"
import { servedWith } from "../overTransports.ts"
import { ask, serve } from "./support.ts"

const report: SchemaReport = {
  version: 7,
  expected: 8,
  state: "behind",
  migrations: [{ id: 8, name: "more", state: "pending" }]
}
const answering = (schema: ControlPlane["Service"]["schema"]) => Layer.mock(ControlPlane, { schema })

const problemOf = (answer: { readonly text: string }): Record<string, unknown> => JSON.parse(answer.text)

layer(world(), { excludeTestServices: true })("GET /schema/version of a real server", (it) => {
  it.effect("says what the store has", () =>
    Effect.gen(function* () {
      const { http } = yield* servedWith({})
      const { dataDir } = yield* World
      const { expected, state, version } = yield* (yield* ControlPlane).schema
      const { port } = http ?? { port: 0 }
      const answer = yield* ask(port, { path: "/schema/version" })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.match(answer.headers["content-type"] ?? "", /^application\/json/)
      assert.deepStrictEqual(JSON.parse(answer.text), { version, expected, state })
      assert.isAbove(version, 5)
      assert.notInclude(answer.text, dataDir)
      assert.strictEqual((yield* ask(port, { path: "/schema/version", method: "HEAD" })).status, 200)
    })
  )
})

describe("the control plane over HTTP", () => {
  it.effect("is described by /openapi.json", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const answer = yield* ask(port, { path: "/openapi.json" })
      assert.strictEqual(answer.status, 200)
      const { openapi, paths } = JSON.parse(answer.text)
      assert.match(openapi, /^3\./)
      assert.includeMembers(Object.keys(paths), ["/schema/version"])
      const responses = paths["/schema/version"].get.responses
      assert.includeMembers(Object.keys(responses), ["200", "409", "503"])
      assert.deepStrictEqual(Object.keys(responses["503"].content), ["application/problem+json"])
    })
  )

  const message = "the database db:5432/x is on fire"
  for (const [reason, status, title] of [
    [new StoreUnavailable({ message }), 503, "Service Unavailable"],
    [new StoreTimeout({ message }), 504, "Gateway Timeout"],
    [new StoreFull({ message }), 507, "Insufficient Storage"],
    [new StoreTenantDenied({ message }), 403, "Forbidden"],
    [new StoreSchemaMismatch({ message }), 409, "Conflict"]
  ] as const) {
    it.effect(`says ${reason._tag} as problem details`, () =>
      Effect.gen(function* () {
        const failing = answering(Effect.fail(new MarketStoreError({ reason })))
        const { port } = yield* serve({}, undefined, failing)
        const answer = yield* ask(port, { path: "/schema/version" })
        assert.strictEqual(answer.status, status)
        assert.match(answer.headers["content-type"] ?? "", /^application\/problem\+json/)
        assert.deepStrictEqual(problemOf(answer), {
          type: "about:blank",
          title,
          status,
          detail: message,
          error: `MarketStoreError/${reason._tag}`
        })
      })
    )
  }

  it.effect("says of a defect nothing but its incident", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({}, undefined, answering(Effect.die(new Error("a secret"))))
      const answer = yield* ask(port, { path: "/schema/version" })
      assert.strictEqual(answer.status, 500)
      assert.notInclude(answer.text, "secret")
      const { error, incident, status } = problemOf(answer)
      assert.deepStrictEqual({ error, status }, { error: "InternalError", status: 500 })
      assert.match(String(incident), /^[0-9a-z]{8}$/)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

  it.effect("is for the hosts and origins that all is for", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({}, undefined, answering(Effect.succeed(report)))
      const path = "/schema/version"
      for (const headers of [{ host: "evil.example" }, { origin: "https://evil.example" }]) {
        assert.strictEqual((yield* ask(port, { path, headers })).status, 403)
      }
      assert.strictEqual((yield* ask(port, { path, method: "POST" })).status, 405)
      assert.strictEqual((yield* ask(port, { path })).status, 200)
    })
  )

  it.effect("refuses with 503 when the server drains", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve({}, undefined, answering(Effect.succeed(report)))
      yield* host.drain
      const answer = yield* ask(port, { path: "/schema/version" })
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(problemOf(answer).error, "ShuttingDown")
      assert.strictEqual(answer.headers["retry-after"], "1")
    })
  )

  it.effect("who asks first and leaves does not take the others with him", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({}, undefined, answering(Effect.succeed(report)))
      const first = yield* Effect.forkChild(ask(port, { path: "/schema/version" }), { startImmediately: true })
      yield* Effect.exit(Effect.timeout(Effect.never, 0))
      first.interruptUnsafe()
      const exit = yield* Effect.exit(ask(port, { path: "/schema/version" }))
      assert.isTrue(Exit.isSuccess(exit) && exit.value.status === 200)
    })
  )

  it.effect("is counted by method, endpoint and status, and never by what a client writes", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({}, undefined, answering(Effect.succeed({ ...report, version: 4_711 })))
      yield* ask(port, { path: "/schema/version?x=1" })
      yield* ask(port, { path: "//schema//version/" })
      yield* ask(port, { path: "/never-heard-of/4711" })
      yield* ask(port, { path: "/healthz", method: "DELETE" })
      const { text } = yield* ask(port, { path: "/metrics" })
      const of = (labels: string) => new RegExp(`^http_requests_total\\{${labels}\\} (\\d+)$`, "m").exec(text)?.[1]
      assert.isAtLeast(Number(of('method="GET",endpoint="/schema/version",status="200"')), 2)
      assert.isAtLeast(Number(of('method="GET",endpoint="other",status="404"')), 1)
      assert.isAtLeast(Number(of('method="other",endpoint="/healthz",status="405"')), 1)
      assert.notInclude(text, "never-heard-of")
      assert.notInclude(text, "DELETE")
      assert.match(text, /^http_request_duration_seconds_count\{method="GET",endpoint="\/schema\/version"\} \d+$/m)
    })
  )
})
