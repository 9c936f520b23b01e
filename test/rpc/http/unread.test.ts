/** Clients of HTTP that ask for a lot and read none of it do not keep the server from going down. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { call, connection, head, serve, turn } from "./support.ts"

const pause = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 200)))

/** Answers of 600 KB: more than the kernel holds, so some are kept and some wait for room. */
const text = "x".repeat(600_000)
const body = Array.from({ length: 12 }, (_, id) => call(id, "Echo", { text })).join("")
const large = Array.from({ length: 400 }, (_, id) => call(id, "Large", { bytes: 100_000 })).join("")

for (const stays of [true, false]) {
  for (const [what, sent] of [
    ["a body of small calls", large],
    ["a body that is large itself", body]
  ] as const) {
    describe(`a client that reads nothing and ${stays ? "stays" : "leaves"}, after ${what}`, () => {
      it.live("lets the server drain and close within seconds", () =>
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const { host, port } = yield* Scope.provide(serve(), scope)
          const { socket } = yield* connection(port)
          socket.pause()
          socket.write(head("POST /rpc", { "content-length": String(sent.length) }) + sent)
          while ((yield* host.state).connections === 0) {
            yield* turn
          }
          yield* pause
          if (!stays) {
            socket.destroy()
            while ((yield* host.state).connections > 0) {
              yield* turn
            }
          }
          const began = performance.now()
          const done = yield* Effect.timeoutOption(
            Effect.andThen(host.drain, Scope.close(scope, Exit.void)),
            "8 seconds"
          )
          assert.strictEqual(done._tag, "Some", "it hangs")
          assert.isBelow(performance.now() - began, 4_000)
          assert.deepInclude(yield* host.state, { connections: 0, calls: 0 })
        })
      )
    })
  }
}
