import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { answered, connected, contract, errorsOf, gatewayAndClient } from "./client.ts"

const free = { messagesPerSecond: 10_000 }

describe("limits", () => {
  it.effect("of lines, books and tick-by-tick data are per connection", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient({ quotas: { ...free, lines: 10, depth: 2, tickByTick: 2 } })
      for (let line = 0; line < 9; line++) client.send(1, 11, line, ...contract(`SIM000${line}`), 0, "", 0, 0, "")
      client.send(50, 3, 50, ...contract("AAPL"), 5, "TRADES", 0, "")
      client.send(1, 11, 51, ...contract("IBM"), 0, "", 0, 0, "")
      client.send(50, 3, 52, ...contract("IBM"), 5, "TRADES", 0, "")
      for (const [reqId, symbol] of [
        [60, "AAPL"],
        [61, "IBM"],
        [62, "SPY"]
      ] as const) {
        client.send(10, 5, reqId, ...contract(symbol), 5, 1, "")
        client.send(97, reqId + 10, ...contract(symbol), "Last", 0, 0)
      }
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client), ["51 101", "52 101", "62 309", "72 10190"])
      // A line that is given back may be taken again.
      client.send(2, 2, 0)
      client.send(1, 11, 80, ...contract("IBM"), 0, "", 0, 0, "")
      yield* answered(client)
      assert.strictEqual(errorsOf(client).length, 4)
      assert.strictEqual(gateway.clients()[0]?.open.length, 14)
    })
  )

  it.effect("of tick-by-tick data: one request in 15 seconds for an instrument, and none for options", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      const ask = (reqId: number) => client.send(97, reqId, ...contract("AAPL"), "Last", 0, 0)
      ask(1)
      client.send(98, 1)
      ask(2)
      yield* answered(client)
      yield* gateway.advance("14 seconds")
      ask(3)
      yield* answered(client)
      yield* gateway.advance("1 second")
      ask(4)
      client.send(97, 5, 0, "AAPL", "OPT", "20260515", 187.5, "C", "", "SMART", "", "USD", "", "", "Last", 0, 0)
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client), ["2 322", "3 322", "5 10189"])
    })
  )

  it.effect("of history: none twice in 15 seconds, five in two seconds, sixty in ten minutes", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient({ quotas: free })
      const ask = (reqId: number, symbol: string, duration: string, what = "TRADES") =>
        client.send(20, reqId, ...contract(symbol), 0, "", "5 secs", duration, 0, what, 2, 0, "")
      ask(1, "AAPL", "60 S")
      ask(2, "AAPL", "60 S")
      for (let reqId = 3; reqId <= 7; reqId++) ask(reqId, "AAPL", `${reqId * 60} S`)
      yield* answered(client)
      // The fifth is allowed, the sixth is not; what was refused does not count.
      assert.deepStrictEqual(errorsOf(client), ["2 162", "7 162"])
      assert.match(client.of(4).at(-1)?.[4] ?? "", /pacing violation/)
      yield* gateway.advance("16 seconds")
      ask(8, "AAPL", "60 S")
      // Bids and asks together count twice: three of them are six.
      for (let reqId = 9; reqId <= 11; reqId++) ask(reqId, "IBM", `${reqId * 60} S`, "BID_ASK")
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client).slice(2), ["11 162"])
      for (let reqId = 100; reqId < 160; reqId++) ask(reqId, `SIM${String(reqId).padStart(4, "0")}`, "60 S")
      yield* answered(client)
      // Ten were counted before: 5 + 1 + 2 * 2.
      assert.strictEqual(errorsOf(client).length - 3, 10)
      // Bars of a minute and longer are free of it.
      for (let reqId = 200; reqId < 220; reqId++) {
        client.send(20, reqId, ...contract("AAPL"), 0, "", "1 min", "600 S", 0, "TRADES", 2, 0, "")
      }
      yield* answered(client)
      assert.strictEqual(errorsOf(client).length - 3, 10)
      yield* gateway.advance("10 minutes")
      ask(300, "AAPL", "60 S")
      yield* answered(client)
      assert.strictEqual(errorsOf(client).length - 3, 10)
    })
  )

  it.effect("of messages in a second: 100, and the connection is closed on who goes on", () =>
    Effect.gen(function* () {
      const { client } = yield* gatewayAndClient()
      for (let count = 0; count < 60; count++) client.send(49, 1)
      yield* Effect.promise(() => client.end())
      const [first, second, third] = client.of(4).filter(([, , , code]) => code === "100")
      assert.deepStrictEqual([first?.[2], second?.[2], third?.[2]], ["-1", "-1", "-1"])
      // Starting was a message, too.
      assert.strictEqual(client.of(49).length, 49)
    })
  )

  it.effect("of clients: 32, then nobody can connect", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ quotas: { clients: 3 } })
      for (let count = 0; count < 3; count++) {
        const one = yield* connected(gateway.port)
        one.hello("v100..193")
        yield* Effect.promise(() => one.until((frames) => frames.length === 1))
      }
      const other = yield* connected(gateway.port)
      yield* Effect.promise(() => other.end())
      assert.strictEqual(other.received.length, 0)
      assert.strictEqual(gateway.clients().length, 3)
    })
  )

  it.effect("of what may be meant: requests that cannot be read or do not fit are refused, and harm nothing", () =>
    Effect.gen(function* () {
      const { client } = yield* gatewayAndClient({ quotas: free })
      client.send(1, 11, "x", ...contract("AAPL"), 0, "", 0, 0, "")
      client.send(1, 11)
      client.send(77777, 1)
      client.send("what", 1)
      client.raw(Buffer.from([0, 0, 0, 1, 0]))
      client.send(20, 2, ...contract("AAPL"), 0, "", "7 secs", "60 S", 0, "TRADES", 1, 0, "")
      client.send(20, 3, ...contract("AAPL"), 0, "", "1 secs", "1 D", 0, "TRADES", 1, 0, "")
      client.send(20, 4, ...contract("AAPL"), 0, "tomorrow", "1 min", "60 S", 0, "TRADES", 1, 0, "")
      client.send(20, 5, ...contract("EUR", "CASH", "IDEALPRO"), 0, "", "1 min", "60 S", 0, "TRADES", 1, 0, "")
      client.send(96, 6, ...contract("AAPL"), 0, "20260410-13:00:00", "20260410-13:10:00", 10, "TRADES", 0, 0, "")
      client.send(96, 7, ...contract("AAPL"), 0, "", "", 10, "TRADES", 0, 0, "")
      client.send(1, 11, 8, ...contract("AAPL", "OPT"), 0, "", 0, 0, "")
      client.send(25, 1, 99)
      client.send(59, 1, 9)
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client), [
        "0 320",
        "0 320",
        "-1 505",
        "-1 505",
        "-1 505",
        "2 321",
        "3 162",
        "4 321",
        "5 162",
        "6 321",
        "7 321",
        "8 200",
        "99 366",
        "-1 321"
      ])
    })
  )

  it.effect("of what may be seen: delayed data when that is asked for, a quarter of an hour late", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      yield* gateway.inject({ _tag: "Denied", symbol: "AAPL", active: true })
      client.send(1, 11, 1, ...contract("AAPL"), 0, "", 0, 0, "")
      client.send(59, 1, 3)
      client.send(1, 11, 2, ...contract("AAPL"), 0, "", 0, 0, "")
      yield* answered(client)
      assert.deepStrictEqual(errorsOf(client), ["1 354", "2 10167"])
      assert.deepStrictEqual(client.of(58), [["58", "1", "2", "3"]])
      const bid = client.of(1).find(([, , reqId, type]) => reqId === "2" && type === "66")?.[4]
      const then = gateway.now() - 15 * 60_000
      assert.strictEqual(Number(bid), gateway.truth("AAPL", then - 60_000, then + 1).quotes.at(-1)?.bid)
    })
  )
})
