import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as BorderLive from "../../../src/rpc/handlers/BorderLive.ts"
import { hosted, opened } from "./support/hosted.ts"
import { at, request, success } from "./support/RawClient.ts"

/** Runs with a log that is kept. */
const logged = <A, E, R>(use: (lines: ReadonlyArray<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make((options) => {
      if (options.logLevel !== "Debug") lines.push(`${options.logLevel} ${Logger.formatJson.log(options)}`)
    })
    return use(lines).pipe(Effect.provide(Logger.layer([logger])))
  })

const cases = [
  ["die", "secret: the password is 1234"],
  ["throws", "secret: thrown while the handler was made"],
  ["unencodable", "Expected a finite number"],
  ["unencodableChunk", "Expected a finite number"]
] as const

const borders = [
  ["without a border", undefined],
  ["within Border", BorderLive.layer]
] as const

for (const [where, border] of borders)
  describe(`mistakes of ours ${where}`, () => {
    for (const [tag, secret] of cases) {
      it.effect(`${tag}: the client gets an incident, the log what happened, and other calls go on`, () =>
        logged((lines) =>
          Effect.gen(function* () {
            const server = yield* hosted("tcp", border)
            const client = yield* opened(server)
            yield* client.send(request("other", "wait", { key: "a" }), request("broken", tag))
            const answer = yield* client.next
            assert.strictEqual(answer?.requestId, "broken")
            assert.strictEqual(at(answer, "exit", "cause", 0, "error", "_tag"), "InternalError")
            assert.notInclude(JSON.stringify(answer), secret)
            const incident = String(at(answer, "exit", "cause", 0, "error", "incident"))
            yield* server.open
            assert.deepStrictEqual(yield* client.next, success("other", "a"))
            yield* client.send(request("broken", "echo", { text: "the id is free" }))
            assert.deepStrictEqual(yield* client.next, success("broken", "the id is free"))
            const incidents = lines.filter((line) => line.includes("tapestry.incident"))
            assert.lengthOf(incidents, 1)
            assert.lengthOf(
              lines.filter((line) => line.startsWith("Error")),
              1
            )
            assert.match(incidents[0] ?? "", /^Error/)
            assert.include(incidents[0] ?? "", incident)
            assert.include(incidents[0] ?? "", secret)
          })
        )
      )
    }
  })

describe("a call whose client hears nothing of its end", () => {
  it.effect("leaves an incident when it breaks, and none when it is refused or interrupted", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const server = yield* hosted("tcp", BorderLive.layer)
        const client = yield* opened(server)
        yield* client.send(
          request("refused", "refuse", undefined, { isNotification: true }),
          request("broken", "die", undefined, { isNotification: true }),
          request("gone", "wait", { key: "" }, { isNotification: true })
        )
        yield* server.until(({ calls }) => calls === 1)
        client.socket.destroy()
        yield* server.until(({ connections }) => connections === 0)
        const errors = lines.filter((line) => line.startsWith("Error"))
        assert.lengthOf(errors, 1)
        assert.include(errors[0], "secret: the password is 1234")
      })
    )
  )
})
