import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { Market } from "../../../../src/layers/testing/gateway/market/Market.ts"
import { newsBetween } from "../../../../src/layers/testing/gateway/market/news.ts"

const open = Date.UTC(2026, 3, 10, 13, 30)
const minute = 60_000
const names = ["AAPL", "SPX", "EUR.USD", "USD.JPY", "ESM6", "CLM6", "SIM0042", "AAPL  260515C00187500"]

describe("the simulated market", () => {
  it.effect("is the same in one look as in many, in any order and in every process of one seed", () =>
    Effect.gen(function* () {
      const one = yield* GatewaySimulator.make({ seed: 3 })
      const other = yield* GatewaySimulator.make({ seed: 3 })
      const stranger = yield* GatewaySimulator.make({ seed: 4 })
      for (const name of names) {
        const whole = one.truth(name, open, open + 30 * minute)
        assert.isAbove(whole.quotes.length, 40, name)
        const pieces = Array.from({ length: 30 }, (_, index) => 29 - index).flatMap((index) => [
          { index, truth: other.truth(name, open + index * minute, open + (index + 1) * minute) }
        ])
        pieces.sort((a, b) => a.index - b.index)
        assert.deepStrictEqual(
          pieces.flatMap(({ truth }) => truth.trades),
          whole.trades
        )
        assert.deepStrictEqual(
          pieces.flatMap(({ truth }) => truth.quotes),
          whole.quotes
        )
        assert.notDeepEqual(stranger.truth(name, open, open + 30 * minute), whole)
        for (const { ask, bid } of whole.quotes) assert.isBelow(bid, ask)
        for (const [index, { at }] of whole.quotes.entries()) assert.isAtLeast(at, whole.quotes[index - 1]?.at ?? 0)
      }
    })
  )

  it.effect("has bars that are what their trades make together", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      for (const name of ["AAPL", "ESM6", "SIM0042"]) {
        const bars = gateway.bars(name, open, open + 60 * minute, minute)
        assert.isAtLeast(bars.length, 55)
        for (const bar of bars) {
          const trades = gateway.truth(name, bar.at, bar.at + minute).trades.filter(({ unreported }) => !unreported)
          assert.strictEqual(bar.count, trades.length)
          assert.strictEqual(
            bar.volume,
            trades.reduce((sum, { size }) => sum + size, 0)
          )
          const prices = trades.map(({ price }) => price)
          if (prices.length === 0) {
            assert.deepStrictEqual([bar.high, bar.low, bar.close], [bar.open, bar.open, bar.open])
            continue
          }
          assert.deepStrictEqual(
            [bar.open, bar.high, bar.low, bar.close],
            [prices[0], Math.max(...prices), Math.min(...prices), prices.at(-1)]
          )
        }
        const [hour] = gateway.bars(name, open, open + 30 * minute, 30 * minute)
        const half = bars.slice(
          0,
          bars.findIndex(({ at }) => at >= open + 30 * minute)
        )
        assert.strictEqual(
          hour?.volume,
          half.reduce((sum, { volume }) => sum + volume, 0)
        )
        assert.strictEqual(hour?.high, Math.max(...half.map(({ high }) => high)))
      }
    })
  )

  it.effect("does not trade when the exchange is closed, unless it is told to", () =>
    Effect.gen(function* () {
      const saturday = Date.UTC(2026, 3, 11, 15)
      const gateway = yield* GatewaySimulator.make()
      const always = yield* GatewaySimulator.make({ hours: "always" })
      for (const name of ["AAPL", "SPX", "ESM6", "EUR.USD"]) {
        assert.strictEqual(gateway.truth(name, saturday, saturday + 10 * minute).quotes.length, 0, name)
        assert.isAbove(always.truth(name, saturday, saturday + 10 * minute).quotes.length, 0, name)
      }
      // Good Friday: shares are closed, currencies are not.
      const goodFriday = Date.UTC(2026, 3, 3, 15)
      assert.strictEqual(gateway.truth("AAPL", goodFriday, goodFriday + 10 * minute).quotes.length, 0)
      assert.isAbove(gateway.truth("EUR.USD", goodFriday, goodFriday + 10 * minute).quotes.length, 0)
    })
  )

  it("has headlines that are found one by one as well as together", () => {
    const market = new Market({ seed: 1, start: open, hours: "exchange", activity: 1, recording: null })
    const apple = market.named("AAPL")
    assert.isNotNull(apple)
    if (apple === null) return
    const day = newsBetween(apple.instrument, open, open + 24 * 60 * minute)
    assert.isAbove(day.length, 10)
    const hours = Array.from({ length: 24 }, (_, index) => open + index * 60 * minute)
    assert.deepStrictEqual(
      hours.flatMap((from) => newsBetween(apple.instrument, from, from + 60 * minute)),
      day
    )
  })
})
