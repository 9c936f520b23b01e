/** How the API is described, bounded and counted, and what /readyz says of live streams. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Routes from "../../../../src/rpc/server/http/Routes.ts"
import { settled } from "../../../layers/stitching/support.ts"
import { began } from "../../../layers/streams/support.ts"
import { listen, pushing, pushServer, ticker } from "../feed/support.ts"
import { ask, serve } from "../support.ts"

describe("/openapi.json and /docs", () => {
  it.effect("describe everything that is served", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { paths, tags } = JSON.parse((yield* ask(port, { path: "/openapi.json" })).text)
      const ofThemselves = new Set(["/", "/openapi.json", "/docs"])
      assert.sameMembers(
        Object.keys(paths),
        Routes.all.filter((template) => !ofThemselves.has(template))
      )
      for (const [template, item] of Object.entries(paths)) {
        const described = Object.keys(Object(item)).map((method) => method.toUpperCase())
        const allow = (Routes.allowOf(template) ?? "").split(", ")
        for (const method of described) assert.include(allow, method, template)
      }
      const limit = paths["/prices"].get.parameters.find(({ name }: { name: string }) => name === "limit")
      assert.deepInclude(limit.schema, { type: "integer", maximum: 5_000 })
      for (const [template, item] of Object.entries(paths)) {
        for (const { description, name, schema } of Object(item).get?.parameters ?? []) {
          assert.match(JSON.stringify([description, schema]), /"description":|^\["/, `${name} of ${template}`)
        }
      }
      const page = yield* ask(port, { path: "/docs" })
      assert.strictEqual(page.status, 200)
      assert.match(page.headers["content-type"] ?? "", /^text\/html/)
      const html = page.bytes.toString()
      for (const template of Object.keys(paths)) assert.include(html, `<code>${template}</code>`)
      for (const { name } of tags) assert.include(html, `<h2 id="${name}">`)
    })
  )

  it.effect("need nothing that is elsewhere, and run nothing", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const page = yield* ask(port, { path: "/docs" })
      const html = page.bytes.toString()
      assert.notMatch(html, /https?:\/\//)
      assert.notMatch(html, /<script|@import|url\(/)
      assert.match(String(page.headers["content-security-policy"]), /default-src 'none'/)
      const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
      assert.strictEqual(new Set(ids).size, ids.length)
    })
  )
})

describe("an endpoint of market data", () => {
  it.effect("may be asked by the pages that are allowed, and by no others", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ allowedOrigins: ["https://desk.example"] })
      const path = "/positions"
      const preflight = yield* ask(port, { path, method: "OPTIONS", headers: { origin: "https://desk.example" } })
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers["access-control-allow-methods"], "GET, HEAD, OPTIONS")
      const own = yield* ask(port, { path, headers: { origin: "https://desk.example" } })
      assert.strictEqual(own.headers["access-control-allow-origin"], "https://desk.example")
      assert.strictEqual((yield* ask(port, { path, headers: { origin: "https://evil.example" } })).status, 403)
      const nobody = JSON.parse(own.text)
      assert.deepInclude(nobody, { status: 404, error: "NoVendor" })
    })
  )

  it.effect("that is asked too often says so, and the others go on", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const statuses = yield* Effect.forEach(
        Array.from({ length: 410 }),
        () => Effect.map(ask(port, { path: "/account" }), ({ headers, status }) => ({ status, headers })),
        { concurrency: 16 }
      )
      const refused = statuses.filter(({ status }) => status === 429)
      assert.strictEqual(refused.length, 10)
      assert.strictEqual(refused[0]?.headers["retry-after"], "1")
      assert.strictEqual((yield* ask(port, { path: "/positions" })).status, 404)
      const { text } = yield* ask(port, { path: "/metrics" })
      assert.match(
        text,
        /^market_data_requests_total\{method="GET",endpoint="\/account",status_code="429"\} [1-9]\d*$/m
      )
      assert.match(text, /^market_data_request_duration_seconds_count [1-9]\d*$/m)
    })
  )
})

describe("/readyz", () => {
  it.effect("is 503 while a stream that is wanted does not run, and says which", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor)
      const ready = Effect.map(ask(port, { path: "/readyz" }), ({ lines }) => lines[0] ?? {})
      assert.deepInclude(yield* ready, { status: "ready", active_streams: 0, subscriptions_rehydrated: true })
      const client = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* vendor.sink("quotes", "SPY")
      assert.deepInclude(yield* ready, { status: "ready", active_streams: 1 }, "one that begins is no outage")
      sink.event({ _tag: "Started", at: began })
      sink.event({ _tag: "Gap", from: began, reason: "lost" })
      yield* client.until(({ type }) => type === "gap")
      const broken = yield* ask(port, { path: "/readyz" })
      assert.strictEqual(broken.status, 503)
      assert.deepInclude(broken.lines[0], { ready: false, status: "not ready", subscriptions_rehydrated: false })
      assert.include(broken.text, "1 of 1 do not run, among them quotes of SPY (desk)")
      sink.event({ _tag: "Resumed", to: began + 1 })
      sink.row(ticker(1))
      yield* settled
      assert.strictEqual((yield* ask(port, { path: "/readyz" })).status, 200)
    })
  )
})
