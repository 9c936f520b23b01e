/** A session of the client that Tapestry itself uses, as it is published. */
import { assert, describe, it } from "@effect/vitest"
import {
  BarSizeSetting,
  type Contract,
  type ContractDetails,
  EventName,
  OptionType,
  SecType,
  TickByTickDataType,
  WhatToShow
} from "@stoqey/ib"
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

  it.effect("has a whole day: the past, the live, books, accounts and news, without a word that it cannot read", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ quotas: { messagesPerSecond: 10_000 } })
      const api = yield* stoqey(gateway.port)
      const errors: Array<unknown> = []
      const counts: Record<string, number> = {}
      api.on(EventName.error, (error, code, reqId) => errors.push([reqId, code, error.message]))
      for (const name of Object.values(EventName)) {
        api.on(name as EventName.connected, () => {
          counts[name] = (counts[name] ?? 0) + 1
        })
      }
      const settled = Effect.callback<void>((resume) => {
        api.once(EventName.currentTime, () => resume(Effect.void))
        api.reqCurrentTime()
      })
      const apple = stock("AAPL")
      const es: Contract = {
        symbol: "ES",
        secType: SecType.FUT,
        lastTradeDateOrContractMonth: "202606",
        exchange: "CME",
        currency: "USD"
      }
      api.reqMatchingSymbols(1, "A")
      api.reqSecDefOptParams(2, "AAPL", "", SecType.STK, 265598)
      api.reqHistoricalData(3, apple, "", "1800 S", BarSizeSetting.MINUTES_ONE, WhatToShow.TRADES, 0, 2, true)
      api.reqHistoricalData(4, apple, "", "1 D", BarSizeSetting.HOURS_ONE, WhatToShow.BID_ASK, 1, 1, false)
      api.reqHistoricalTicks(5, apple, "", "20260410-13:59:00", 100, WhatToShow.TRADES, 0, true)
      api.reqHistoricalTicks(6, apple, "20260410-13:40:00", "", 100, WhatToShow.BID_ASK, 0, true)
      api.reqHistoricalTicks(7, apple, "20260410-13:40:00", "", 100, WhatToShow.MIDPOINT, 0, true)
      api.reqHeadTimestamp(8, apple, WhatToShow.TRADES, true, 2)
      api.reqHistogramData(9, apple, true, 1, "DAY" as never)
      api.reqNewsProviders()
      api.reqHistoricalNews(10, 265598, "BRFG+BRFUPDN+DJNL", "", "", 5)
      api.reqMktDepthExchanges()
      api.reqSmartComponents(11, "9c0001")
      api.reqMarketRule(26)
      api.reqFamilyCodes()
      api.reqPositions()
      api.reqPositionsMulti(12, "DU1234567", "")
      api.reqAccountUpdates(true, "DU1234567")
      api.reqAccountUpdatesMulti(13, "DU1234567", "", false)
      api.reqAccountSummary(14, "All", "NetLiquidation")
      api.reqPnL(15, "DU1234567", "")
      api.reqPnLSingle(16, "DU1234567", "", 265598)
      api.reqOpenOrders()
      api.reqCompletedOrders(false)
      api.reqExecutions(17, {})
      api.reqMktData(20, apple, "100,104,106,165,221,233,236,292,293,318,411,456", false, false)
      api.reqMktData(
        21,
        {
          ...apple,
          secType: SecType.OPT,
          lastTradeDateOrContractMonth: "20260515",
          strike: 187.5,
          right: OptionType.Call
        },
        "100,101",
        false,
        false
      )
      api.reqMktData(22, stock("SPY"), "", true, false)
      api.reqTickByTickData(23, apple, TickByTickDataType.AllLast, 0, false)
      api.reqTickByTickData(24, stock("SPY"), TickByTickDataType.BidAsk, 0, false)
      api.reqTickByTickData(25, stock("IBM"), TickByTickDataType.MidPoint, 0, false)
      api.reqMktDepth(26, es, 5, false)
      api.reqMktDepth(27, apple, 5, true)
      api.reqRealTimeBars(28, apple, 5, WhatToShow.TRADES, false)
      api.reqNewsBulletins(true)
      yield* settled
      yield* gateway.inject({ _tag: "Bulletin", text: "Prices are simulated" })
      yield* gateway.advance("2 hours")
      yield* settled
      api.cancelMktData(20)
      api.cancelTickByTickData(23)
      api.cancelMktDepth(26, false)
      api.cancelRealTimeBars(28)
      api.cancelPnL(15)
      api.cancelPnLSingle(16)
      api.cancelAccountSummary(14)
      api.cancelPositions()
      yield* settled
      assert.deepStrictEqual(errors, [])
      const heard = [
        EventName.symbolSamples,
        EventName.securityDefinitionOptionParameter,
        EventName.securityDefinitionOptionParameterEnd,
        EventName.historicalData,
        EventName.historicalDataUpdate,
        EventName.historicalTicksLast,
        EventName.historicalTicksBidAsk,
        EventName.historicalTicks,
        EventName.headTimestamp,
        EventName.histogramData,
        EventName.newsProviders,
        EventName.historicalNews,
        EventName.historicalNewsEnd,
        EventName.mktDepthExchanges,
        EventName.smartComponents,
        EventName.marketRule,
        EventName.familyCodes,
        EventName.position,
        EventName.positionEnd,
        EventName.positionMulti,
        EventName.positionMultiEnd,
        EventName.updateAccountValue,
        EventName.updatePortfolio,
        EventName.updateAccountTime,
        EventName.accountDownloadEnd,
        EventName.accountUpdateMulti,
        EventName.accountUpdateMultiEnd,
        EventName.accountSummary,
        EventName.accountSummaryEnd,
        EventName.pnl,
        EventName.pnlSingle,
        EventName.openOrderEnd,
        EventName.completedOrdersEnd,
        EventName.execDetailsEnd,
        EventName.tickReqParams,
        EventName.marketDataType,
        EventName.tickPrice,
        EventName.tickSize,
        EventName.tickGeneric,
        EventName.tickString,
        EventName.tickOptionComputation,
        EventName.tickSnapshotEnd,
        EventName.tickNews,
        EventName.tickByTickAllLast,
        EventName.tickByTickBidAsk,
        EventName.tickByTickMidPoint,
        EventName.updateMktDepth,
        EventName.updateMktDepthL2,
        EventName.realtimeBar,
        EventName.updateNewsBulletin
      ]
      assert.deepStrictEqual(
        heard.filter((name) => (counts[name] ?? 0) === 0),
        []
      )
      assert.strictEqual(counts[EventName.realtimeBar], 1440)
      assert.strictEqual(counts[EventName.tickSnapshotEnd], 1)
      assert.sameMembers(
        (gateway.clients()[0]?.open ?? []).map(({ reqId }) => reqId),
        [3, 12, 13, 21, 24, 25, 27]
      )
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
