import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { hosted, opened, turn } from "./support/hosted.ts"
import { failure, request, success } from "./support/RawClient.ts"

const shuttingDown = (id: unknown) => failure(id, { _tag: "ShuttingDown" })

describe("draining", () => {
  it.effect(
    "new calls are refused, streams of rows are cut, the rest is answered, and then the connection closes",
    () =>
      Effect.gen(function* () {
        const server = yield* hosted("tcp")
        const client = yield* opened(server)
        yield* client.send(request("w", "wait", { key: "w" }), request("b", "bars", { count: 100, chunk: 10 }))
        assert.strictEqual((yield* client.next)?._tag, "Chunk")
        const draining = yield* Effect.forkChild(server.host.drain, { startImmediately: true })
        assert.deepStrictEqual(yield* client.next, shuttingDown("b"))
        yield* client.send(request("new", "nothing"))
        assert.deepStrictEqual(yield* client.next, shuttingDown("new"))
        assert.deepStrictEqual(yield* server.host.state, { connections: 1, calls: 1, streams: 0, draining: true })
        yield* server.open
        assert.deepStrictEqual(yield* client.take(2), [success("w", "w"), null])
        yield* Fiber.join(draining)
        assert.deepStrictEqual(server.stage.interrupted, [])
      })
  )

  it.effect("what has not ended in ten seconds gets ShuttingDown, also when it cannot be interrupted", () =>
    Effect.gen(function* () {
      const server = yield* hosted("unix")
      const client = yield* opened(server)
      yield* client.send(request(1, "wait", { key: "a" }), request(2, "stubborn"), request(3, "ticks"))
      assert.strictEqual((yield* client.next)?._tag, "Chunk")
      const draining = yield* Effect.forkChild(server.host.drain, { startImmediately: true })
      yield* TestClock.adjust("9999 millis")
      yield* Effect.replicateEffect(turn, 20)
      assert.strictEqual((yield* server.host.state).calls, 3)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* client.take(4), [shuttingDown(1), shuttingDown(2), shuttingDown(3), null])
      assert.deepStrictEqual(server.stage.interrupted, ["a"])
      yield* Fiber.join(draining)
      // What cannot be interrupted ends as it likes; nobody hears of it.
      yield* server.open
    })
  )

  it.effect("connections without calls are closed at once", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* client.send(request(1, "nothing"))
      yield* client.next
      yield* server.host.drain
      assert.strictEqual(yield* client.next, null)
      yield* server.until(({ connections }) => connections === 0)
    })
  )

  it.live("a client that reads nothing does not keep the server from going down", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      client.socket.pause()
      yield* client.send(
        ...Array.from({ length: 8 }, (_, id) => request(id, "bars", { count: 1_000_000, chunk: 100_000 }))
      )
      yield* server.until(({ streams }) => streams > 0)
      const began = performance.now()
      yield* server.host.drain
      assert.isBelow(performance.now() - began, 4_000)
    })
  )
})
