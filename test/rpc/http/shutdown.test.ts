/** How the listener comes up and goes down. */
import { WebSocket } from "@effect/platform-node/NodeWS"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { ask, call, connection, head, post, serve, turn, upgrade } from "./support.ts"

const body = call("1", "Never", null)

describe("listening", () => {
  it.effect("fails with what is wrong when the port is taken", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const error = yield* Effect.flip(serve({ port }))
      assert.strictEqual(error.reason, "AddressInUse")
      assert.include(error.message, `127.0.0.1:${port}`)
      const nowhere = yield* Effect.flip(serve({ host: "192.0.2.1" }))
      assert.strictEqual(nowhere.reason, "NoSuchAddress")
    })
  )

  it.effect("is on IPv6 too", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ host: "::1" })
      assert.isAbove(port, 0)
    })
  )
})

describe("closing", () => {
  it.effect("lets nobody in any more, closes what is idle, says 1001 to WebSockets and cuts calls", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { port, seen } = yield* Scope.provide(serve(), scope)
      const idle = yield* connection(port)
      idle.socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
      yield* idle.until(/alive/)
      const calling = yield* connection(port)
      calling.socket.write(head("POST /rpc", { "content-length": String(body.length) }) + body)
      yield* Deferred.await(seen.began)
      const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`)
      yield* Effect.callback<void>((resume) => {
        socket.on("open", () => resume(Effect.void))
      })
      const closed = new Promise<number>((resolve) => socket.on("close", resolve))
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.await(seen.interrupted)
      yield* idle.closed
      yield* calling.closed
      assert.strictEqual(yield* Effect.promise(() => closed), 1001)
      const refused = yield* Effect.exit(ask(port, { path: "/healthz" }))
      assert.isTrue(Exit.isFailure(refused))
    })
  )

  it.live("does not wait for a client that does not take part", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(serve(), scope)
      const { socket, until } = yield* connection(port)
      socket.write(head("GET /rpc", upgrade))
      yield* until(/101/)
      const half = yield* connection(port)
      half.socket.write("POST /rpc HTTP/1.1\r\nhost: loc")
      const began = Date.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(Date.now() - began, 2_000)
    })
  )

  it.live("after draining: what finishes is answered whole, streams end with ShuttingDown, WebSockets with 1001", () =>
    Effect.gen(function* () {
      const { host, port, seen } = yield* serve()
      const stream = yield* connection(port)
      const rows = call("r", "Rows", { count: 10_000_000, chunk: 1_000 })
      stream.socket.write(head("POST /rpc", { "content-length": String(rows.length) }) + rows)
      yield* stream.until(/"Chunk"/)
      stream.socket.pause()
      const gated = yield* Effect.forkChild(post(port, call("g", "Gated", null)))
      while ((yield* host.state).calls < 2) {
        yield* turn
      }
      const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`)
      yield* Effect.callback<void>((resume) => {
        socket.on("open", () => resume(Effect.void))
      })
      const closed = new Promise<number>((resolve) => socket.on("close", resolve))
      const draining = yield* Effect.forkChild(host.drain)
      stream.socket.resume()
      yield* stream.until(/"requestId":"r","exit":\{"_tag":"Failure","cause":\[\{"_tag":"Fail","error":\{"_tag":"Shut/)
      yield* stream.closed
      assert.match(stream.all(), /\r\n0\r\n\r\n$/)
      yield* Deferred.succeed(seen.gate, undefined)
      const answer = yield* Fiber.join(gated)
      assert.strictEqual(answer.status, 200)
      assert.include(answer.text, `"n":2,`)
      yield* Fiber.join(draining)
      assert.strictEqual(yield* Effect.promise(() => closed), 1001)
    })
  )
})
