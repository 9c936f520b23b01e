/** The adapter and its session against the simulated gateway: what it is told is the market's truth, and what goes wrong is mended. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import type { Malformation } from "../../../../src/layers/testing/gateway/Faults.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import type { SeriesQuery, VendorAnswer } from "../../../../src/services/Adapter.ts"
import { sessionAt, ticking, turns, until } from "./session.ts"

const fetchAt = Effect.fnUntraced(function* (port: number) {
  const vendor = Result.getOrThrow(resolveVendor("ibkr", { port, patience: 120_000 }, 1 << 26))
  const { fetch } = yield* IbkrAdapter.make(vendor)
  if (fetch === undefined) throw new Error("the adapter cannot fetch")
  return fetch
})

const bars = Effect.fnUntraced(function* (port: number, query: SeriesQuery, start: number, end: number) {
  const fetch = yield* fetchAt(port)
  const series = yield* fetch.series(query)
  const range = { start, end }
  const request = yield* fetch.request(series, range)
  const answer = yield* fetch.fetch(request)
  assert.isNull(answer.refusal)
  if (!(answer.body instanceof Uint8Array)) throw new Error("the answer is not in memory")
  return yield* fetch.decode(answer.body, { series, range, request })
}, Effect.scoped)

const second = 1_000
const minute = 60 * second

describe("bars of the simulated market", () => {
  for (const [timeframe, millis, span] of [
    ["1s", second, 20 * minute],
    ["5s", 5 * second, 50 * minute],
    ["30s", 30 * second, 120 * minute],
    ["1m", minute, 240 * minute],
    ["30m", 30 * minute, 3 * 1440 * minute]
  ] as const) {
    it.effect(`of ${timeframe} are its truth`, () =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make()
        const end = Math.floor(gateway.now() / minute) * minute - minute
        const start = end - span
        const query = { symbol: "AAPL", kind: "bar", timeframe, session: "all" } as const
        const { bars: had } = yield* bars(gateway.port, query, start, end)
        // The last of them is whole, wherever the range ends in it.
        const last = Math.ceil(end / millis) * millis
        const truth = gateway.bars("AAPL", start, last, millis).filter(({ at }) => at >= start && at < end)
        assert.isAbove(had.length, 10)
        assert.deepStrictEqual(
          had.map(({ close, count, high, low, open, ts, volume }) => [ts, open, high, low, close, volume, count]),
          truth.map(({ at, close, count, high, low, open, volume }) => [at, open, high, low, close, volume, count])
        )
      })
    )
  }

  it.effect("of a range that ends inside a bar have that bar whole", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      for (const [timeframe, millis] of [
        ["30s", 30 * second],
        ["1m", minute],
        ["1h", 60 * minute]
      ] as const) {
        const start = Date.UTC(2026, 3, 9, 15)
        const end = start + 2 * millis + 1_001
        const query = { symbol: "AAPL", kind: "bar", timeframe, session: "all" } as const
        const { bars: had } = yield* bars(gateway.port, query, start, end)
        const truth = gateway.bars("AAPL", start, start + 3 * millis, millis)
        assert.deepStrictEqual(
          had.map(({ close, count, ts, volume }) => [ts, close, volume, count]),
          truth.map(({ at, close, count, volume }) => [at, close, volume, count]),
          timeframe
        )
      }
    })
  )

  it.effect("of days, of currencies, and none where nothing is traded", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const end = Date.UTC(2026, 3, 10)
      const days = yield* bars(
        gateway.port,
        { symbol: "SPY", kind: "bar", timeframe: "1d" },
        Date.UTC(2026, 2, 30),
        end
      )
      assert.deepStrictEqual(
        days.bars.map(({ ts }) => new Date(ts).toISOString().slice(0, 10)),
        // The third of April is Good Friday.
        ["2026-03-30", "2026-03-31", "2026-04-01", "2026-04-02", "2026-04-06", "2026-04-07", "2026-04-08", "2026-04-09"]
      )
      const pair = yield* bars(
        gateway.port,
        { symbol: "EUR.USD", kind: "bar", timeframe: "1m" },
        Date.UTC(2026, 3, 9, 12),
        Date.UTC(2026, 3, 9, 13)
      )
      assert.strictEqual(pair.bars.length, 60)
      assert.isNull(pair.bars[0]?.volume)
    })
  )

  it.effect("what IB refuses is told in every vendor's words, with its bytes", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const fetch = yield* fetchAt(gateway.port)
      const range = { start: Date.UTC(2026, 3, 9, 14), end: Date.UTC(2026, 3, 9, 15) }
      const ask = Effect.fnUntraced(function* (symbol: string) {
        const series = yield* fetch.series({ symbol, kind: "bar", timeframe: "1m" })
        return yield* fetch.fetch(yield* fetch.request(series, range))
      })
      const unknown = yield* ask("NOSUCHTHING")
      assert.strictEqual(unknown.refusal?._tag, "NotFound")
      assert.isAbove(unknown.body instanceof Uint8Array ? unknown.body.length : 0, 60)
      yield* gateway.inject({ _tag: "HistoryPacing", requests: 1 })
      const paced = yield* ask("AAPL")
      assert.strictEqual(paced.refusal?._tag, "Throttled")
      yield* gateway.inject({ _tag: "HistoryEmpty", requests: 1 })
      assert.isNull((yield* ask("AAPL")).refusal)
    })
  )
})

describe("a session with the simulated gateway", () => {
  it.effect("three drops before it is ready, then one connection with nothing but its own", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      yield* gateway.inject({ _tag: "DropBeforeReady", connections: 3 })
      const session = yield* sessionAt(gateway.port)
      const asked = yield* Effect.forkChild(Effect.result(session.ready), { startImmediately: true })
      for (let attempt = 2; attempt <= 4; attempt++) {
        const { after } = yield* until(session, "Reconnecting", (state) => state.attempt === attempt)
        yield* TestClock.adjust(after)
      }
      yield* Fiber.join(asked)
      const ready = yield* until(session, "Ready")
      assert.strictEqual(ready.connection, 1)
      assert.strictEqual(gateway.clients().length, 1)
    })
  )

  it.effect("a mute gateway is left within thirty seconds", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      yield* until(session, "Ready", ({ clockSkew, farms }) => clockSkew !== null && farms.length > 2)
      yield* gateway.inject({ _tag: "Mute" })
      const again = yield* Effect.forkChild(
        until(session, "Ready", ({ connection }) => connection === 2),
        { startImmediately: true }
      )
      yield* TestClock.adjust("25 seconds")
      const { after } = yield* until(session, "Reconnecting")
      assert.isAtMost(25_000 + after, 30_000)
      yield* gateway.inject({ _tag: "Clear" })
      yield* TestClock.adjust(after)
      yield* Fiber.join(again)
    })
  )

  it.effect("an id in use three times: another one, and no tight loop", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      yield* gateway.inject({ _tag: "ClientIdInUse", connections: 3 })
      const session = yield* sessionAt(gateway.port)
      const asked = yield* Effect.forkChild(session.ready, { startImmediately: true })
      for (const clientId of [8, 9, 10]) {
        const { after } = yield* until(session, "Reconnecting", (state) => state.clientId === clientId)
        assert.isAtLeast(after, 5_000)
        yield* TestClock.adjust(after)
      }
      assert.strictEqual((yield* Fiber.join(asked)).clientId, 10)
    })
  )

  it.effect("a frame cut off after every number of its bytes: the next connection answers", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const fetch = yield* fetchAt(gateway.port)
      const series = yield* fetch.series({ symbol: "AAPL", kind: "bar", timeframe: "1m" })
      const range = { start: Date.UTC(2026, 3, 9, 14), end: Date.UTC(2026, 3, 9, 14, 5) }
      const request = yield* fetch.request(series, range)
      const rows = Effect.fnUntraced(function* ({ body, refusal }: VendorAnswer) {
        assert.isNull(refusal)
        if (!(body instanceof Uint8Array)) throw new Error("the answer is not in memory")
        return (yield* fetch.decode(body, { series, range, request })).bars
      })
      const whole = yield* rows(yield* fetch.fetch(request))
      const connected = Effect.gen(function* () {
        while (gateway.clients()[0]?.phase !== "ready") {
          yield* TestClock.adjust("1 seconds")
          yield* turns
        }
      })
      for (let bytes = 0; ; bytes++) {
        yield* gateway.inject({ _tag: "CutFrame", bytes, how: bytes % 2 === 0 ? "fin" : "rst" })
        const cut = yield* Effect.result(fetch.fetch(request))
        if (cut._tag === "Success") {
          // All of the frame had gone before the connection went.
          assert.deepStrictEqual(yield* rows(cut.success), whole)
          assert.isAbove(bytes, 200)
          break
        }
        assert.strictEqual(cut.failure.reason._tag, "Unavailable", `after ${bytes} bytes`)
        yield* connected
        assert.deepStrictEqual(yield* rows(yield* fetch.fetch(request)), whole, `after ${bytes} bytes`)
      }
    })
  )

  for (const what of [
    "halfFrame",
    "zeroLength",
    "negativeLength",
    "hugeLength",
    "noTrailingNul",
    "unknownId",
    "missingField",
    "extraField",
    "invalidJson",
    "negativeCount",
    "nonUtf8",
    "everyByteApart",
    "coalesced"
  ] as const satisfies ReadonlyArray<Malformation>) {
    it.effect(`${what}: alive, and answered within 35 seconds`, () =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make()
        const fetch = yield* fetchAt(gateway.port)
        const series = yield* fetch.series({ symbol: "AAPL", kind: "bar", timeframe: "1m" })
        const range = { start: Date.UTC(2026, 3, 9, 14), end: Date.UTC(2026, 3, 9, 14, 5) }
        const request = yield* fetch.request(series, range)
        yield* fetch.fetch(request)
        yield* gateway.inject({ _tag: "Malformed", what })
        yield* ticking
        const from = yield* Clock.currentTimeMillis
        assert.isNull((yield* Effect.retry(fetch.fetch(request), { times: 3 })).refusal)
        assert.isAtMost((yield* Clock.currentTimeMillis) - from, 35_000)
      })
    )
  }

  it.effect("never more than fifty messages in a second of the wire", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ quotas: { strikes: 1 } })
      const session = yield* sessionAt(gateway.port)
      yield* session.ready
      const asked = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        () =>
          Effect.forkChild(
            session.ask({
              line: "history",
              send: (api, id) =>
                api.reqHeadTimestamp(
                  id,
                  { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" },
                  "TRADES",
                  true,
                  2
                ),
              isLast: () => true,
              messageIds: [88],
              within: 60_000,
              what: "the first instant of AAPL"
            }),
            { startImmediately: true }
          )
      )
      // The gateway counts by the machine's clock: it is the same here.
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(TestClock.withLive(Effect.sleep("10 millis")), TestClock.adjust("10 millis")))
      )
      for (const fiber of asked) assert.isNull((yield* Fiber.join(fiber)).refusal)
      assert.strictEqual((yield* session.state)._tag, "Ready")
      assert.strictEqual((yield* session.counters).reconnects, 0)
    })
  )
})
