import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { hosted, opened, turn } from "./support/hosted.ts"
import { request } from "./support/RawClient.ts"

/** Every line has exactly one answer at once, so that the order of answers is the order of lines. */
const line = fc.oneof(
  fc.constantFrom("null", "[]", "{}", "42", "{oops", '{"_tag":"Ping"}', '{"_tag":"Request","id":1}', "\u0000", '"é🙂"'),
  fc.json(),
  fc.string().map((text) => JSON.stringify(request(text, "echo", { text }))),
  fc.json().map((payload) => JSON.stringify(request(7, "ranged", JSON.parse(payload)))),
  fc.string().map((tag) => JSON.stringify(request("t", `x${tag}`, {})))
)
const broken = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) => bytes.map((byte) => (byte === 10 ? 0xff : byte)))
const lines = fc.array(
  fc.oneof({ weight: 4, arbitrary: line.map((text) => Buffer.from(text)) }, { weight: 1, arbitrary: broken }),
  {
    minLength: 1,
    maxLength: 12
  }
)
const sample = fc.tuple(lines, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }))

describe("anything at all", () => {
  it.effect("gets the same answers however it is cut, and the next call is served", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      for (const [texts, at] of fc.sample(sample, 150)) {
        const end = Buffer.from(`\n${JSON.stringify(request("end", "echo", { text: "served" }))}\n`)
        const whole = Buffer.concat([...texts.flatMap((text) => [text, Buffer.from("\n")]), end])
        const places = [0, ...at.map((part) => Math.floor(part * whole.length)).toSorted((a, b) => a - b), whole.length]
        const answers = (pieces: ReadonlyArray<Uint8Array>) =>
          Effect.scoped(
            Effect.gen(function* () {
              const client = yield* opened(server)
              for (const piece of pieces) {
                yield* client.write(piece)
                yield* turn
              }
              const seen: Array<unknown> = []
              while (true) {
                const answer = yield* client.next
                assert.isNotNull(answer)
                seen.push(answer)
                if (answer?.requestId === "end") return seen
              }
            })
          )
        const cut = places.slice(1).map((end, index) => whole.subarray(places[index], end))
        assert.deepStrictEqual(yield* answers(cut), yield* answers([whole]))
      }
      yield* server.until(({ calls, connections }) => calls + connections === 0)
    })
  )
})
