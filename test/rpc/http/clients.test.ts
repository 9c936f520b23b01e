/** effect's own clients, as they are, over HTTP and over WebSocket. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Ref, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { serve, TestRpcs } from "./support.ts"

const http = (port: number) =>
  RpcClient.layerProtocolHttp({ url: `http://127.0.0.1:${port}/rpc` }).pipe(
    Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
  )

const webSocket = (port: number) =>
  RpcClient.layerProtocolSocket().pipe(
    Layer.provide([NodeSocket.layerWebSocket(`ws://127.0.0.1:${port}/rpc`), RpcSerialization.layerSchemaBinary()])
  )

const clientOf = (protocol: Layer.Layer<RpcClient.Protocol>) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(protocol)
    return yield* Effect.provideContext(RpcClient.make(TestRpcs), context)
  })

for (const [name, protocol] of [
  ["HTTP", http],
  ["WebSocket", webSocket]
] as const) {
  describe(`effect's client over ${name}`, () => {
    it.effect("gets values, streams and typed errors", () =>
      Effect.gen(function* () {
        const { port } = yield* serve()
        const client = yield* clientOf(protocol(port))
        assert.strictEqual(yield* client.Echo({ text: "hello" }), "hello")
        const rows = yield* Stream.runCollect(client.Rows({ count: 10_000, chunk: 1_000 }))
        assert.strictEqual(rows.length, 10_000)
        assert.deepStrictEqual(
          rows.map(({ n }) => n),
          Array.from({ length: 10_000 }, (_, index) => index + 1)
        )
        const refused = yield* Effect.flip(client.Echo({ text: "refuse me" }))
        assert.strictEqual(refused._tag, "Refused")
        const broken = yield* Effect.flip(client.Broken())
        assert.strictEqual(broken._tag, "InternalError")
        const many = yield* Effect.forEach(
          Array.from({ length: 50 }, (_, index) => String(index)),
          (text) => client.Echo({ text }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(many.length, 50)
      })
    )

    it.effect("interrupts the call on the server when it gives up", () =>
      Effect.gen(function* () {
        const { host, port, seen } = yield* serve()
        const client = yield* clientOf(protocol(port))
        const calling = yield* Effect.forkChild(client.Never())
        yield* Deferred.await(seen.began)
        assert.strictEqual((yield* host.state).calls, 1)
        yield* Fiber.interrupt(calling)
        yield* Deferred.await(seen.interrupted)
      })
    )

    it.effect("stops a stream on the server when it has enough", () =>
      Effect.gen(function* () {
        const { port, seen } = yield* serve()
        const client = yield* clientOf(protocol(port))
        const some = yield* Stream.runCollect(Stream.take(client.Rows({ count: 10_000_000, chunk: 1_000 }), 1_500))
        assert.strictEqual(some.length, 1_500)
        yield* Deferred.await(seen.interrupted)
        assert.isBelow(yield* Ref.get(seen.rows), 1_000_000)
      })
    )
  })
}

describe("a client of a server that is going down", () => {
  it.effect("is told ShuttingDown", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      const client = yield* clientOf(http(port))
      yield* host.drain
      assert.strictEqual((yield* Effect.flip(client.Echo({ text: "hello" })))._tag, "ShuttingDown")
    })
  )
})
