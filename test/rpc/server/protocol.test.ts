import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hosted, opened } from "./support/hosted.ts"
import { at, failure, request, success } from "./support/RawClient.ts"

const protocolError = (code: string, line: number, id?: unknown) => ({
  _tag: "ProtocolError",
  code,
  line,
  ...(id === undefined ? {} : { id })
})

/** Without its words, which are checked apart. */
const wordless = (answer: Record<string, unknown> | null) => {
  const { message: _words, ...rest } = answer ?? {}
  return rest
}

const errorOf = (answer: unknown): Record<string, unknown> => ({
  requestId: at(answer, "requestId"),
  ...Object(at(answer, "exit", "cause", 0, "error"))
})

const notMessages: ReadonlyArray<readonly [text: string, words: RegExp, id?: unknown]> = [
  ["null", /an object with a _tag; this is null/],
  ["42", /a number/],
  ["[]", /a list/],
  ['"text"', /a string/],
  ["{}", /_tag is missing/],
  ['{"_tag":"Nonsense"}', /"Nonsense" is no message/],
  ['{"_tag":"Nonsense","id":9}', /"Nonsense" is no message/, 9],
  ['{"_tag":"constructor"}', /"constructor" is no message/],
  ['{"__proto__":{"_tag":"Ping"}}', /_tag is missing/],
  ['{"_tag":"Request","tag":"echo","payload":{"text":"x"}}', /needs an id/],
  ['{"_tag":"Request","id":null,"tag":"echo"}', /needs an id/],
  ['{"_tag":"Request","id":1e999,"tag":"echo"}', /needs an id/],
  ['{"_tag":"Request","id":7}', /needs a tag/, 7],
  ['{"_tag":"Request","id":"a","tag":3}', /needs a tag/, "a"],
  ['{"_tag":"Request","id":1,"tag":"echo","headers":{"a":"b"}}', /headers are a list/, 1],
  ['{"_tag":"Request","id":1,"tag":"echo","headers":[["a",1]]}', /headers are a list/, 1],
  ['{"_tag":"Ack"}', /needs a requestId/],
  ['{"_tag":"Interrupt","requestId":{}}', /needs a requestId/]
]

for (const kind of ["tcp", "unix"] as const) {
  describe(`messages over ${kind}`, () => {
    it.effect("a call that takes nothing takes fields that nobody knows", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        for (const [id, payload] of [null, {}, { x: 1 }, undefined].entries()) {
          yield* client.send(request(id, "nothing", payload))
          assert.deepStrictEqual(yield* client.next, success(id, null))
        }
        for (const [id, payload] of [[], "x", 42].entries()) {
          yield* client.send(request(id, "nothing", payload))
          assert.include(JSON.stringify(yield* client.next), '"BadPayload"')
        }
      })
    )

    it.effect("a request is answered under its id, and a number is another id than its digits", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        yield* client.send(request(1, "echo", { text: "one" }), request("1", "echo", { text: "two" }))
        assert.deepStrictEqual(yield* client.take(2), [success(1, "one"), success("1", "two")])
        yield* client.send(request("", "echo", { text: "three" }), request(-0.5, "echo", { text: "four" }))
        assert.deepStrictEqual(yield* client.take(2), [success("", "three"), success(-0.5, "four")])
      })
    )

    it.effect("lines that are no JSON, or no UTF-8, are said to be malformed, and the next line is served", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        const invalid = new Uint8Array([0x22, 0xff, 0xfe, 0x22, 0x0a])
        const line = (text: string) => `${JSON.stringify(request(text, "echo", { text }))}\n`
        yield* client.write(`{oops\n${line("a")}`)
        yield* client.write(Buffer.concat([invalid, Buffer.from(line("ß🙂"))]))
        const [oops, a, bytes, b] = yield* client.take(4)
        assert.deepStrictEqual(wordless(oops ?? null), protocolError("MalformedLine", 1))
        assert.match(String(oops?.message), /not JSON/)
        assert.deepStrictEqual(a, success("a", "a"))
        assert.deepStrictEqual(wordless(bytes ?? null), protocolError("MalformedLine", 3))
        assert.match(String(bytes?.message), /not UTF-8/)
        assert.deepStrictEqual(b, success("ß🙂", "ß🙂"))
      })
    )

    it.effect("JSON that is no message is answered by itself, and the next line is served", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        yield* client.write(notMessages.map(([text]) => `${text}\n`).join(""))
        yield* client.send(request("after", "echo", { text: "served" }))
        for (const [index, [text, words, id]] of notMessages.entries()) {
          const answer = yield* client.next
          assert.deepStrictEqual(wordless(answer), protocolError("NotAMessage", index + 1, id), text)
          assert.match(String(answer?.message), words)
        }
        assert.deepStrictEqual(yield* client.next, success("after", "served"))
      })
    )

    it.effect("a procedure that is not there, and a payload that does not fit, are the failure of that call", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        const wrong = (id: string, tag: string, payload?: unknown) => request(id, tag, payload)
        yield* client.send(
          wrong("unknown", "Series.nothing", {}),
          wrong("proto", "__proto__"),
          wrong("constructor", "constructor"),
          wrong("place", "ranged", { range: { start: "x", end: 2 } }),
          wrong("check", "ranged", { range: { start: 3, end: 2 } }),
          wrong("missing", "ranged"),
          wrong("none", "ranged", null),
          wrong("after", "ranged", { range: { start: 1, end: 3 }, unknown: true })
        )
        const answers = yield* client.take(8)
        const errors = answers.slice(0, 7).map(errorOf)
        assert.deepStrictEqual(
          errors.map((error) => [error.requestId, error._tag, error.code, error.line, error.id]),
          [
            ["unknown", "ProtocolError", "UnknownProcedure", 1, "unknown"],
            ["proto", "ProtocolError", "UnknownProcedure", 2, "proto"],
            ["constructor", "ProtocolError", "UnknownProcedure", 3, "constructor"],
            ["place", "ProtocolError", "BadPayload", 4, "place"],
            ["check", "ProtocolError", "BadPayload", 5, "check"],
            ["missing", "ProtocolError", "BadPayload", 6, "missing"],
            ["none", "ProtocolError", "BadPayload", 7, "none"]
          ]
        )
        const words = errors.map((error) => String(error.message))
        assert.match(words[0] ?? "", /"Series\.nothing".*System\.hello/)
        assert.match(words[3] ?? "", /^range\.start: /)
        assert.match(words[4] ?? "", /^range: start must be before end/)
        assert.match(words[5] ?? "", /^the payload is missing: range: /)
        assert.deepStrictEqual(answers[7], success("after", 2))
      })
    )

    it.effect("payload and headers may be left out where nothing is needed", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        yield* client.send(
          request(1, "nothing"),
          request(2, "nothing", null),
          request(3, "optional"),
          request(4, "optional", { limit: 5 }),
          request(5, "header", { name: "x-a" }, { headers: [["X-A", "b"]] }),
          request(6, "header", { name: "x-a" })
        )
        assert.deepStrictEqual(yield* client.take(6), [
          success(1, null),
          success(2, null),
          success(3, -1),
          success(4, 5),
          success(5, "b"),
          success(6, "none")
        ])
      })
    )

    it.effect("of two requests with one id the first goes on and answers, and then the id is free", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(
          request(5, "wait", { key: "a" }),
          request(5, "echo", { text: "b" }),
          request(6, "echo", { text: "c" })
        )
        const [duplicate, other] = yield* client.take(2)
        assert.deepStrictEqual(wordless(duplicate ?? null), protocolError("DuplicateId", 2, 5))
        assert.deepStrictEqual(other, success(6, "c"))
        yield* server.open
        assert.deepStrictEqual(yield* client.next, success(5, "a"))
        yield* client.send(request(5, "echo", { text: "again" }))
        assert.deepStrictEqual(yield* client.next, success(5, "again"))
      })
    )

    it.effect("empty lines are counted, carriage returns belong to the end, and half a line waits for the rest", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        const line = JSON.stringify(request(1, "echo", { text: "é" }))
        const bytes = Buffer.from(`\n\r\n${line}\r\n`)
        const split = bytes.indexOf(0xc3) + 1
        yield* client.write(bytes.subarray(0, split))
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
        yield* client.write(Buffer.concat([bytes.subarray(split), Buffer.from("{\n")]))
        assert.deepStrictEqual(yield* client.next, success(1, "é"))
        assert.deepStrictEqual(wordless(yield* client.next), protocolError("MalformedLine", 4))
      })
    )

    it.effect("a line over the limit is too long, however it comes, and the connection is closed", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        for (const piece of [64 * 1024, 2 * 1024 * 1024]) {
          const client = yield* opened(server)
          yield* client.send(request(1, "echo", { text: "before" }))
          for (let sent = 0; sent < 2 * 1024 * 1024; sent += piece) yield* client.write("x".repeat(piece))
          yield* client.send("", request(2, "echo", { text: "after" }))
          assert.deepStrictEqual(yield* client.next, success(1, "before"))
          const tooLong = yield* client.next
          assert.deepStrictEqual(wordless(tooLong), protocolError("TooLong", 2))
          assert.strictEqual(yield* client.next, null)
        }
        yield* server.until((state) => state.connections === 0)
      })
    )

    it.effect("a line just within the limit is served", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        const empty = JSON.stringify(request(1, "echo", { text: "" }))
        const text = "x".repeat(1024 * 1024 - empty.length)
        yield* client.write(`${JSON.stringify(request(1, "echo", { text }))}\r\n`)
        const answer = yield* client.next
        assert.deepStrictEqual(answer, success(1, text))
      })
    )

    it.effect("Ping is answered with Pong; Acks and Interrupts of calls that are not are ignored", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        yield* client.send(
          { _tag: "Ack", requestId: 99 },
          { _tag: "Interrupt", requestId: "constructor" },
          { _tag: "Ping" }
        )
        assert.deepStrictEqual(yield* client.next, { _tag: "Pong" })
      })
    )

    it.effect("a typed error of the procedure arrives as itself", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        yield* client.send(request(1, "refuse"))
        assert.deepStrictEqual(yield* client.next, failure(1, { _tag: "Refused", why: "because" }))
      })
    )

    it.effect("a stream sends one chunk at a time, each when the one before is acknowledged", () =>
      Effect.gen(function* () {
        const client = yield* opened(yield* hosted(kind))
        yield* client.send(request("s", "bars", { count: 5, chunk: 2 }))
        const sizes: Array<number> = []
        for (let chunk = 0; chunk < 3; chunk++) {
          const answer = yield* client.next
          assert.strictEqual(answer?._tag, "Chunk")
          sizes.push(Number(at(answer, "values", "length")))
          // Had the next chunk been sent without the Ack, it would come before the Pong.
          yield* client.send({ _tag: "Ping" })
          assert.deepStrictEqual(yield* client.next, { _tag: "Pong" })
          yield* client.send({ _tag: "Ack", requestId: "s" })
        }
        assert.deepStrictEqual(sizes, [2, 2, 1])
        assert.deepStrictEqual(yield* client.next, success("s", null))
      })
    )

    it.effect("a call that is interrupted ends, and says so", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(request(1, "wait", { key: "a" }), { _tag: "Interrupt", requestId: 1 })
        const answer = yield* client.next
        assert.strictEqual(answer?.requestId, 1)
        assert.deepStrictEqual(server.stage.interrupted, ["a"])
        assert.strictEqual(at(answer, "exit", "cause", 0, "_tag"), "Interrupt")
      })
    )

    it.effect("after Eof what is under way is answered, and then the connection is closed", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(request(1, "wait", { key: "a" }), { _tag: "Eof" }, request(2, "echo", { text: "late" }))
        yield* server.until(({ calls }) => calls === 1)
        yield* server.open
        assert.deepStrictEqual(yield* client.take(2), [success(1, "a"), null])
      })
    )

    it.effect("a notification is run and never answered; a discarded call is answered when it begins", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(
          request(1, "note", { text: "a" }, { isNotification: true }),
          { _tag: "Request", tag: "note", payload: { text: "b" }, isNotification: true },
          request(3, "missing", {}, { isNotification: true }),
          request(4, "die", undefined, { isNotification: true }),
          request(5, "wait", { key: "c" }, { discard: true }),
          request(6, "echo", { text: "last" })
        )
        assert.deepStrictEqual(yield* client.take(2), [success(5, null), success(6, "last")])
        assert.deepStrictEqual(yield* server.notes, ["a", "b"])
        yield* server.until(({ calls }) => calls === 1)
        yield* server.open
        yield* server.until(({ calls }) => calls === 0)
      })
    )
  })
}
