/** What is sent live, what is told of it later and the truth are one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { answered, contract, errorsOf, gatewayAndClient } from "./client.ts"

const second = 1_000
const minute = 60 * second

describe("live and past", () => {
  it.effect("are the same trades and quotes", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      const from = gateway.now()
      client.send(97, 1, ...contract("AAPL"), "AllLast", 0, 0)
      client.send(97, 2, ...contract("EUR", "CASH", "IDEALPRO"), "BidAsk", 0, 0)
      client.send(97, 3, 0, "ES", "FUT", "202606", 0, "", "", "CME", "", "USD", "", "", "Last", 0, 0)
      yield* answered(client)
      yield* gateway.advance("10 minutes")
      yield* answered(client)
      const to = gateway.now()
      const ticks = client.of(99)
      const { trades } = gateway.truth("AAPL", from + 1, to + 1)
      assert.isAbove(trades.length, 300)
      assert.isTrue(trades.some(({ unreported }) => unreported))
      assert.deepStrictEqual(
        ticks.filter(([, reqId]) => reqId === "1").map((fields) => fields.slice(2).join("|")),
        trades.map(
          ({ at, conditions, exchange, price, size, unreported }) =>
            `2|${Math.floor(at / 1000)}|${price}|${size}|${unreported ? 2 : 0}|${exchange}|${conditions}`
        )
      )
      assert.deepStrictEqual(
        ticks.filter(([, reqId]) => reqId === "2").map((fields) => fields.slice(2).join("|")),
        gateway
          .truth("EUR.USD", from + 1, to + 1)
          .quotes.map(
            ({ ask, askSize, at, bid, bidSize }) => `3|${Math.floor(at / 1000)}|${bid}|${ask}|${bidSize}|${askSize}|0`
          )
      )
      assert.strictEqual(
        ticks.filter(([, reqId]) => reqId === "3").length,
        gateway.truth("ESM6", from + 1, to + 1).trades.length
      )
      // The same again from history, in pages that go on from the second of the last tick.
      const past: Array<string> = []
      let start = Math.floor(from / second)
      for (let page = 0; page < 100; page++) {
        const text = new Date(start * second).toISOString()
        const at = `${text.slice(0, 10).replaceAll("-", "")}-${text.slice(11, 19)}`
        client.send(96, 100 + page, ...contract("AAPL"), 0, at, "", 50, "TRADES", 0, 0, "")
        yield* answered(client)
        const [, , count, ...fields] = client.of(98).find(([, reqId]) => reqId === String(100 + page)) ?? []
        const rows = Array.from({ length: Number(count) }, (_, index) => fields.slice(index * 6, index * 6 + 6))
        assert.strictEqual(fields.length, Number(count) * 6 + 1)
        const last = Number(rows.at(-1)?.[0] ?? 0)
        past.push(...rows.map((row) => row.join("|")))
        if (rows.length < 50) break
        start = last + 1
        yield* gateway.advance("16 seconds")
      }
      assert.deepStrictEqual(
        past.slice(0, trades.length),
        trades.map(
          ({ at, conditions, exchange, price, size, unreported }) =>
            `${Math.floor(at / 1000)}|${unreported ? 2 : 0}|${price}|${size}|${exchange}|${conditions}`
        )
      )
      assert.deepStrictEqual(errorsOf(client), [])
    })
  )

  it.effect("are the same bars, of five seconds, a minute, and a day", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      const from = gateway.now()
      client.send(50, 3, 1, ...contract("MSFT"), 5, "TRADES", 0, "")
      yield* answered(client)
      yield* gateway.advance("5 minutes")
      yield* answered(client)
      const live = client.of(50).map((fields) => fields.slice(3))
      assert.strictEqual(live.length, 60)
      client.send(20, 2, ...contract("MSFT"), 0, "", "5 secs", "300 S", 0, "TRADES", 2, 0, "")
      client.send(20, 3, ...contract("MSFT"), 0, "", "1 min", "300 S", 0, "TRADES", 2, 0, "")
      client.send(20, 4, ...contract("MSFT"), 0, "", "1 day", "5 D", 1, "TRADES", 1, 0, "")
      client.send(20, 5, ...contract("EUR", "CASH", "IDEALPRO"), 0, "", "1 min", "600 S", 0, "MIDPOINT", 2, 0, "")
      yield* answered(client)
      const barsOf = (reqId: number) => {
        const [, , , , count, ...fields] = client.of(17).find(([, id]) => id === String(reqId)) ?? []
        assert.strictEqual(fields.length, Number(count) * 8)
        return Array.from({ length: Number(count) }, (_, index) => fields.slice(index * 8, index * 8 + 8))
      }
      assert.deepStrictEqual(barsOf(2).slice(0, 60), live)
      assert.deepStrictEqual(
        live.map(([time, open, high, low, close, volume]) => [time, open, high, low, close, volume].join("|")),
        gateway
          .bars("MSFT", from, from + 5 * minute, 5 * second)
          .map(({ at, close, high, low, open, volume }) => [at / 1000, open, high, low, close, volume].join("|"))
      )
      const minutes = barsOf(3)
      assert.strictEqual(minutes[0]?.[0], String(from / second))
      const first = barsOf(2).slice(0, 12)
      assert.strictEqual(
        Number(minutes[0]?.[5]),
        first.reduce((sum, bar) => sum + Number(bar[5]), 0)
      )
      // Good Friday is the third of April; the week of the tenth is whole, and its Friday goes on.
      assert.deepStrictEqual(
        barsOf(4).map(([date]) => date),
        ["20260406", "20260407", "20260408", "20260409", "20260410"]
      )
      assert.deepStrictEqual(barsOf(5).at(-1)?.slice(5), ["-1", "-1", "-1"])
      assert.deepStrictEqual(errorsOf(client), [])
    })
  )

  it.effect.each(["rows", "shifts"] as const)("are one book, told in %s", (depthChanges) =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient({ depthChanges })
      const books = new Map<string, Array<Array<string>>>()
      let seen = 0
      const read = () => {
        const frames = client.frames()
        for (const [id, , reqId, position, operation, side, price, size] of frames.slice(seen)) {
          if (id !== "12") continue
          const key = `${reqId} ${side}`
          const rows = books.get(key) ?? []
          books.set(key, rows)
          const row = [price ?? "", size ?? ""]
          if (operation === "0") rows.splice(Number(position), 0, row)
          else if (operation === "1") rows[Number(position)] = row
          else rows.splice(Number(position), 1)
          assert.isAtMost(rows.length, 10)
        }
        seen = frames.length
      }
      const es = [0, "ES", "FUT", "202606", 0, "", "", "CME", "", "USD", "", ""] as const
      client.send(10, 5, 1, ...es, 10, 0, "")
      yield* answered(client)
      yield* gateway.advance("5 minutes")
      yield* answered(client)
      read()
      const changed = [books.get("1 0"), books.get("1 1")]
      for (const rows of changed) assert.strictEqual(rows?.length, 10)
      const asks = changed[0]?.map(([price]) => Number(price)) ?? []
      const bids = changed[1]?.map(([price]) => Number(price)) ?? []
      assert.deepStrictEqual(
        asks,
        asks.toSorted((a, b) => a - b)
      )
      assert.deepStrictEqual(
        bids,
        bids.toSorted((a, b) => b - a)
      )
      assert.isBelow(bids[0] ?? 0, asks[0] ?? 0)
      const { quotes } = gateway.truth("ESM6", gateway.now() - minute, gateway.now() + 1)
      const recent = quotes.filter(({ at }) => at > gateway.now() - 100)
      const settled = quotes.findLast(({ at }) => at <= gateway.now() - 100)
      assert.include(
        [settled, ...recent].map((quote) => quote?.bid),
        bids[0]
      )
    })
  )

  it.effect("are one account: its values follow from positions and prices", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* gatewayAndClient()
      client.send(6, 2, 1, "DU1234567")
      client.send(61, 1)
      client.send(62, 1, 5, "All", "NetLiquidation,TotalCashValue")
      client.send(92, 6, "DU1234567", "")
      yield* answered(client)
      const portfolio = client.of(7)
      assert.strictEqual(portfolio.length, client.of(61).length)
      let total = 0
      let unrealized = 0
      for (const fields of portfolio) {
        const [multiplier, quantity, price, value, cost, gain] = [8, 13, 14, 15, 16, 17].map((index) =>
          Number(fields[index])
        )
        const factor = multiplier === 0 ? 1 : (multiplier ?? 1)
        assert.closeTo((quantity ?? 0) * (price ?? 0) * factor, value ?? 0, 0.01)
        assert.closeTo((value ?? 0) - (cost ?? 0) * (quantity ?? 0), gain ?? 0, 0.01)
        total += value ?? 0
        unrealized += gain ?? 0
      }
      const value = (key: string) => Number(client.of(6).find(([, , name]) => name === key)?.[3])
      assert.closeTo(value("NetLiquidation"), value("TotalCashValue") + total, 0.05)
      const summary = client.of(63).map(([, , , , tag, text]) => [tag, Number(text)])
      assert.deepStrictEqual(summary, [
        ["NetLiquidation", value("NetLiquidation")],
        ["TotalCashValue", value("TotalCashValue")]
      ])
      assert.closeTo(Number(client.of(94)[0]?.[3]), unrealized, 0.05)
      yield* gateway.advance("1 minute")
      yield* answered(client)
      assert.isAbove(client.of(94).length, 20)
      const spy = portfolio.find((fields) => fields[3] === "SPY")
      assert.strictEqual(gateway.truth("SPY", 0, 0).quotes.length, 0)
      assert.isDefined(spy)
    })
  )
})
