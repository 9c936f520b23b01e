/** A session of the client that Tapestry itself uses, as it is published. */
import { assert, describe, it } from "@effect/vitest"
import { type Contract, type ContractDetails, EventName, OptionType, SecType } from "@stoqey/ib"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { collected, stoqey } from "./stoqey.ts"

interface Tick {
  readonly type: number | undefined
  readonly value: number | undefined
}

const stock = (symbol: string): Contract => ({ symbol, secType: SecType.STK, exchange: "SMART", currency: "USD" })

describe("@stoqey/ib at version 193", () => {
  it.effect("reads the details of contracts", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const api = yield* stoqey(gateway.port)
      const errors: Array<number> = []
      api.on(EventName.error, (_, code) => errors.push(code))
      const details = (reqId: number, contract: Contract) =>
        collected<ContractDetails>((add, done) => {
          api.on(EventName.contractDetails, (id, one) => (id === reqId ? add(one) : undefined))
          api.on(EventName.contractDetailsEnd, (id) => (id === reqId ? done() : undefined))
          api.reqContractDetails(reqId, contract)
        })
      const [apple, ...others] = yield* details(1, stock("AAPL"))
      assert.strictEqual(others.length, 0)
      assert.strictEqual(apple?.contract.conId, 265598)
      assert.strictEqual(apple?.longName, "APPLE INC")
      assert.strictEqual(apple?.minTick, 0.01)
      assert.strictEqual(apple?.timeZoneId, "US/Eastern")
      assert.strictEqual(apple?.tradingHours?.split(";")[0], "20260410:0400-20260410:2000")
      assert.strictEqual(apple?.liquidHours?.split(";")[0], "20260410:0930-20260410:1600")
      assert.strictEqual(apple?.tradingHours?.split(";")[1], "20260411:CLOSED")
      const calls = yield* details(2, {
        symbol: "AAPL",
        secType: SecType.OPT,
        lastTradeDateOrContractMonth: "20260515",
        right: OptionType.Call,
        exchange: "SMART",
        currency: "USD"
      })
      assert.strictEqual(calls.length, 41)
      const futures = yield* details(3, { symbol: "ES", secType: SecType.FUT, exchange: "CME", currency: "USD" })
      assert.deepStrictEqual(
        futures.map((one) => one.contract.localSymbol),
        ["ESM6", "ESU6", "ESZ6", "ESH7"]
      )
      assert.deepStrictEqual(errors, [])
    })
  )

  it.effect("gets quotes that are where the market stands, and no more of them when it cancels", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const api = yield* stoqey(gateway.port)
      const ticks: Array<Tick> = []
      const errors: Array<unknown> = []
      api.on(EventName.error, (...error) => errors.push(error))
      api.on(EventName.tickPrice, (_, type, value) => ticks.push({ type, value }))
      const heard = Effect.callback<void>((resume) => {
        api.once(EventName.currentTime, () => resume(Effect.void))
        api.reqCurrentTime()
      })
      api.reqMktData(7, stock("AAPL"), "233", false, false)
      yield* heard
      const last = (type: number) => ticks.findLast((tick) => tick.type === type)?.value
      const began = gateway.now() - 60_000
      for (let step = 0; step < 40; step++) {
        yield* gateway.advance("5 seconds")
        yield* heard
        const now = gateway.now()
        // A change waits for the end of its interval: what came is where it stood then, or has stood since.
        const before = gateway.truth("AAPL", began, now - 250).quotes.at(-1)
        const since = gateway.truth("AAPL", now - 250, now + 1).quotes
        assert.include([before?.bid, ...since.map(({ bid }) => bid)], last(1))
        assert.include([before?.ask, ...since.map(({ ask }) => ask)], last(2))
      }
      assert.isAbove(ticks.length, 100)
      const high = last(6)
      const { trades } = gateway.truth("AAPL", Date.UTC(2026, 3, 10, 8), gateway.now() + 1)
      const reported = trades.filter(({ unreported }) => !unreported).map(({ price }) => price)
      assert.isAtLeast(high ?? 0, Math.max(...reported.slice(0, -5)))
      assert.isAtMost(high ?? Number.POSITIVE_INFINITY, Math.max(...reported))
      api.cancelMktData(7)
      yield* heard
      const before = ticks.length
      yield* gateway.advance("1 minute")
      yield* heard
      assert.strictEqual(ticks.length, before)
      assert.deepStrictEqual(errors, [])
      assert.deepStrictEqual(gateway.clients()[0]?.open, [])
    })
  )

  it.effect("is told what is wrong: an unknown contract, an id that is taken, one that is not known", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const api = yield* stoqey(gateway.port)
      const codes = collected<readonly [number, number]>((add, done) => {
        api.on(EventName.error, (_, code, reqId) => {
          add([reqId, Number(code)])
          if (Number(code) === 300) done()
        })
        api.reqMktData(1, stock("NOSUCH"), "", false, false)
        api.reqMktData(2, stock("IBM"), "", false, false)
        api.reqMktData(2, stock("SPY"), "", false, false)
        api.cancelMktData(9)
      })
      assert.deepStrictEqual(yield* codes, [
        [1, 200],
        [2, 322],
        [9, 300]
      ])
    })
  )
})
