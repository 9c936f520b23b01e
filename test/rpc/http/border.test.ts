/** Who may ask: the rules of Host and Origin, on every path and on the WebSocket upgrade. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask, call, head, post, raw, serve, upgrade } from "./support.ts"

const hello = call("1", "Echo", { text: "hello" })

/** The status that a POST, a GET and an upgrade with these headers get; a WebSocket that is opened counts as 200. */
const statuses = Effect.fnUntraced(function* (port: number, headers: Readonly<Record<string, string>>) {
  const answers = [
    yield* post(port, hello, headers),
    yield* ask(port, { path: "/healthz", headers }),
    yield* ask(port, { path: "/nothing", headers }),
    yield* ask(port, { path: "/metrics", method: "HEAD", headers })
  ]
  const upgraded = yield* raw(
    port,
    // A close frame, so that an opened WebSocket ends.
    Buffer.concat([Buffer.from(head("GET /rpc", { ...headers, ...upgrade })), Buffer.from([0x88, 0x80, 0, 0, 0, 0])])
  )
  const status = Number(/^HTTP\/1.1 (\d+)/.exec(upgraded)?.[1])
  return [...answers.map((answer) => (answer.status === 404 ? 200 : answer.status)), status === 101 ? 200 : status]
})

const all = (status: number) => [status, status, status, status, status]

describe("Host", () => {
  it.effect("serves loopback names, whatever their spelling", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      for (const host of [
        "localhost",
        `localhost:${port}`,
        "LocalHost:1",
        "localhost.",
        `localhost.:${port}`,
        "127.0.0.1",
        "127.255.0.9:80",
        "[::1]",
        "[::1]:7070"
      ]) {
        assert.deepStrictEqual(yield* statuses(port, { host }), all(200), host)
      }
    })
  )

  it.effect("refuses every other name with 403, also one that was rebound to loopback", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      for (const host of [
        "evil.example",
        `evil.example:${port}`,
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "127.0.0.256",
        "127.0.0.1.nip.io",
        "192.168.1.5",
        "0.0.0.0",
        "[::]",
        "[::2]",
        "user@localhost",
        "localhost:x",
        "localhost, evil.example",
        "loc%61lhost"
      ]) {
        assert.deepStrictEqual(yield* statuses(port, { host }), all(403), host)
      }
      const answer = yield* ask(port, { path: "/readyz", headers: { host: "evil.example" } })
      assert.strictEqual(answer.lines.length, 1)
      assert.strictEqual(answer.lines[0]?.error, "Forbidden")
      assert.strictEqual(answer.headers["content-type"], "application/problem+json")
      assert.include(String(answer.lines[0]?.detail), "allowedHosts")
    })
  )

  it.effect("serves the names that are listed and the address that it listens at", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ host: "localhost", allowedHosts: ["Data.Example", "box:9000", "[fe80::1]"] })
      for (const host of ["data.example", "DATA.example.:443", "box:9000", "[fe80::1]:7070"]) {
        assert.deepStrictEqual(yield* statuses(port, { host }), all(200), host)
      }
      for (const host of ["box", "box:9001", "sub.data.example"]) {
        assert.deepStrictEqual(yield* statuses(port, { host }), all(403), host)
      }
    })
  )

  it.effect("is there once: none is 400, and so are several", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      assert.match(yield* raw(port, "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n"), /^HTTP\/1.1 400 /)
      assert.match(yield* raw(port, "GET /healthz HTTP/1.0\r\n\r\n"), /^HTTP\/1.1 400 /)
      const twice = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n"
      assert.match(yield* raw(port, twice), /^HTTP\/1.1 400 /)
      const whole = head("GET http://evil.example/healthz")
      assert.match(yield* raw(port, whole), /^HTTP\/1.1 403 /)
      assert.match(yield* raw(port, head("GET http://localhost/healthz")), /^HTTP\/1.1 200 /)
      const rebound = head("GET http://localhost/healthz", { host: "evil.example" })
      assert.match(yield* raw(port, rebound), /^HTTP\/1.1 403 /)
    })
  )
})

describe("Origin", () => {
  it.effect("may be absent or the server's own", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      assert.deepStrictEqual(yield* statuses(port, { host: `localhost:${port}` }), all(200))
      for (const [host, origin] of [
        [`localhost:${port}`, `http://localhost:${port}`],
        [`LOCALHOST:${port}`, `HTTP://localhost:${port}`],
        [`[::1]:${port}`, `http://[::1]:${port}`],
        ["localhost:80", "http://localhost"]
      ] as const) {
        assert.deepStrictEqual(yield* statuses(port, { host, origin }), all(200), origin)
      }
    })
  )

  it.effect("refuses every other with 403, and null too", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* serve()
      for (const origin of [
        "https://evil.example",
        "null",
        "",
        `http://localhost:${port + 1}`,
        `https://localhost:${port}`,
        `http://127.0.0.1:${port}`,
        `http://localhost:${port}.evil.example`,
        "file://",
        "*"
      ]) {
        assert.deepStrictEqual(yield* statuses(port, { host: `localhost:${port}`, origin }), all(403), origin)
      }
      const preflight = yield* ask(port, {
        method: "OPTIONS",
        path: "/rpc",
        headers: { host: "localhost", origin: "https://evil.example", "access-control-request-method": "POST" }
      })
      assert.strictEqual(preflight.status, 403)
      assert.isUndefined(preflight.headers["access-control-allow-origin"])
      const several = "GET /healthz HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\norigin: null\r\n\r\n"
      assert.match(yield* raw(port, several.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")), /^HTTP\/1.1 403 /)
      assert.isDefined(seen)
    })
  )

  it.effect("lets the pages of listed origins call and read, and never everybody", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ allowedOrigins: ["https://App.example/", "null", "*"] })
      for (const origin of ["https://app.example", "null"]) {
        assert.deepStrictEqual(yield* statuses(port, { host: "localhost", origin }), all(200), origin)
        const answer = yield* post(port, hello, { host: "localhost", origin })
        assert.strictEqual(answer.headers["access-control-allow-origin"], origin)
        assert.include(answer.headers.vary ?? "", "Origin")
        const preflight = yield* ask(port, {
          method: "OPTIONS",
          path: "/rpc",
          headers: {
            host: "localhost",
            origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-correlation-id"
          }
        })
        assert.strictEqual(preflight.status, 204)
        assert.strictEqual(preflight.headers["access-control-allow-origin"], origin)
        assert.include(preflight.headers["access-control-allow-methods"] ?? "", "POST")
        assert.strictEqual(preflight.headers["access-control-allow-headers"], "content-type,x-correlation-id")
        assert.include(preflight.headers.vary ?? "", "Origin")
      }
      assert.deepStrictEqual(yield* statuses(port, { host: "localhost", origin: "https://other.example" }), all(403))
      const own = yield* post(port, hello, { host: "localhost" })
      assert.isUndefined(own.headers["access-control-allow-origin"])
      assert.include(own.headers.vary ?? "", "Origin")
    })
  )
})
