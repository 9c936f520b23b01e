import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
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

describe("mistakes of ours", () => {
  for (const [tag, secret] of cases) {
    it.effect(`${tag}: the client gets an incident, the log what happened, and other calls go on`, () =>
      logged((lines) =>
        Effect.gen(function* () {
          const server = yield* hosted("tcp")
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
          assert.lengthOf(lines, 1)
          assert.match(lines[0] ?? "", /^Error/)
          assert.include(lines[0] ?? "", incident)
          assert.include(lines[0] ?? "", secret)
        })
      )
    )
  }
})
