import { assert, describe, it } from "@effect/vitest"
import { type Clock, Effect } from "effect"
import { LogClock } from "../../../src/layers/quota/LogClock.ts"

/** A clock of two numbers. */
const handClock = (hands: { wall: number; elapsed: number }): Clock.Clock => ({
  currentTimeMillisUnsafe: () => hands.wall,
  currentTimeMillis: Effect.sync(() => hands.wall),
  currentTimeNanosUnsafe: () => BigInt(hands.wall) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(hands.wall) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => BigInt(hands.elapsed * 1e6),
  monotonicTimeNanos: Effect.sync(() => BigInt(hands.elapsed * 1e6)),
  sleep: () => Effect.void
})

const hour = 3_600_000

describe("LogClock", () => {
  it("starts with the wall clock and follows elapsed time", () => {
    const hands = { wall: 50 * hour, elapsed: 7 }
    const log = new LogClock(handClock(hands), null)
    assert.strictEqual(log.now(), 50 * hour)
    hands.elapsed += 1.5
    assert.strictEqual(log.now(), 50 * hour + 1.5)
    for (const step of [hour, -3 * hour]) {
      hands.wall += step
      assert.strictEqual(log.now(), 50 * hour + 1.5)
    }
  })

  it("a monotonic clock that goes back costs nothing but the step", () => {
    const hands = { wall: 0, elapsed: 1_000 }
    const log = new LogClock(handClock(hands), null)
    hands.elapsed = 10
    assert.strictEqual(log.now(), 0)
    hands.elapsed = 15
    assert.strictEqual(log.now(), 5)
  })

  it("after a restart the wall clock tells how long nobody ran, and never less than nothing", () => {
    const at = (saved: { log: number; wall: number }, wall: number) =>
      new LogClock(handClock({ wall, elapsed: 0 }), saved).now()
    assert.strictEqual(at({ log: 1_000, wall: 5_000 }, 5_600), 1_600)
    assert.strictEqual(at({ log: 1_000, wall: 5_000 }, 5_000 - hour), 1_000)
    assert.strictEqual(at({ log: 9 * hour, wall: 5_000 }, 5_600), 9 * hour + 600)
  })

  it("a wall clock set while a process ran does not pass for time gone by in the next one", () => {
    const hands = { wall: 10 * hour, elapsed: 0 }
    const first = new LogClock(handClock(hands), null)
    hands.wall += hour
    hands.elapsed += 100
    const second = new LogClock(handClock(hands), first.reading())
    assert.strictEqual(second.now(), 10 * hour + 100)
  })

  it("goes forward with another process on the same log, and not back", () => {
    const hands = { wall: 0, elapsed: 0 }
    const log = new LogClock(handClock(hands), null)
    log.advanceTo(50)
    log.advanceTo(20)
    hands.elapsed = 1
    assert.strictEqual(log.now(), 51)
  })
})
