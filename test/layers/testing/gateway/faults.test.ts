import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { malformations } from "../../../../src/layers/testing/gateway/Faults.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { answered, connected, contract, errorsOf, gatewayAndClient, started } from "./client.ts"
import { RawClient } from "./RawClient.ts"

const quote = (client: RawClient, reqId: number, symbol: string) =>
  client.send(1, 11, reqId, ...contract(symbol), 0, "", 0, 0, "")

/** Codes of messages about the connection, in order. */
const told = (client: RawClient): ReadonlyArray<number> =>
  client
    .of(4)
    .slice(5)
    .filter(([, , reqId]) => reqId === "-1")
    .map(([, , , code]) => Number(code))

describe("faults of the connection", () => {
  it.effect("close it in order or reset it, for one client or all", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const [one, two, three] = [
        yield* started(gateway.port, 1),
        yield* started(gateway.port, 2),
        yield* started(gateway.port, 3)
      ]
      yield* gateway.inject({ _tag: "Drop", how: "rst", clientId: 2 })
      yield* Effect.promise(() => two.end())
      assert.isTrue(two.reset)
      assert.strictEqual(gateway.clients().length, 2)
      yield* gateway.inject({ _tag: "Drop", how: "fin" })
      yield* Effect.promise(() => one.end())
      yield* Effect.promise(() => three.end())
      assert.isFalse(one.reset || three.reset)
      assert.strictEqual(gateway.clients().length, 0)
    })
  )

  it.effect("cut a frame at every of its bytes", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const whole = 4 + "49\x001\x001775829600\0".length
      for (let bytes = 0; bytes < whole; bytes++) {
        const client = yield* started(gateway.port)
        const before = client.received.length
        yield* gateway.inject({ _tag: "CutFrame", bytes, how: "fin" })
        client.send(49, 1)
        yield* Effect.promise(() => client.end())
        assert.strictEqual(client.received.length - before, bytes)
      }
    })
  )

  it.effect("leave it half-open: nothing comes, and nothing is answered until it is over", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      quote(client, 1, "AAPL")
      yield* answered(client)
      yield* gateway.inject({ _tag: "Mute", forMillis: 30_000 })
      const before = client.received.length
      client.send(49, 1)
      yield* gateway.advance("29 seconds")
      assert.strictEqual(client.received.length, before)
      assert.isFalse(client.ended)
      yield* gateway.advance("2 seconds")
      yield* answered(client)
      assert.isAbove(client.received.length, before)
    })
  )

  it.effect("let nobody in for a while, and everybody after it", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      yield* gateway.inject({ _tag: "Refuse", forMillis: 10_000 })
      const refused = yield* Effect.result(Effect.tryPromise(() => RawClient.connect(gateway.port)))
      assert.isTrue(Result.isFailure(refused))
      yield* answered(client)
      yield* gateway.advance("11 seconds")
      yield* started(gateway.port, 2)
      assert.strictEqual(gateway.clients().length, 2)
    })
  )

  it.effect("end it before it is ready, take its id, or tell of another version, as often as they say", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const start = Effect.fnUntraced(function* () {
        const client = yield* connected(gateway.port)
        client.hello("v100..193")
        yield* Effect.promise(() => client.until((frames) => frames.length > 0))
        client.send(71, 2, 9, "")
        return client
      })
      yield* gateway.inject({ _tag: "DropBeforeReady", connections: 2 })
      for (let count = 0; count < 2; count++) {
        const client = yield* start()
        yield* Effect.promise(() => client.end())
        assert.strictEqual(client.frames().length, 1)
      }
      yield* gateway.inject({ _tag: "ClientIdInUse", connections: 2 })
      for (let count = 0; count < 2; count++) {
        const client = yield* start()
        yield* Effect.promise(() => client.end())
        assert.strictEqual(client.of(4)[0]?.[3], "326")
      }
      yield* gateway.inject({ _tag: "VersionReply", version: 200, connections: 1 })
      const strange = yield* start()
      assert.strictEqual(strange.frames()[0]?.[0], "200")
      strange.close()
      yield* Effect.promise(() => strange.end())
      yield* gateway.advance("1 second")
      const client = yield* started(gateway.port, 10)
      assert.strictEqual(client.frames()[0]?.[0], "193")
    })
  )

  it.effect("cut off who does not read, at a bound", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient({
        activity: 400,
        hours: "always",
        // Soon after the day has begun, so that little of it has to be counted first.
        start: Date.UTC(2026, 3, 10, 0, 0, 30),
        quotas: { historyPacing: false, tickByTick: 10 }
      })
      const reader = yield* started(gateway.port, 2)
      yield* gateway.inject({ _tag: "SendBuffer", bytes: 1_000_000 })
      quote(reader, 1, "AAPL")
      for (const [reqId, symbol] of ["AAPL", "MSFT", "SPY", "IBM"].entries()) {
        client.send(97, reqId, ...contract(symbol), "AllLast", 0, 0)
      }
      yield* answered(client)
      client.pause()
      let most = 0
      for (let step = 0; step < 120 && gateway.clients().length === 2; step++) {
        yield* gateway.advance("5 seconds")
        most = Math.max(most, ...gateway.clients().map(({ bytesUnsent }) => bytesUnsent))
      }
      assert.deepStrictEqual(
        gateway.clients().map(({ clientId }) => clientId),
        [2]
      )
      assert.isBelow(most, 1_200_000)
      yield* answered(reader)
      client.resume()
      yield* Effect.promise(() => client.end())
    })
  )
})

describe("faults of what is behind it", () => {
  it.effect("1101 forgets every subscription; 1102 keeps them, but for those that go silent", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient({ quotas: { messagesPerSecond: 1_000 } })
      for (let line = 0; line < 40; line++) quote(client, line, `SIM${String(line).padStart(4, "0")}`)
      client.send(62, 1, 50, "All", "NetLiquidation")
      yield* answered(client)
      yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 10_000, restored: 1102, times: 3, silent: 0.5 })
      yield* answered(client)
      const before = client.received.length
      yield* gateway.advance("9 seconds")
      assert.strictEqual(client.received.length, before)
      yield* gateway.advance("2 seconds")
      yield* answered(client)
      assert.deepStrictEqual(told(client), [1100, 1100, 1100, 1102])
      const silent = new Set((gateway.clients()[0]?.open ?? []).filter((one) => one.silent).map(({ reqId }) => reqId))
      assert.isAbove(silent.size, 8)
      assert.isBelow(silent.size, 32)
      const frames = client.frames().length
      yield* gateway.advance("5 minutes")
      yield* answered(client)
      const heard = new Set(
        client
          .frames()
          .slice(frames)
          .filter(([id]) => id === "1" || id === "2")
          .map(([, , reqId]) => Number(reqId))
      )
      assert.strictEqual(heard.size, 40 - silent.size)
      for (const reqId of silent) assert.isFalse(heard.has(reqId))
      yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 10_000, restored: 1101 })
      yield* gateway.advance("11 seconds")
      yield* answered(client)
      assert.deepStrictEqual(told(client).slice(4), [1100, 1101])
      assert.deepStrictEqual(
        gateway.clients()[0]?.open.map(({ reqId }) => reqId),
        [50]
      )
      // The ids are free again.
      quote(client, 3, "AAPL")
      yield* answered(client)
      assert.strictEqual(gateway.clients()[0]?.open.length, 2)
    })
  )

  it.effect("a farm that breaks takes its own data with it, and history waits for its farm", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      quote(client, 1, "AAPL")
      client.send(1, 11, 2, ...contract("EUR", "CASH", "IDEALPRO"), 0, "", 0, 0, "")
      yield* answered(client)
      yield* gateway.inject({ _tag: "FarmBroken", farm: "usfarm", forMillis: 5_000 })
      yield* gateway.inject({ _tag: "FarmBroken", farm: "ushmds", forMillis: 5_000 })
      client.send(20, 3, ...contract("AAPL"), 0, "", "1 min", "600 S", 0, "TRADES", 2, 0, "")
      yield* answered(client)
      const frames = client.frames().length
      yield* gateway.advance("4 seconds")
      yield* answered(client)
      const ids = client
        .frames()
        .slice(frames)
        .filter(([id]) => id === "1")
        .map(([, , reqId]) => reqId)
      assert.isTrue(ids.includes("2") && !ids.includes("1"))
      assert.strictEqual(client.of(17).length, 0)
      yield* gateway.advance("1 second")
      yield* answered(client)
      assert.deepStrictEqual(told(client), [2103, 2105, 2104, 2106])
      assert.strictEqual(client.of(17).length, 1)
    })
  )

  it.effect("a competing session, a right that is lost, bars that end: each says so", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      quote(client, 1, "AAPL")
      quote(client, 2, "IBM")
      client.send(50, 3, 3, ...contract("SPY"), 5, "TRADES", 0, "")
      yield* answered(client)
      yield* gateway.inject({ _tag: "CompetingSession", active: true })
      yield* answered(client)
      const before = client.received.length
      yield* gateway.advance("1 minute")
      assert.strictEqual(client.received.length, before)
      yield* gateway.inject({ _tag: "CompetingSession", active: false })
      yield* gateway.advance("10 seconds")
      yield* answered(client)
      assert.isAbove(client.received.length, before)
      yield* gateway.inject({ _tag: "Denied", symbol: "IBM", active: true })
      yield* gateway.inject({ _tag: "BarsDeactivated" })
      yield* gateway.advance("10 seconds")
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client), ["1 10197", "2 10197", "3 10197", "2 354", "3 10225"])
      assert.deepStrictEqual(
        gateway.clients()[0]?.open.map(({ reqId }) => reqId),
        [1, 3]
      )
    })
  )

  it.effect("the night: 1100 again and again, a dropped connection, and 1101, every day at its time", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      yield* gateway.inject({ _tag: "NightlyReset", at: "14:10", forMillis: 60_000, active: true })
      yield* gateway.advance("10 minutes")
      yield* gateway.advance("29 seconds")
      yield* answered(client)
      assert.deepStrictEqual(told(client), [1100, 1100, 1100])
      yield* gateway.advance("2 seconds")
      yield* Effect.promise(() => client.end())
      const again = yield* started(gateway.port, 2)
      yield* gateway.advance("30 seconds")
      yield* answered(again)
      const codes = again.of(4).map(([, , , code]) => Number(code))
      assert.deepStrictEqual(codes, [2110, 2104, 2104, 2104, 2106, 2158, 1100, 1100, 1101])
      yield* gateway.advance("1 day")
      yield* Effect.promise(() => again.end())
      yield* gateway.inject({ _tag: "NightlyReset", at: "14:10", forMillis: 60_000, active: false })
      const last = yield* started(gateway.port, 3)
      yield* gateway.advance("1 day")
      yield* answered(last)
      assert.deepStrictEqual(told(last), [])
    })
  )

  it.effect("history that is refused, empty, or too fast, as often as it says", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      const ask = (reqId: number) =>
        client.send(20, reqId, ...contract("AAPL"), 0, "", "1 min", "600 S", 0, "TRADES", 2, 0, "")
      yield* gateway.inject({ _tag: "HistoryPacing", requests: 1 })
      yield* gateway.inject({ _tag: "HistoryEmpty", requests: 1 })
      yield* gateway.inject({ _tag: "RealTimePacing", requests: 1 })
      for (const reqId of [1, 2, 3]) ask(reqId)
      client.send(50, 3, 4, ...contract("SPY"), 5, "TRADES", 0, "")
      client.send(50, 3, 5, ...contract("SPY"), 5, "TRADES", 0, "")
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client), ["1 162", "2 162", "4 420"])
      assert.match(client.of(4).find(([, , reqId]) => reqId === "2")?.[4] ?? "", /no data/)
      assert.strictEqual(client.of(17).length, 1)
    })
  )
})

describe("faults of messages", () => {
  it.effect("twice, out of order, or late and all at once: nothing is lost by it", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      client.send(97, 1, ...contract("AAPL"), "AllLast", 0, 0)
      yield* answered(client)
      const key = (fields: ReadonlyArray<string>) => fields.slice(3).join("|")
      const truth = (from: number) =>
        gateway
          .truth("AAPL", from + 1, gateway.now() + 1)
          .trades.map(
            ({ at, conditions, exchange, price, size, unreported }) =>
              `${Math.floor(at / 1000)}|${price}|${size}|${unreported ? 2 : 0}|${exchange}|${conditions}`
          )
      const start = gateway.now()
      yield* gateway.inject({ _tag: "Duplicates", share: 0.3 })
      yield* gateway.advance("5 minutes")
      yield* answered(client)
      const doubled = client.of(99).map(key)
      assert.isAbove(doubled.length, truth(start).length * 1.15)
      assert.deepStrictEqual([...new Set(doubled)], [...new Set(truth(start))])
      yield* gateway.inject({ _tag: "Clear" })
      yield* gateway.inject({ _tag: "OutOfOrder", share: 0.3 })
      let seen = client.of(99).length
      let from = gateway.now()
      yield* gateway.advance("5 minutes")
      yield* gateway.inject({ _tag: "Clear" })
      yield* gateway.advance("30 seconds")
      yield* answered(client)
      const mixed = client.of(99).slice(seen).map(key)
      assert.notDeepEqual(mixed, truth(from))
      assert.deepStrictEqual(mixed.toSorted(), truth(from).toSorted())
      seen = client.of(99).length
      from = gateway.now()
      yield* gateway.inject({ _tag: "Burst", forMillis: 20_000 })
      yield* gateway.advance("19 seconds")
      yield* answered(client)
      assert.strictEqual(client.of(99).length, seen)
      yield* gateway.advance("20 seconds")
      yield* answered(client)
      assert.deepStrictEqual(client.of(99).slice(seen).map(key), truth(from))
    })
  )

  it.effect("a clock that is off, a bulletin, too many messages although there were few", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      client.send(12, 1, 1)
      yield* answered(client)
      yield* gateway.inject({ _tag: "ClockSkew", millis: -90_000 })
      yield* gateway.inject({ _tag: "Bulletin", text: "The exchange has closed early" })
      yield* answered(client)
      assert.strictEqual(Number(client.of(49).at(-1)?.[2]), gateway.now() / 1000 - 90)
      assert.deepStrictEqual(client.of(14), [["14", "1", "1", "1", "The exchange has closed early", "SIM"]])
      yield* gateway.inject({ _tag: "RateExceeded", disconnect: true })
      yield* Effect.promise(() => client.end())
      assert.strictEqual(errorsOf(client).at(-1), "-1 100")
    })
  )

  it.effect("are damaged frames of every sort, byte for byte", () =>
    Effect.gen(function* () {
      const expected: Readonly<Record<(typeof malformations)[number], string>> = {
        halfFrame: "00000010343900310031",
        everyByteApart: "0000001034390031003137373538323936303000",
        coalesced: "",
        zeroLength: "00000000",
        negativeLength: "ffffffff",
        hugeLength: "7fffffff",
        noTrailingNul: "0000000f343900310031373735383239363030",
        unknownId: "",
        missingField: "0000000431003600",
        extraField: "",
        invalidJson: "",
        negativeCount: "",
        nonUtf8: ""
      }
      const gateway = yield* GatewaySimulator.make()
      for (const what of malformations) {
        const client = yield* started(gateway.port)
        const before = client.received.length
        yield* gateway.inject({ _tag: "Malformed", what })
        yield* gateway.inject({ _tag: "Drop", how: "fin" })
        yield* Effect.promise(() => client.end())
        const bytes = client.received.subarray(before)
        assert.isAbove(bytes.length, 3, what)
        if (expected[what] !== "") assert.strictEqual(bytes.toString("hex"), expected[what], what)
        if (what === "coalesced") assert.strictEqual(bytes.length, 2_000)
        if (what === "invalidJson") assert.include(bytes.toString(), "{not JSON")
        if (what === "negativeCount") assert.include(bytes.toString(), "\0-5\0")
        if (what === "nonUtf8") assert.include([...bytes], 0xff)
        if (what === "extraField") assert.include(bytes.toString(), "many")
        if (what === "unknownId") assert.include(bytes.toString(), "999")
      }
    })
  )
})
