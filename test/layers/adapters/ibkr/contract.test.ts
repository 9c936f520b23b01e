import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { contractNamed } from "../../../../src/layers/adapters/ibkr/contract.ts"

describe("a contract", () => {
  for (const [text, currency, symbol, contract] of [
    ["aapl", null, "AAPL", { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" }],
    ["BRK.B", null, "BRK.B", { symbol: "BRK B", secType: "STK", exchange: "SMART", currency: "USD" }],
    ["BRK B", null, "BRK.B", { symbol: "BRK B", secType: "STK", exchange: "SMART", currency: "USD" }],
    ["VOD@LSE", "GBP", "VOD@LSE", { symbol: "VOD", secType: "STK", exchange: "LSE", currency: "GBP" }],
    ["EUR.USD", null, "EUR.USD", { symbol: "EUR", secType: "CASH", exchange: "IDEALPRO", currency: "USD" }],
    [
      "CASH:EUR.USD@IDEALPRO",
      "USD",
      "EUR.USD",
      { symbol: "EUR", secType: "CASH", exchange: "IDEALPRO", currency: "USD" }
    ],
    ["IND:SPX@CBOE", null, "IND:SPX@CBOE", { symbol: "SPX", secType: "IND", exchange: "CBOE", currency: "USD" }],
    [
      "FUT:ES-20260619@CME",
      null,
      "FUT:ES-20260619@CME",
      {
        symbol: "ES",
        secType: "FUT",
        exchange: "CME",
        currency: "USD",
        lastTradeDateOrContractMonth: "20260619",
        includeExpired: true
      }
    ],
    [
      "opt:AAPL-20260515-c-200.0",
      null,
      "OPT:AAPL-20260515-C-200",
      {
        symbol: "AAPL",
        secType: "OPT",
        exchange: "SMART",
        currency: "USD",
        lastTradeDateOrContractMonth: "20260515",
        right: "C",
        strike: 200
      }
    ],
    ["VOD@LSE", "gbp", "VOD@LSE", { symbol: "VOD", secType: "STK", exchange: "LSE", currency: "GBP" }],
    ["#265598", null, "#265598", { conId: 265_598, exchange: "SMART" }]
  ] as const) {
    it(`${text} is ${symbol}`, () => {
      const named = Result.getOrThrow(contractNamed(text, currency))
      assert.strictEqual(named.symbol, symbol)
      assert.deepStrictEqual(named.contract, contract)
      // Its spelling is what it means.
      assert.deepStrictEqual(Result.getOrThrow(contractNamed(named.symbol, currency)), named)
    })
  }

  for (const [text, currency, why] of [
    ["", null, /is no contract/],
    ["A\0B", null, /is no contract/],
    ["BOND:X", null, /kind is one of/],
    ["OPT:AAPL-20260515", null, /C or P and a strike/],
    ["FUT:ES-20260619", null, /an exchange/],
    ["IND:SPX", null, /needs its exchange/],
    ["AAPL-20260515", null, /only futures and options/],
    ["AAPL", "USD\0", /is no currency/],
    ["AAPL", "EURO", /is no currency/],
    ["EUR.USD", "EUR", /it is in USD, not in EUR/],
    ["CASH:EURUSD", null, /looks like EUR\.USD/]
  ] as const) {
    it(`${JSON.stringify(text)} is refused`, () => {
      const named = contractNamed(text, currency)
      assert.isTrue(Result.isFailure(named))
      if (Result.isFailure(named)) assert.match(named.failure, why)
    })
  }
})
