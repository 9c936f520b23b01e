/** What a session does about a gateway that loses IB, goes elsewhere or finds it too fast, against the simulated one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Question } from "../../../../src/layers/adapters/ibkr/Question.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { scripted } from "./scriptedGateway.ts"
import { eventually, passWith, sessionAt, turns, until } from "./session.ts"

const second = 1_000
const minute = 60 * second
const always = ["00:00-00:00 UTC"]

const quiet = Effect.provideService(References.MinimumLogLevel, "Fatal")

const headTimestamp: Question = {
  line: "history",
  send: (api, id) =>
    api.reqHeadTimestamp(id, { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" }, "TRADES", true, 2),
  isLast: () => true,
  messageIds: [88],
  within: 600_000,
  what: "the first instant of AAPL"
}

/** A simulated gateway, a session with it, and time for both. */
const rigged = Effect.fnUntraced(function* (resets: ReadonlyArray<string> = []) {
  // It counts messages by the machine's clock, which stands still here.
  const gateway = yield* GatewaySimulator.make({ quotas: { messagesPerSecond: 1_000_000 } })
  yield* TestClock.setTime(gateway.now())
  const session = yield* sessionAt(gateway.port, { resets })
  const events: Array<string> = []
  yield* Effect.forkScoped(
    Stream.runForEach(session.events, ({ _tag }) => Effect.sync(() => events.push(_tag))),
    { startImmediately: true }
  )
  yield* session.ready
  yield* until(session, "Ready", ({ clockSkew, farms }) => clockSkew !== null && farms.length > 2)
  return { events, gateway, pass: passWith(gateway), session }
})

describe("a gateway that has lost IB", () => {
  it.effect(
    "is connected to anew after three minutes, told once of as many losses as there were, and is known as lost again",
    () =>
      Effect.gen(function* () {
        const { events, gateway, pass, session } = yield* rigged()
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 5 * minute, restored: 1101, times: 20 })
        yield* until(session, "Degraded", ({ upstream }) => upstream)
        yield* pass(3 * minute - 2 * second, second)
        assert.deepStrictEqual(
          gateway.clients().map(({ connection }) => connection),
          [1]
        )
        yield* pass(6 * second, second)
        const again = yield* until(session, "Degraded", ({ connection }) => connection === 2)
        assert.isTrue(again.upstream)
        // Restored in time: it stays.
        yield* pass(5 * minute, second)
        assert.strictEqual((yield* until(session, "Ready")).connection, 2)
        assert.deepStrictEqual(
          events.filter((event) => event !== "Notice"),
          ["Connected", "UpstreamLost", "Lost", "Connected", "UpstreamLost", "UpstreamRestored"]
        )
      }).pipe(quiet)
  )

  it.effect("is waited for while IB resets its servers", () =>
    Effect.gen(function* () {
      const { gateway, pass, session } = yield* rigged(["14:00-14:10 UTC"])
      yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 20 * minute, restored: 1102 })
      yield* pass(12 * minute, second)
      assert.strictEqual((yield* until(session, "Degraded")).connection, 1)
      // Three minutes after the reset it is late.
      yield* pass(2 * minute, second)
      assert.strictEqual((yield* until(session, "Degraded")).connection, 2)
    }).pipe(quiet)
  )
})

describe("a farm that is broken", () => {
  for (const [farm, serves] of [
    ["usfarm", "market"],
    ["ushmds", "history"],
    ["secdefnj", "definitions"]
  ] as const) {
    it.effect(`${farm}: it alone is, until it is back`, () =>
      Effect.gen(function* () {
        const { events, gateway, pass, session } = yield* rigged()
        yield* gateway.inject({ _tag: "FarmBroken", farm, forMillis: 20 * second })
        const { farms, upstream } = yield* until(session, "Degraded")
        assert.isFalse(upstream)
        assert.deepStrictEqual(
          farms.filter(({ state }) => state !== "ok"),
          [{ name: farm, serves, state: "broken" }]
        )
        yield* pass(25 * second, second)
        const ready = yield* until(session, "Ready", (state) => state.farms.every(({ state }) => state === "ok"))
        assert.strictEqual(ready.connection, 1)
        assert.deepStrictEqual(
          events.filter((event) => event !== "Notice"),
          ["Connected", "FarmBroken", "FarmRestored"]
        )
      }).pipe(quiet)
    )
  }
})

describe("attempts while IB resets its servers", () => {
  it.effect("come a second after a loss, then a minute apart, and not much after the end of it", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(scripted({}), (gateway) => gateway.port))
      // The test's clock begins at midnight.
      const session = yield* sessionAt(port, { resets: ["00:00-00:03 UTC"] })
      yield* Effect.flip(session.ready)
      const pauses: Array<number> = []
      let now = 0
      for (let attempt = 2; attempt < 12; attempt++) {
        const { after } = yield* until(session, "Reconnecting", (state) => state.attempt === attempt)
        if (now < 3 * minute) pauses.push(after)
        // After it they grow again, from what has failed so far.
        else assert.isAtMost(after, 36 * second)
        now += after
        yield* TestClock.adjust(after)
      }
      const [first = 0, ...others] = pauses
      assert.approximately(first, second, 0.2 * second)
      for (const pause of others.slice(0, -1)) assert.approximately(pause, minute, 0.2 * minute)
      const end = pauses.reduce((sum, pause) => sum + pause, 0)
      assert.isAtLeast(end, 3 * minute)
      assert.isAtMost(end, 3 * minute + second)
    }).pipe(quiet)
  )

  it.effect("one that is lost at night is made again a second later, as always", () =>
    Effect.gen(function* () {
      const { gateway, pass, session } = yield* rigged(always)
      yield* pass(40 * second, second)
      yield* gateway.inject({ _tag: "Drop", how: "fin" })
      const { after } = yield* until(session, "Reconnecting")
      assert.isAtMost(after, 1_200)
      yield* TestClock.adjust(after)
      assert.strictEqual((yield* until(session, "Ready")).connection, 2)
    }).pipe(quiet)
  )
})

describe("a gateway that goes to another port", () => {
  it.effect("is found there", () =>
    Effect.gen(function* () {
      const { gateway, session } = yield* rigged()
      const before = gateway.port
      yield* gateway.inject({ _tag: "PortChanged" })
      assert.notStrictEqual(gateway.port, before)
      const { after, cause } = yield* until(session, "Reconnecting")
      assert.include(cause.message, `new port - ${gateway.port}`)
      yield* TestClock.adjust(after)
      yield* until(session, "Ready", ({ connection }) => connection === 2)
      assert.strictEqual(gateway.clients().length, 1)
      // Once more: it stays found.
      yield* gateway.inject({ _tag: "Drop", how: "rst" })
      yield* TestClock.adjust((yield* until(session, "Reconnecting")).after)
      yield* until(session, "Ready", ({ connection }) => connection === 3)
    }).pipe(quiet)
  )

  it.effect("where nobody is at the other, at the one that was configured, by turns", () =>
    Effect.gen(function* () {
      const nobody = yield* Effect.scoped(Effect.map(scripted({}), (gateway) => gateway.port))
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          if (talk.number === 1) talk.send(4, 2, -1, 1300, `Please reconnect on the new port - ${nobody}`, "")
          else if (fields[0] === "49") talk.send(49, 1, 1)
        }
      })
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      yield* TestClock.adjust((yield* until(session, "Reconnecting", ({ attempt }) => attempt === 2)).after)
      const refused = yield* until(session, "Reconnecting", ({ attempt }) => attempt === 3)
      assert.include(refused.cause.message, `127.0.0.1:${nobody}`)
      yield* TestClock.adjust(refused.after)
      yield* until(session, "Ready", ({ connection }) => connection === 2)
    }).pipe(quiet)
  )
})

describe("a gateway that was asked too fast", () => {
  it.effect("is asked more slowly on the next connection, too, for ten minutes", () =>
    Effect.gen(function* () {
      const { gateway, pass, session } = yield* rigged()
      const sent = Effect.fnUntraced(function* () {
        const asked = yield* Effect.forEach(
          Array.from({ length: 200 }, () => headTimestamp),
          (question) => Effect.forkChild(Effect.exit(session.ask(question)), { startImmediately: true })
        )
        yield* turns
        const before = gateway.clients()[0]?.requests ?? 0
        yield* pass(3 * second, 25)
        const within = (gateway.clients()[0]?.requests ?? 0) - before
        yield* Effect.forEach(asked, Fiber.interrupt, { concurrency: "unbounded" })
        yield* pass(10 * second, 250)
        return within
      })
      assert.approximately(yield* sent(), 3 * 40, 8)
      yield* gateway.inject({ _tag: "RateExceeded", disconnect: true })
      yield* TestClock.adjust((yield* until(session, "Reconnecting")).after)
      yield* until(session, "Ready", ({ clockSkew }) => clockSkew !== null)
      assert.approximately(yield* sent(), 3 * 32, 8)
      yield* pass(10 * minute, second)
      yield* gateway.inject({ _tag: "Drop", how: "rst" })
      yield* TestClock.adjust((yield* until(session, "Reconnecting")).after)
      yield* until(session, "Ready", ({ clockSkew }) => clockSkew !== null)
      assert.approximately(yield* sent(), 3 * 40, 8)
    }).pipe(quiet)
  )
})

describe("the session's log", () => {
  it.effect("says of which connection it speaks", () => {
    const lines: Array<readonly [string, unknown]> = []
    const logger = Logger.make(({ fiber, message }) => {
      lines.push([String(message), fiber.getRef(References.CurrentLogAnnotations).connection])
    })
    return Effect.gen(function* () {
      const { gateway, session } = yield* rigged()
      yield* gateway.inject({ _tag: "FarmBroken", farm: "usfarm", forMillis: second })
      yield* until(session, "Degraded")
      yield* gateway.inject({ _tag: "Drop", how: "fin" })
      yield* TestClock.adjust((yield* until(session, "Reconnecting")).after)
      yield* until(session, "Ready")
      yield* eventually("the second is ready", () => lines.some(([, connection]) => connection === 2))
      const of = (text: string) => lines.filter(([line]) => line.includes(text)).map(([, connection]) => connection)
      assert.deepStrictEqual(of("ready at 127.0.0.1"), [1, 2])
      assert.deepStrictEqual(of("closed the connection"), [1])
      assert.strictEqual(of("is broken:usfarm")[0], 1)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})
