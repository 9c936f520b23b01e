/** What a client may do wrong with a WebSocket, by a raw client of the `ws` package and by bare sockets. */
import { WebSocket } from "@effect/platform-node/NodeWS"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { RpcSerialization } from "effect/rpc"
import { TestClock } from "effect/testing"
import { connection, head, raw, serve, turn, upgrade } from "./support.ts"

interface Closed {
  readonly code: number
  readonly reason: string
}

/** An open WebSocket, cut with the test. */
const open = Effect.fnUntraced(function* (port: number, options: { readonly autoPong?: boolean } = {}) {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, options)
      socket.on("open", () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )
  const closed = new Promise<Closed>((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }))
  )
  return { socket, closed: Effect.promise(() => closed) }
})

/** Frames as effect's client makes them. */
const frames = Effect.map(Layer.build(RpcSerialization.layerSchemaBinary()), (context) => {
  const { codecFor, makeUnsafe } = Context.get(context, RpcSerialization.RpcSerialization)
  const { decode, encode } = makeUnsafe()
  return {
    decode,
    text: (text: string) => Schema.encodeSync(codecFor(Schema.Struct({ text: Schema.String })))({ text }),
    nothing: Schema.encodeSync(codecFor(Schema.Void))(undefined),
    request: (id: string, tag: string, payload: unknown) =>
      encode({ _tag: "Request", id, tag, payload, headers: [] }) ?? ""
  }
})

describe("a WebSocket", () => {
  it.effect("that sends text is closed with 1002 and a reason", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      for (const text of ['{"_tag":"Ping"}\n', "", "{oops"]) {
        const { closed, socket } = yield* open(port)
        socket.send(text)
        const { code, reason } = yield* closed
        assert.strictEqual(code, 1002)
        assert.include(reason, "binary")
      }
      assert.strictEqual((yield* host.state).calls, 0)
    })
  )

  it.effect("that sends bytes that are no frame is closed with 1007 and a reason", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      for (const bytes of [
        Buffer.from('{"_tag":"Ping"}\n'),
        Buffer.alloc(64, 0xff),
        Buffer.from([0x04, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04])
      ]) {
        const { closed, socket } = yield* open(port)
        socket.send(bytes)
        const { code, reason } = yield* closed
        assert.strictEqual(code, 1007)
        assert.include(reason, "frame")
      }
    })
  )

  it.effect("that sends more than 1 MiB at once is closed with 1009", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { closed, socket } = yield* open(port)
      socket.send(Buffer.alloc(1024 * 1024 + 1))
      assert.strictEqual((yield* closed).code, 1009)
    })
  )

  it.effect("that breaks the protocol of WebSockets itself is closed, and the server goes on", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { until, socket, closed } = yield* connection(port)
      socket.write(head("GET /rpc", upgrade))
      yield* until(/^HTTP\/1.1 101 /)
      // Not masked, as every frame of a client has to be.
      socket.write(Buffer.from([0x82, 0x01, 0x00]))
      yield* closed
      const good = yield* open(port)
      assert.strictEqual(good.socket.readyState, WebSocket.OPEN)
    })
  )

  it.effect("gets its answers in spite of an unknown procedure and a wrong payload", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { decode, request, text } = yield* frames
      const { socket } = yield* open(port)
      const answers: Array<string> = []
      const all = yield* Deferred.make<void>()
      socket.on("message", (data: Buffer, isBinary) => {
        assert.isTrue(isBinary)
        for (const message of decode(data)) answers.push(JSON.stringify(message))
        if (answers.length === 3) Deferred.doneUnsafe(all, Effect.void)
      })
      socket.send(request("1", "Nothing", text("x")))
      socket.send(request("2", "Echo", new Uint8Array([0xff, 0xff, 0xff])))
      socket.send(request("3", "Echo", text("hello")))
      yield* Deferred.await(all)
      assert.deepStrictEqual(
        answers.map((answer) => /"requestId":"(\d)"/.exec(answer)?.[1]),
        ["1", "2", "3"]
      )
    })
  )

  it.effect("that uses an id twice is told so in text, and the first call goes on", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* serve()
      const { decode, nothing, request } = yield* frames
      const { socket } = yield* open(port)
      const told = yield* Deferred.make<string>()
      const ended = yield* Deferred.make<void>()
      socket.on("message", (data: Buffer, isBinary) => {
        if (!isBinary) return Deferred.doneUnsafe(told, Effect.succeed(data.toString()))
        const exit = decode(data).some((message) => JSON.stringify(message).includes('"_tag":"Exit"'))
        if (exit) Deferred.doneUnsafe(ended, Effect.void)
      })
      socket.send(request("1", "Waiting", nothing))
      socket.send(request("1", "Waiting", nothing))
      assert.include(yield* Deferred.await(told), '"code":"DuplicateId"')
      yield* Deferred.succeed(seen.gate, undefined)
      yield* Deferred.await(ended)
    })
  )

  it.effect("that sends pings and reads nothing does not pile up pongs", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { socket } = yield* open(port)
      socket.pause()
      const payload = Buffer.alloc(125)
      let sent = 0
      // 25 MB of pongs: more than the two kernel buffers of a loopback connection hold.
      for (; sent < 200_000; sent++) {
        socket.ping(payload)
        if (sent % 1_000 === 0) yield* turn
      }
      yield* Effect.callback<void>((resume) => {
        socket.ping(payload, true, () => resume(Effect.void))
      })
      let pongs = 0
      const last = Effect.callback<void>((resume) => {
        socket.on("pong", (data) => {
          pongs += 1
          if (data.toString() === "last") resume(Effect.void)
          // The last one may have found no room, too.
          else if (pongs % 100 === 0) socket.ping("last")
        })
        socket.resume()
        socket.ping("last")
      })
      yield* last
      assert.isBelow(pongs, 150_000)
    })
  )

  it.effect("that vanishes interrupts its calls and gives its place back", () =>
    Effect.gen(function* () {
      const { host, port, seen } = yield* serve()
      const { nothing, request } = yield* frames
      const { socket } = yield* open(port)
      socket.send(request("1", "Never", nothing))
      yield* Deferred.await(seen.began)
      assert.strictEqual((yield* host.state).connections, 1)
      socket.terminate()
      yield* Deferred.await(seen.interrupted)
    })
  )
})

describe("a WebSocket that idles", () => {
  it.effect("is closed with 1001 after five minutes, and each message moves that", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      const { decode, request, text } = yield* frames
      const { closed, socket } = yield* open(port)
      const echoed = (id: string) =>
        Effect.callback<void>((resume) => {
          socket.once("message", (data: Buffer) => {
            assert.include(JSON.stringify(decode(data)), `"requestId":"${id}"`)
            resume(Effect.void)
          })
          socket.send(request(id, "Echo", text("hello")))
        })
      yield* echoed("1")
      yield* TestClock.adjust("4 minutes")
      yield* echoed("2")
      yield* TestClock.adjust("299 seconds")
      yield* Effect.replicateEffect(turn, 20, { discard: true })
      assert.strictEqual(socket.readyState, WebSocket.OPEN)
      yield* TestClock.adjust("1 second")
      const { code, reason } = yield* closed
      assert.strictEqual(code, 1001)
      assert.include(reason, "5 minutes")
      while ((yield* host.state).connections > 0) {
        yield* turn
      }
    })
  )
})

describe("an upgrade", () => {
  it.effect("of anything but GET /rpc is refused in words", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      assert.match(yield* raw(port, head("GET /nothing", upgrade)), /^HTTP\/1.1 404 .*"NotFound"/s)
      assert.match(yield* raw(port, head("GET /healthz", upgrade)), /^HTTP\/1.1 400 .*"BadRequest"/s)
      assert.match(yield* raw(port, head("POST /rpc", upgrade)), /^HTTP\/1.1 400 .*"BadRequest"/s)
    })
  )

  it.effect("without a key or with another version is 400", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      const { "sec-websocket-key": _, ...keyless } = upgrade
      assert.match(yield* raw(port, head("GET /rpc", keyless)), /^HTTP\/1.1 400 /)
      const old = { ...upgrade, "sec-websocket-version": "7" }
      assert.match(yield* raw(port, head("GET /rpc", old)), /^HTTP\/1.1 (400|426) /)
      assert.strictEqual((yield* host.state).calls, 0)
    })
  )

  it.effect("to another protocol is declined, and the request is answered as it is", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const h2c = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" }
      const { until, socket } = yield* connection(port)
      socket.write(head("GET /healthz", h2c))
      yield* until(/^HTTP\/1.1 200 .*"alive":true/s)
    })
  )
})
