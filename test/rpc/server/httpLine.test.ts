/** A browser that is made to speak HTTP to the port of the JSON lines: nothing of what it sends may run. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isHttp } from "../../../src/rpc/server/httpLine.ts"
import { type Hosted, hosted, opened, turn } from "./support/hosted.ts"
import { request, success } from "./support/RawClient.ts"

const note = `${JSON.stringify(request(1, "note", { text: "run" }))}\n${JSON.stringify(request(2, "wait", { key: "run" }))}\n`

const simplePost = [
  "POST / HTTP/1.1",
  "Host: 127.0.0.1:7000",
  "Origin: https://evil.example",
  "Content-Type: text/plain;charset=UTF-8",
  `Content-Length: ${note.length}`,
  "",
  note
].join("\r\n")

const settle = Effect.replicateEffect(turn, 30, { discard: true })

const nothingRan = (server: Hosted) =>
  Effect.gen(function* () {
    yield* server.until(({ connections }) => connections === 0)
    yield* settle
    assert.deepStrictEqual(server.stage.began, [])
    const other = yield* opened(server)
    yield* other.send(request(1, "note", { text: "mine" }))
    assert.deepStrictEqual(yield* other.next, success(1, null))
    assert.deepStrictEqual(yield* server.notes, ["mine"])
  })

for (const kind of ["tcp", "unix"] as const) {
  describe(`HTTP on the socket of JSON lines, over ${kind}`, () => {
    const told = (server: Hosted, writes: ReadonlyArray<string>, line: number) =>
      Effect.gen(function* () {
        const client = yield* opened(server)
        for (const bytes of writes) {
          yield* client.write(bytes)
          yield* settle
        }
        const answer = yield* client.next
        assert.deepInclude(answer, { _tag: "ProtocolError", code: "MalformedLine", line })
        assert.match(String(answer?.message), /JSON lines, and HTTP has a port of its own/)
        assert.strictEqual(yield* client.next, null)
      })

    it.effect("a POST in one write is answered once, and its body is not served", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        yield* told(server, [simplePost], 1)
        yield* nothingRan(server)
      })
    )

    it.effect("nor in many writes", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        yield* told(server, ["PO", "ST / HT", "TP/1.1\r", "\nHost: x\r\n\r\n", note], 1)
        yield* told(server, [...simplePost.slice(0, 40), simplePost.slice(40)], 1)
        yield* nothingRan(server)
      })
    )

    it.effect("nor behind other lines, empty ones or a header alone", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        yield* told(server, [`\r\n\r\n${simplePost}`], 3)
        yield* told(server, [`host: localhost\r\n\r\n${note}`], 1)
        yield* told(server, [`GET /\r\n\r\n${note}`], 1)
        yield* nothingRan(server)
        const client = yield* opened(server)
        yield* client.write(`{"_tag":"Ping"}\n${simplePost}`)
        assert.deepStrictEqual(yield* client.next, { _tag: "Pong" })
        assert.deepInclude(yield* client.next, { code: "MalformedLine", line: 2 })
        assert.strictEqual(yield* client.next, null)
        assert.deepStrictEqual(server.stage.began, [])
      })
    )
  })
}

describe("fetch", () => {
  for (const mode of ["cors", "no-cors"] as const) {
    it.live(`of node, ${mode}, runs nothing either`, () =>
      Effect.gen(function* () {
        const server = yield* hosted("tcp")
        const url = `http://127.0.0.1:${"port" in server.target ? server.target.port : 0}/`
        const outcome = yield* Effect.promise(() =>
          fetch(url, { method: "POST", mode, body: note }).then(
            ({ status }) => `answered ${status}`,
            () => "no HTTP"
          )
        )
        assert.strictEqual(outcome, "no HTTP")
        yield* nothingRan(server)
      })
    )
  }
})

describe("a line", () => {
  const of = (text: string) => isHttp({ _tag: "Line", line: 1, bytes: Buffer.from(text) })

  it("is HTTP by its first line or by a header, however long, and nothing else is", () => {
    const yes = [
      "POST / HTTP/1.1",
      `GET /${"x".repeat(5_000)} HTTP/1.1`,
      "PRI * HTTP/2.0",
      "frob / HTTP/1.1",
      "GET /",
      "Host: x",
      "ORIGIN : null",
      "user-agent:curl"
    ]
    for (const text of yes) assert.isTrue(of(text), text)
    const no = ['{"_tag":"Ping"}', '{"GET / HTTP/1.1":1}', "{oops", "42", '"Host: x"', "hosts", "[]", " {}", "POST"]
    for (const text of no) assert.isFalse(of(text), text)
  })
})
