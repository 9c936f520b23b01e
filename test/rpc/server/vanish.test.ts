import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import * as BorderLive from "../../../src/rpc/handlers/BorderLive.ts"
import { hosted, opened } from "./support/hosted.ts"
import { request } from "./support/RawClient.ts"

const gone = { connections: 0, calls: 0, streams: 0, draining: false }

for (const kind of ["tcp", "unix"] as const) {
  describe(`clients that vanish over ${kind}`, () => {
    it.effect(
      "in the middle of a call, of a stream, and of a line: the calls end, and no line is louder than debug",
      () => {
        const lines: Array<ReadonlyArray<unknown>> = []
        const logger = Logger.make(({ logLevel, message }) => lines.push([logLevel, message]))
        return Effect.gen(function* () {
          const server = yield* hosted(kind, BorderLive.layer)
          const client = yield* opened(server)
          yield* client.send(
            request(1, "wait", { key: "a" }),
            request(2, "ticks"),
            request(3, "bars", { count: 1_000_000, chunk: 1_000 })
          )
          yield* client.take(2)
          yield* client.write('{"_tag":"Requ')
          yield* server.until(({ calls }) => calls === 3)
          // Longer than what is logged at Debug for being quick.
          yield* TestClock.adjust("1 second")
          // A reset where there is one: what was sent and not read is lost.
          if (kind === "tcp") client.socket.resetAndDestroy()
          else client.socket.destroy()
          yield* server.until(({ connections }) => connections === 0)
          assert.deepStrictEqual(yield* server.host.state, gone)
          assert.deepStrictEqual(server.stage.interrupted, ["a"])
          // One of the border for each call, and one for the connection.
          assert.deepStrictEqual(lines.map((line) => line.join(" ")).sort(), [
            "Debug tapestry.call",
            "Debug tapestry.call",
            "Debug tapestry.call",
            "Debug tapestry.disconnected"
          ])
        }).pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(References.MinimumLogLevel, "Debug"))
      }
    )

    it.effect("closing the sending side is vanishing, too", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(request(1, "wait", { key: "a" }))
        yield* server.until(({ calls }) => calls === 1)
        client.socket.end()
        yield* client.closed
        yield* server.until(({ connections }) => connections === 0)
        assert.deepStrictEqual(server.stage.interrupted, ["a"])
      })
    )

    it.effect("a hundred that come and go leave nothing", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        yield* Effect.forEach(
          Array.from({ length: 100 }),
          () =>
            Effect.scoped(
              Effect.gen(function* () {
                const client = yield* opened(server)
                yield* client.send(
                  request(1, "bars", { count: 100_000, chunk: 1_000 }),
                  request(2, "wait", { key: "" })
                )
                yield* client.next
              })
            ),
          { concurrency: 10, discard: true }
        )
        yield* server.until(({ connections }) => connections === 0)
        assert.deepStrictEqual(yield* server.host.state, gone)
      })
    )
  })
}
