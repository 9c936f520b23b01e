import { constants, gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { ask, call, connection, head, post, serve } from "./support.ts"

const success = (requestId: string, value: unknown) => ({ _tag: "Exit", requestId, exit: { _tag: "Success", value } })

describe("POST /rpc", () => {
  it.effect("answers one call", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const answer = yield* post(port, call("1", "Echo", { text: "hello" }))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["content-type"], "application/x-ndjson")
      assert.deepStrictEqual(answer.lines, [success("1", "hello")])
    })
  )

  it.effect("answers several, the last without a line end, also when sent byte by byte", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const body = `${call("a", "Echo", { text: "ä" })}\r\n\n${call("b", "Echo", { text: "2" }).trimEnd()}`
      const { closed, all, socket } = yield* connection(port)
      const bytes = Buffer.from(body)
      socket.write(head("POST /rpc", { "content-length": String(bytes.length) }))
      for (const byte of bytes) socket.write(Buffer.of(byte))
      yield* closed
      const text = all()
      assert.match(text, /^HTTP\/1.1 200 /)
      assert.include(text, JSON.stringify(success("a", "ä")))
      assert.include(text, JSON.stringify(success("b", "2")))
    })
  )

  it.effect("gives a stream in chunks, and a typed error as itself", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const rows = yield* post(port, call("1", "Rows", { count: 5, chunk: 2 }))
      assert.deepStrictEqual(
        rows.lines.map((line) => line._tag),
        ["Chunk", "Chunk", "Chunk", "Exit"]
      )
      const refused = yield* post(port, call("1", "Echo", { text: "refuse me" }))
      assert.strictEqual(refused.status, 200)
      assert.include(refused.text, `{"_tag":"Refused","why":"refuse me"}`)
    })
  )

  it.effect("passes the headers of the request on to the call", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const answer = yield* post(port, call("1", "Named", null), { "x-correlation-id": "c-17" })
      assert.deepStrictEqual(answer.lines, [success("1", "c-17")])
    })
  )

  it.effect("says nothing of a defect but its incident", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const answer = yield* post(port, call("1", "Broken", null))
      assert.strictEqual(answer.status, 200)
      assert.include(answer.text, `"_tag":"InternalError","incident":"`)
      assert.notInclude(answer.text, "secret")
    })
  )

  it.effect("serves a connection again after its answer, and one POST at a time when they are sent ahead", () =>
    Effect.gen(function* () {
      const { host, port, seen } = yield* serve()
      const { until, socket } = yield* connection(port)
      const one = (id: string, tag: string) => {
        const body = call(id, tag, null)
        return `POST /rpc HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      }
      socket.write(one("1", "Named"))
      yield* until(/"requestId":"1"/)
      socket.write(one("2", "Gated") + one("3", "Named") + one("4", "Never"))
      yield* until(/"requestId":"2"/)
      assert.strictEqual((yield* host.state).calls, 1)
      assert.strictEqual((yield* host.state).connections, 1)
      yield* Deferred.succeed(seen.gate, undefined)
      yield* until(/"requestId":"3"/)
      yield* Deferred.await(seen.began)
    })
  )
})

describe("gzip", () => {
  it.effect("is used when the client takes it, and only then", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const body = call("1", "Rows", { count: 1000, chunk: 100 })
      const plain = yield* post(port, body)
      assert.isUndefined(plain.headers["content-encoding"])
      assert.include(plain.headers.vary ?? "", "Accept-Encoding")
      const packed = yield* post(port, body, { "accept-encoding": "br, gzip" })
      assert.strictEqual(packed.headers["content-encoding"], "gzip")
      assert.isBelow(packed.bytes.length, plain.bytes.length / 5)
      assert.strictEqual(gunzipSync(packed.bytes).toString(), plain.text)
      const refused = yield* post(port, body, { "accept-encoding": "br, gzip;q=0" })
      assert.isUndefined(refused.headers["content-encoding"])
    })
  )

  it.effect("does not keep a chunk for the next one", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* serve()
      const { all, bytes, closed, until, socket } = yield* connection(port)
      const body = call("1", "Gated", null)
      socket.write(head("POST /rpc", { "content-length": String(body.length), "accept-encoding": "gzip" }) + body)
      // The gate is closed: what comes is the first row, whole.
      const inflated = () => gunzipSync(dechunked(bytes()), { finishFlush: constants.Z_SYNC_FLUSH }).toString()
      yield* until((answer) => dechunked(answer).length > 10 && inflated().endsWith("\n"))
      assert.include(inflated(), `"n":1,`)
      yield* Deferred.succeed(seen.gate, undefined)
      yield* closed
      assert.match(all(), /content-encoding: gzip/i)
      assert.include(gunzipSync(dechunked(bytes())).toString(), `"n":2,`)
    })
  )
})

/** The body of a chunked answer, as far as it has come. */
const dechunked = (answer: Buffer): Buffer => {
  const pieces: Array<Buffer> = []
  let at = answer.indexOf("\r\n\r\n") + 4
  while (at < answer.length) {
    const end = answer.indexOf("\r\n", at)
    const length = Number.parseInt(answer.subarray(at, end).toString(), 16)
    if (Number.isNaN(length)) break
    pieces.push(answer.subarray(end + 2, end + 2 + length))
    at = end + 2 + length + 2
  }
  return Buffer.concat(pieces)
}

describe("what there is", () => {
  it.effect("says what there is under an unknown path, and which methods a path takes", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const unknown = yield* ask(port, { path: "/nothing" })
      assert.strictEqual(unknown.status, 404)
      assert.strictEqual(unknown.lines.length, 1)
      assert.include(String(unknown.lines[0]?.detail), "POST /rpc")
      assert.deepInclude(unknown.lines[0], { type: "about:blank", status: 404, title: "Not Found", error: "NotFound" })
      assert.strictEqual(unknown.headers["content-type"], "application/problem+json")
      const root = yield* ask(port, { path: "/" })
      assert.deepStrictEqual([root.status, root.headers.location], [302, "/docs"])
      for (const [method, path, allow] of [
        ["DELETE", "/rpc", "GET, HEAD, POST, OPTIONS"],
        ["PUT", "/rpc?x=1", "GET, HEAD, POST, OPTIONS"],
        ["POST", "/healthz", "GET, HEAD, OPTIONS"],
        ["POST", "/readyz/", "GET, HEAD, OPTIONS"],
        ["PATCH", "/metrics", "GET, HEAD, OPTIONS"]
      ] as const) {
        const answer = yield* ask(port, { method, path })
        assert.strictEqual(answer.status, 405, `${method} ${path}`)
        assert.strictEqual(answer.headers.allow, allow)
        // Who calls over /rpc reads JSON lines, everybody else problem details.
        const own = path.startsWith("/rpc")
        const type = own ? "application/x-ndjson" : "application/problem+json"
        assert.strictEqual(answer.headers["content-type"], type)
        assert.strictEqual(answer.lines[0]?.[own ? "_tag" : "error"], "MethodNotAllowed")
      }
      const plain = yield* ask(port, { path: "/rpc" })
      assert.strictEqual(plain.status, 426)
      assert.strictEqual(plain.headers.upgrade, "websocket")
      const options = yield* ask(port, { method: "OPTIONS", path: "/rpc" })
      assert.strictEqual(options.status, 204)
      assert.strictEqual(options.headers.allow, "GET, HEAD, POST, OPTIONS")
    })
  )
})
