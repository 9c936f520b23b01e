import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hosted, opened } from "./support/hosted.ts"
import { failure, request, success } from "./support/RawClient.ts"

const times = (count: number) => Array.from({ length: count }, (_, index) => index)

for (const kind of ["tcp", "unix"] as const) {
  describe(`limits over ${kind}`, () => {
    it.effect("a connection has 64 calls at most; the next is TooBusy, and others are not concerned", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        const other = yield* opened(server)
        yield* client.send(...times(64).map((id) => request(id, "wait", { key: `${id}` })), request("65", "nothing"))
        assert.deepStrictEqual(yield* client.next, failure("65", { _tag: "TooBusy", limit: "calls", max: 64 }))
        yield* other.send(request(1, "echo", { text: "served" }))
        assert.deepStrictEqual(yield* other.next, success(1, "served"))
        yield* client.send({ _tag: "Interrupt", requestId: 0 })
        yield* client.next
        yield* client.send(request("again", "nothing"))
        assert.deepStrictEqual(yield* client.next, success("again", null))
        yield* server.open
        const answers = yield* client.take(63)
        assert.deepStrictEqual(
          answers,
          times(63).map((index) => success(index + 1, `${index + 1}`))
        )
      })
    )

    it.effect("notifications and discarded calls count, though they are not answered", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(
          ...times(32).map((id) => request(id, "wait", { key: "n" }, { isNotification: true })),
          ...times(32).map((id) => request(`d${id}`, "wait", { key: "d" }, { discard: true })),
          request("65", "nothing")
        )
        const answers = yield* client.take(33)
        assert.deepStrictEqual(answers.at(-1), failure("65", { _tag: "TooBusy", limit: "calls", max: 64 }))
        yield* server.open
        yield* server.until(({ calls }) => calls === 0)
      })
    )

    it.effect("a connection has 16 streams at most, and an id is free when its stream has ended", () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        const client = yield* opened(server)
        yield* client.send(...times(17).map((id) => request(id, "ticks")))
        const answers = yield* client.take(17)
        assert.deepStrictEqual(
          answers.find((answer) => answer?.requestId === 16),
          failure(16, { _tag: "TooBusy", limit: "streams", max: 16 })
        )
        assert.deepStrictEqual((yield* server.host.state).streams, 16)
        yield* client.send({ _tag: "Interrupt", requestId: 3 })
        yield* client.next
        yield* client.send(request(3, "ticks"))
        assert.deepStrictEqual(yield* client.next, { _tag: "Chunk", requestId: 3, values: [1] })
      })
    )

    const most = kind === "unix" ? 256 : 1_024
    it.effect(`the server has ${most} connections at most; the next is told so and closed`, () =>
      Effect.gen(function* () {
        const server = yield* hosted(kind)
        // Those of the network and of the socket do not take each other's places.
        yield* Effect.forEach(times(kind === "unix" ? 1_024 : 1_023), () => server.host.admit, { discard: true })
        if (kind === "unix") yield* Effect.forEach(times(most - 1), () => opened(server), { concurrency: 32 })
        const last = yield* opened(server)
        yield* last.send(request(1, "nothing"))
        assert.deepStrictEqual(yield* last.next, success(1, null))
        const refused = yield* opened(server)
        assert.deepStrictEqual(yield* refused.take(2), [{ _tag: "TooBusy", limit: "connections", max: most }, null])
        last.socket.destroy()
        const before = kind === "unix" ? 1_024 + most - 1 : most - 1
        yield* server.until(({ connections }) => connections === before)
        const next = yield* opened(server)
        yield* next.send(request(2, "nothing"))
        assert.deepStrictEqual(yield* next.next, success(2, null))
      })
    )
  })
}
