import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { hosted, opened, turn } from "./support/hosted.ts"
import { type RawClient, request, success } from "./support/RawClient.ts"

const ping = (client: RawClient) =>
  Effect.gen(function* () {
    yield* client.send({ _tag: "Ping" })
    assert.deepStrictEqual(yield* client.next, { _tag: "Pong" })
  })

/** Whatever the server has to do by now, it has done. */
const settle = Effect.replicateEffect(turn, 20, { discard: true })

describe("the idle deadline", () => {
  it.effect("five minutes after the last message the connection is closed, and each message moves it", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* ping(client)
      yield* TestClock.adjust("4 minutes")
      yield* ping(client)
      yield* TestClock.adjust("299 seconds")
      yield* settle
      assert.strictEqual((yield* server.host.state).connections, 1)
      yield* TestClock.adjust("1 second")
      yield* client.closed
      yield* server.until(({ connections }) => connections === 0)
    })
  )

  it.effect("half a line is no message", () =>
    Effect.gen(function* () {
      const client = yield* opened(yield* hosted("unix"))
      yield* ping(client)
      yield* TestClock.adjust("4 minutes")
      yield* client.write('{"_tag":"Pi')
      yield* settle
      yield* TestClock.adjust("1 minute")
      yield* client.closed
    })
  )

  it.effect("a connection that says nothing at all is closed", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* server.until(({ connections }) => connections === 1)
      yield* TestClock.adjust("5 minutes")
      yield* client.closed
    })
  )

  it.effect("a call that is worked on keeps the connection, and the five minutes begin at its end", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* client.send(request(1, "wait", { key: "a" }))
      yield* server.until(({ calls }) => calls === 1)
      yield* TestClock.adjust("17 minutes")
      yield* server.open
      assert.deepStrictEqual(yield* client.next, success(1, "a"))
      yield* TestClock.adjust("299 seconds")
      yield* settle
      yield* ping(client)
      yield* TestClock.adjust("5 minutes")
      yield* client.closed
    })
  )

  it.effect("a stream that works on its next chunk keeps the connection", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* client.send(request("s", "ticks"))
      assert.deepStrictEqual(yield* client.next, { _tag: "Chunk", requestId: "s", values: [1] })
      yield* client.send({ _tag: "Ack", requestId: "s" })
      yield* ping(client)
      yield* TestClock.adjust("20 minutes")
      yield* settle
      yield* ping(client)
    })
  )

  it.effect("a stream that waits for an Ack does not", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* client.send(request("s", "ticks"))
      yield* client.next
      yield* TestClock.adjust("5 minutes")
      yield* client.closed
      yield* server.until(({ calls, connections, streams }) => calls + connections + streams === 0)
    })
  )
})
