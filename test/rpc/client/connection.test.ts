/** The connection of a client, over each transport, against a server that is killed, started again and stopped. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Stream } from "effect"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import { clientOf, kill, place, start, transports } from "./support.ts"

const series = (vendor: string): SeriesKey => ({
  vendor,
  dataset: null,
  symbol: "ALPHA",
  kind: "bar",
  timeframe: "1m",
  price: "trade",
  session: "all",
  currency: null,
  adjustment: "raw"
})
const day = { start: Date.UTC(2024, 0, 1), end: Date.UTC(2024, 0, 2) }
/** Of the model, 20,160 bars: six chunks. */
const fortnight = { start: Date.UTC(2024, 0, 1), end: Date.UTC(2024, 0, 15) }
/** Of the model, 200,000 bars: fifty chunks. */
const months = { start: Date.UTC(2024, 0, 1), end: Date.UTC(2024, 4, 19) }

/** The tag that it fails with, and after how many milliseconds; a defect, an interruption and a success fail the test. */
const failureOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>, within: number) =>
  Effect.gen(function* () {
    const from = performance.now()
    const exit = yield* Effect.exit(Effect.timeout(effect, within))
    const took = performance.now() - from
    assert.isTrue(Exit.isFailure(exit), `it succeeded: ${JSON.stringify(exit)}`)
    if (!Exit.isFailure(exit)) return took
    assert.isFalse(Cause.hasDies(exit.cause) || Cause.hasInterrupts(exit.cause), String(exit.cause))
    assert.deepStrictEqual(
      exit.cause.reasons.map((reason) => (reason._tag === "Fail" ? reason.error._tag : reason._tag)),
      ["RpcClientError"],
      String(exit.cause)
    )
    return took
  })

for (const transport of transports) {
  describe(`a client over ${transport}`, () => {
    it.live(
      "finds no server, then one, loses it with calls in flight, and finds the next without being made again",
      () =>
        Effect.gen(function* () {
          const where = yield* place
          yield* Effect.gen(function* () {
            const client = yield* TapestryClient
            const hello = client["System.hello"]()
            const all = Stream.runCount(client["Series.bars"]({ series: series("model"), range: months }))

            assert.isBelow(yield* failureOf(hello, 5_000), 1_000)
            assert.isBelow(yield* failureOf(all, 5_000), 1_000)

            const first = yield* start(where)
            assert.strictEqual((yield* hello).product, "0.0.0-test")
            assert.strictEqual(yield* all, 200_160)

            const read = client["Series.read"]({ series: series("slow"), range: day })
            const plain = yield* Effect.forkChild(
              failureOf(client["Series.refetch"]({ series: series("model") }), 5_000)
            )
            const waiting = yield* Effect.forkChild(failureOf(Stream.runDrain(read), 5_000))
            const flowing = yield* Effect.forkChild(
              failureOf(
                client["Series.bars"]({ series: series("model"), range: months }).pipe(
                  Stream.rechunk(4_000),
                  Stream.mapArrayEffect((rows) => Effect.as(Effect.sleep(10), rows)),
                  Stream.runDrain
                ),
                20_000
              )
            )
            yield* Effect.sleep(40)
            yield* kill(first.process)
            assert.isBelow(yield* Fiber.join(plain), 2_000)
            assert.isBelow(yield* Fiber.join(waiting), 2_000)
            yield* Fiber.join(flowing)
            assert.isBelow(yield* failureOf(hello, 5_000), 1_000)

            yield* start(where)
            assert.strictEqual((yield* hello).product, "0.0.0-test")
            assert.strictEqual(yield* all, 200_160)
          }).pipe(Effect.provide(clientOf(transport, where)))
        }).pipe(Effect.scoped),
      60_000
    )
  })
}

// They mostly wait: those of all transports at the same time.
describe.concurrent("a client that waits", () => {
  for (const transport of transports) {
    describe(`over ${transport}`, () => {
      it.live(
        "notices a server that is stopped, and works when it goes on",
        () =>
          Effect.gen(function* () {
            const where = yield* place
            const server = yield* start(where)
            yield* Effect.gen(function* () {
              const client = yield* TapestryClient
              yield* client["System.hello"]()
              const waiting = yield* Effect.forkChild(
                failureOf(Stream.runDrain(client["Series.read"]({ series: series("slow"), range: day })), 20_000)
              )
              yield* Effect.sleep(200)
              server.process.kill("SIGSTOP")
              const next = yield* Effect.forkChild(failureOf(client["System.hello"](), 20_000))
              assert.isBelow(yield* Fiber.join(waiting), 10_500)
              assert.isBelow(yield* Fiber.join(next), 10_500)
              server.process.kill("SIGCONT")
              assert.strictEqual((yield* client["System.hello"]()).product, "0.0.0-test")
            }).pipe(Effect.provide(clientOf(transport, where)))
          }).pipe(Effect.scoped),
        60_000
      )

      it.live(
        "answers other calls while the rows of one are not taken, for longer than the ping",
        () =>
          Effect.gen(function* () {
            const where = yield* place
            yield* start(where)
            yield* Effect.gen(function* () {
              const client = yield* TapestryClient
              const rows = client["Series.bars"]({ series: series("model"), range: fortnight })
              // From here on the rows come from the store.
              yield* Stream.runDrain(rows)
              let taken = 0
              const slow = yield* rows.pipe(
                Stream.rechunk(4_000),
                Stream.runForEachArray((chunk) =>
                  Effect.suspend(() => {
                    taken += chunk.length
                    return taken === chunk.length ? Effect.sleep("10 seconds") : Effect.void
                  })
                ),
                Effect.forkChild
              )
              for (let second = 0; second < 10; second++) {
                yield* Effect.sleep("900 millis")
                const from = performance.now()
                yield* client["System.hello"]()
                assert.isBelow(performance.now() - from, 2_000)
              }
              yield* Fiber.join(slow)
              assert.strictEqual(taken, 20_160)
            }).pipe(Effect.provide(clientOf(transport, where)))
          }).pipe(Effect.scoped),
        60_000
      )
    })
  }
})
