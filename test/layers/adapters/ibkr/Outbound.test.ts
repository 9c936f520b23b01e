import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Outbound from "../../../../src/layers/adapters/ibkr/Outbound.ts"

const options = { rate: 40, burst: 8, capacity: 1000 }

/** Sends in lines, and when each was sent in milliseconds. */
const run = Effect.fnUntraced(function* (outbound: Outbound.Outbound, lines: ReadonlyArray<Outbound.OutboundLine>) {
  const clock = yield* Clock.Clock
  const sent: Array<{ readonly line: Outbound.OutboundLine; readonly at: number }> = []
  for (const line of lines) {
    const place = outbound.send(line, () => {
      sent.push({ line, at: clock.currentTimeMillisUnsafe() })
    })
    yield* Effect.forkScoped(place, { startImmediately: true })
  }
  return sent
})

const most = (times: ReadonlyArray<number>, span: number) =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + span).length))

describe("what goes to a gateway", () => {
  it.effect("never more than the rate and a burst in a second, however much waits", () =>
    Effect.gen(function* () {
      const outbound = yield* Outbound.make(options)
      const sent = yield* run(
        outbound,
        Array.from({ length: 300 }, () => "subscribe")
      )
      for (let step = 0; step < 2_000; step++) yield* TestClock.adjust("5 millis")
      assert.strictEqual(sent.length, 300)
      assert.isAtMost(
        most(
          sent.map(({ at }) => at),
          1000
        ),
        48
      )
      // 292 after the burst, at 40 a second.
      assert.approximately(sent[299]?.at ?? 0, 7_300, 60)
    })
  )

  it.effect("a probe before a cancel before a subscription before history", () =>
    Effect.gen(function* () {
      const outbound = yield* Outbound.make(options)
      const filled = yield* run(
        outbound,
        Array.from({ length: 8 }, () => "history")
      )
      yield* TestClock.adjust(0)
      assert.strictEqual(filled.length, 8)
      const sent = yield* run(outbound, ["history", "subscribe", "history", "cancel", "subscribe", "probe"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        sent.map(({ line }) => line),
        ["probe", "cancel", "subscribe", "subscribe", "history", "history"]
      )
    })
  )

  it.effect("a gateway that finds it too much is left alone for a second and asked more slowly", () =>
    Effect.gen(function* () {
      const outbound = yield* Outbound.make(options)
      yield* outbound.slowDown
      const sent = yield* run(
        outbound,
        Array.from({ length: 40 }, () => "history")
      )
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(sent.length, 0)
      assert.strictEqual(yield* outbound.rate, 32)
      yield* TestClock.adjust("1 second")
      assert.isAtMost(sent.length, 33)
      assert.isAtLeast(sent.length, 30)
    })
  )

  it.effect("who comes when it is full is refused, and who waits when it ends is told", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const outbound = yield* Scope.provide(Outbound.make({ rate: 1, burst: 1, capacity: 2 }), scope)
      yield* outbound.send("history", () => {})
      const waiting = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(Effect.flip(outbound.send("history", () => {})), { startImmediately: true })
      )
      assert.strictEqual((yield* Effect.flip(outbound.send("probe", () => {}))).reason._tag, "OutboundFull")
      yield* Scope.close(scope, Exit.void)
      for (const fiber of waiting) assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Disconnected")
      assert.strictEqual((yield* Effect.flip(outbound.send("probe", () => {}))).reason._tag, "Disconnected")
    })
  )

  it.effect("a message that cannot be written fails for its sender alone", () =>
    Effect.gen(function* () {
      const outbound = yield* Outbound.make(options)
      const error = yield* Effect.flip(
        outbound.send("history", () => {
          throw new Error("no such bar size")
        })
      )
      assert.match(error.message, /cannot be written: no such bar size/)
      yield* outbound.send("history", () => {})
    })
  )
})
