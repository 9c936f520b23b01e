/** What a client may do wrong with POST /rpc. Bodies go out as raw bytes. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { ask, call, connection, head, post, raw, serve } from "./support.ts"

const good = call("good", "Echo", { text: "fine" })
const answered = { _tag: "Exit", requestId: "good", exit: { _tag: "Success", value: "fine" } }

/** The code of a refusal, whether it stands alone or ends a call. */
const codeOf = (line: Record<string, unknown> | undefined): string | null =>
  /"_tag":"ProtocolError","code":"(\w+)"/.exec(JSON.stringify(line))?.[1] ?? null

const cases: ReadonlyArray<readonly [name: string, line: string | Buffer, code: string]> = [
  ["{oops", "{oops\n", "MalformedLine"],
  ["half a string", '"half\n', "MalformedLine"],
  ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d, 0x0a]), "MalformedLine"],
  ["null", "null\n", "NotAMessage"],
  ["42", "42\n", "NotAMessage"],
  ["[]", "[]\n", "NotAMessage"],
  ["{}", "{}\n", "NotAMessage"],
  ["a message of a server", '{"_tag":"Pong"}\n', "NotAMessage"],
  ["an unknown procedure", call("x", "Nothing", {}), "UnknownProcedure"],
  ["a name of Object's prototype", call("x", "constructor", {}), "UnknownProcedure"],
  ["a missing payload", call("x", "Echo"), "BadPayload"],
  ["a wrong payload", call("x", "Echo", { text: 1 }), "BadPayload"]
]

describe("a line that is refused", () => {
  for (const [name, line, code] of cases) {
    it.effect(`${name}: 400, ${code}`, () =>
      Effect.gen(function* () {
        const { port } = yield* serve()
        const alone = yield* post(port, line)
        assert.strictEqual(alone.status, 400)
        assert.strictEqual(alone.lines.length, 1)
        assert.strictEqual(codeOf(alone.lines[0]), code)
        assert.include(JSON.stringify(alone.lines[0]), `"line":1`)

        const between = yield* post(port, Buffer.concat([Buffer.from(good), Buffer.from(line), Buffer.from(good)]))
        assert.strictEqual(between.status, 400)
        assert.deepStrictEqual(between.lines.map(codeOf), [null, code, null])
        assert.deepStrictEqual([between.lines[0], between.lines[2]], [answered, answered])
        assert.include(JSON.stringify(between.lines[1]), `"line":2`)
      })
    )
  }

  it.effect("two requests with one id: the first goes on, the second is refused", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* serve()
      const { all, closed, until, socket } = yield* connection(port)
      const body = call("1", "Gated", null) + call("1", "Echo", { text: "again" })
      socket.write(head("POST /rpc", { "content-length": String(body.length) }) + body)
      yield* until(/DuplicateId/)
      yield* until(/"n":1,/)
      yield* Deferred.succeed(seen.gate, undefined)
      yield* closed
      assert.match(all(), /"n":2,/)
      assert.match(all(), /^HTTP\/1.1 400 /)
    })
  )

  it.effect("an empty body: 400, NotAMessage", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      for (const body of ["", "\n", "\r\n\n"]) {
        const answer = yield* post(port, body)
        assert.strictEqual(answer.status, 400)
        assert.deepStrictEqual(answer.lines.map(codeOf), ["NotAMessage"])
        assert.include(answer.text, "empty")
      }
    })
  )
})

describe("too much", () => {
  it.effect("a line over 1 MiB: 413, TooLong, and nothing behind it is read", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const long = `${JSON.stringify("x".repeat(1024 * 1024))}\n`
      const answer = yield* post(port, long + good)
      assert.strictEqual(answer.status, 413)
      assert.strictEqual(answer.headers.connection, "close")
      assert.deepStrictEqual(answer.lines.map(codeOf), ["TooLong"])
      const behind = yield* post(port, good + long)
      assert.strictEqual(behind.status, 413)
      assert.deepStrictEqual(behind.lines, [answered, { ...answer.lines[0], line: 2 }])
    })
  )

  it.effect("a line of 1 MiB is read", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const room = 1024 * 1024 - (call("1", "Echo", { text: "" }).length - 1)
      const answer = yield* post(port, call("1", "Echo", { text: "y".repeat(room) }))
      assert.strictEqual(answer.status, 200)
      assert.isAbove(answer.bytes.length, room)
    })
  )

  it.effect("a body over 8 MiB: 413, from its head alone or when it has come that far", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { closed, all, socket } = yield* connection(port)
      socket.write(head("POST /rpc", { "content-length": String(8 * 1024 * 1024 + 1) }))
      yield* closed
      assert.match(all(), /^HTTP\/1.1 413 /)
      assert.match(all(), /"code":"TooLong"/)

      const answer = yield* ask(port, {
        method: "POST",
        path: "/rpc",
        headers: { "transfer-encoding": "chunked" },
        body: `${"\n".repeat(9 * 1024 * 1024)}`
      })
      assert.strictEqual(answer.status, 413)
      assert.deepStrictEqual(answer.lines.map(codeOf), ["TooLong"])
    })
  )
})

describe("a body of another kind", () => {
  it.effect("415 for what is neither JSON nor absent, above all what a form can send", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const types = [
        "text/plain",
        "text/plain;charset=UTF-8",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        ""
      ]
      for (const type of types) {
        const answer = yield* post(port, good, { "content-type": type })
        assert.strictEqual(answer.status, 415, type)
        assert.strictEqual(answer.lines[0]?._tag, "UnsupportedMediaType")
      }
      for (const type of ["application/json", "Application/JSON; charset=utf-8", "application/ndjson"]) {
        assert.strictEqual((yield* post(port, good, { "content-type": type })).status, 200, type)
      }
      assert.strictEqual((yield* ask(port, { method: "POST", path: "/rpc", body: good })).status, 200)
      assert.strictEqual((yield* post(port, good, { "content-encoding": "gzip" })).status, 415)
    })
  )
})

describe("what is no HTTP", () => {
  it.effect("garbage and half a head: 400", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      assert.match(yield* raw(port, "\u0000\u0001garbage\r\n\r\n"), /^HTTP\/1.1 400 /)
      assert.match(yield* raw(port, '{"_tag":"Ping"}\n'), /^HTTP\/1.1 400 /)
      assert.match(yield* raw(port, "GET / HTTP/1.1\r\nno colon\r\n\r\n"), /^HTTP\/1.1 400 /)
      assert.match(yield* raw(port, "GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1.1 400 /)
    })
  )

  it.effect("a head that is too large: 431", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const answer = yield* raw(port, head("GET /healthz", { "x-large": "x".repeat(20_000) }))
      assert.match(answer, /^HTTP\/1.1 431 /)
    })
  )

  it.effect("the server goes on", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      yield* raw(port, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]))
      assert.strictEqual((yield* post(port, good)).status, 200)
      assert.strictEqual((yield* host.state).calls, 0)
    })
  )
})
