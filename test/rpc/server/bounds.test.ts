/** What one client costs others: the mistakes of a large payload, many lines at once, and answers that are not read. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Metric } from "effect"
import * as breather from "../../../src/rpc/server/breather.ts"
import { refusals } from "../../../src/services/Metrics.ts"
import { hosted, opened, turn } from "./support/hosted.ts"
import { at, request } from "./support/RawClient.ts"

const settle = Effect.replicateEffect(turn, 50, { discard: true })

describe("a payload with mistakes", () => {
  /** Each element of the list is one. */
  const wrong = (count: number) => request(1, "texts", { texts: Array.from({ length: count }, () => 1) })
  const words = (answer: unknown) => String(at(answer, "exit", "cause", 0, "error", "message"))

  it.effect("is told all of them when it is small, and the first when it is large", () =>
    Effect.gen(function* () {
      const client = yield* opened(yield* hosted("tcp"))
      yield* client.send(wrong(2_000))
      assert.match(words(yield* client.next), /^texts\.0: .*; and 1995 more$/)
      yield* client.send(wrong(300_000))
      assert.match(words(yield* client.next), /^texts\.0: [^;]*$/)
    })
  )
})

describe("a reader of lines", () => {
  it.effect("gives way by the time that it took, not by the number of its lines", () =>
    Effect.gen(function* () {
      let time = 0
      const breathe = breather.make(() => time)
      const yields = (lines: number, cost: number) =>
        Effect.gen(function* () {
          let turns = 0
          const counting = yield* Effect.forkChild(
            Effect.forever(
              Effect.andThen(
                Effect.sync(() => {
                  turns += 1
                }),
                Effect.yieldNow
              )
            )
          )
          for (let line = 0; line < lines; line++) {
            yield* breathe
            time += cost
          }
          yield* Fiber.interrupt(counting)
          return turns
        })
      assert.isAtMost(yield* yields(50, 0.01), 1)
      assert.isAtLeast(yield* yields(10, 5), 4)
    })
  )
})

describe("refusals", () => {
  const count = (code: Parameters<typeof refusals>[0]) => Effect.map(Metric.value(refusals(code)), ({ count }) => count)

  it.effect("are counted by their code, whether they are answered or not", () =>
    Effect.gen(function* () {
      const codes = [
        "MalformedLine",
        "NotAMessage",
        "UnknownProcedure",
        "BadPayload",
        "DuplicateId",
        "TooBusy",
        "ShuttingDown",
        "TooLong"
      ] as const
      const before = yield* Effect.forEach(codes, count)
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      yield* client.write("{oops\n42\n")
      yield* client.send(
        request(1, "nowhere"),
        request(2, "echo", { text: 1 }),
        request(3, "echo", { text: 1 }, { isNotification: true }),
        ...Array.from({ length: 64 }, (_, id) => request(`w${id}`, "wait", { key: "" })),
        request("w0", "nothing"),
        request(4, "nothing")
      )
      yield* client.take(6)
      yield* Effect.forkChild(server.host.drain, { startImmediately: true })
      yield* client.send(request(5, "nothing"))
      yield* client.next
      yield* client.write("x".repeat(1024 * 1024 + 2))
      yield* client.next
      const after = yield* Effect.forEach(codes, count)
      assert.deepStrictEqual(
        after.map((now, index) => now - (before[index] ?? 0)),
        [1, 1, 1, 2, 1, 1, 1, 1]
      )
      yield* server.open
    })
  )
})

describe("a client that sends calls and reads no answers", () => {
  it.effect("is served no more of them until it reads", () =>
    Effect.gen(function* () {
      const server = yield* hosted("tcp")
      const client = yield* opened(server)
      client.socket.pause()
      // 200 MB of answers; the kernel holds some of them.
      const text = "x".repeat(100_000)
      const calls = 2_000
      const sending = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let id = 0; id < calls; id += 20) {
            yield* client.send(
              ...Array.from({ length: 20 }, (_, index) => request(id + index, "counted", { times: 100_000 }))
            )
            yield* turn
          }
        })
      )
      yield* Fiber.join(sending)
      let last = -1
      while (last !== server.stage.counted) {
        last = server.stage.counted
        yield* settle
      }
      assert.isAbove(last, 0)
      assert.isBelow(last, 200, `of ${calls} calls, each with an answer of ${text.length} bytes`)
      client.socket.resume()
      const answers = yield* client.take(calls)
      assert.lengthOf(answers, calls)
      assert.strictEqual(server.stage.counted, calls)
    })
  )
})
