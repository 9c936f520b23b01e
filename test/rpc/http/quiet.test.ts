/** What clients do wrong does not fill the log: lines of debug, and nothing with a stack. */
import { WebSocket } from "@effect/platform-node/NodeWS"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Logger, References } from "effect"
import { call, connection, head, post, raw, serve, turn } from "./support.ts"

interface Line {
  readonly level: string
  readonly text: string
}

const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make(({ logLevel, message }) => {
      lines.push({ level: logLevel, text: Array.isArray(message) ? message.join(" ") : String(message) })
    })
    return effect.pipe(
      Effect.as(lines),
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "All")
    )
  })

const never = call("1", "Never", null)

describe("the log", () => {
  it.effect("has a line of debug for a client that vanishes, and nothing louder for garbage", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        Effect.scoped(
          Effect.gen(function* () {
            const { host, port, seen } = yield* serve()
            yield* raw(port, "\u0000garbage\r\n\r\n")
            yield* raw(port, head("GET /healthz", { "x-large": "x".repeat(20_000) }))
            yield* raw(port, head("GET /healthz", { host: "evil.example" }))
            yield* post(port, "{oops\nnull\n")
            const half = yield* connection(port)
            half.socket.write(head("POST /rpc", { "content-length": "100" }))
            const calling = yield* connection(port)
            calling.socket.write(head("POST /rpc", { "content-length": String(never.length) }) + never)
            yield* Deferred.await(seen.began)
            calling.socket.resetAndDestroy()
            half.socket.resetAndDestroy()
            yield* Deferred.await(seen.interrupted)
            const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`)
            yield* Effect.callback<void>((resume) => {
              socket.on("open", () => resume(Effect.void))
            })
            socket.send(Buffer.alloc(2_000_000))
            socket.on("error", () => {})
            yield* Effect.callback<void>((resume) => {
              socket.on("close", () => resume(Effect.void))
            })
            while ((yield* host.state).connections > 0) {
              yield* turn
            }
          })
        )
      )
      assert.deepStrictEqual(
        lines.filter(({ level }) => level !== "Debug" && level !== "Trace"),
        []
      )
      assert.isAbove(lines.filter(({ text }) => text.includes("disconnected")).length, 1)
      for (const { text } of lines) assert.notMatch(text, /\n\s+at /)
    })
  )
})
