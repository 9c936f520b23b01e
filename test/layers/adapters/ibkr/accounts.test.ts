/** What an account holds, is worth and has won, from the simulated gateway: the account's own figures, whoever asks and whatever breaks. */
import { assert, describe, it } from "@effect/vitest"
import { type Contract, OrderAction, OrderType, SecType } from "@stoqey/ib"
import { Effect, Exit, Scope } from "effect"
import type { AccountValue, Holding, ProfitAndLoss } from "../../../../src/domain/streams/StreamRow.ts"
import type { GatewaySimulator } from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { MarketStreams } from "../../../../src/services/MarketStreams.ts"
import { eventsOf, type Recorder, record, rowsOf, tags } from "../../streams/support.ts"
import { stoqey } from "../../testing/gateway/stoqey.ts"
import { rigged } from "./rigged.ts"

const second = 1_000
const account = "DU1234567"
const portfolio = { symbol: account, kind: "portfolio" as const }
const figures = { symbol: account, kind: "account" as const }
const pnl = { symbol: account, kind: "pnl" as const }

/** The newest row of each slot. */
const newest = <Row>(recorder: Recorder, slot: (row: Row) => string, stream = 0): ReadonlyMap<string, Row> =>
  new Map(rowsOf(recorder, stream).map((row) => [slot(row as Row), row as Row]))
const holdings = (recorder: Recorder, stream = 0) => newest<Holding>(recorder, ({ symbol }) => symbol, stream)
const profits = (recorder: Recorder, stream = 0) =>
  newest<ProfitAndLoss>(recorder, ({ symbol }) => symbol ?? "", stream)
const values = (recorder: Recorder, stream = 0) => newest<AccountValue>(recorder, ({ tag }) => tag, stream)

const open = (gateway: GatewaySimulator) =>
  gateway
    .clients()
    .flatMap(({ open }) => open.map(({ kind }) => kind))
    .toSorted()

const sum = (numbers: ReadonlyArray<number | null>) => numbers.reduce<number>((total, one) => total + (one ?? 0), 0)

const apple: Contract = { symbol: "AAPL", secType: SecType.STK, exchange: "SMART", currency: "USD" }

describe("streams of an account", () => {
  it.effect("positions, values and profit agree with each other and with the market, under our names", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const seen = yield* record([portfolio, figures, pnl], undefined, "ibkr")
        yield* pass(10 * second)
        for (const stream of [0, 1, 2]) assert.include(tags(seen, stream), "SnapshotComplete")
        const held = [...holdings(seen).values()]
        const names = held.map(({ symbol }) => symbol)
        assert.deepStrictEqual(names.slice(0, 4), ["AAPL", "MSFT", "SPY", "IBM"])
        assert.match(names[4] ?? "", /^FUT:ES-\d{8}@CME$/)
        assert.match(names[5] ?? "", /^OPT:AAPL-\d{8}-C-\d+/)
        for (const { averageCost, currency, marketPrice, marketValue, position, symbol, unrealized } of held) {
          const multiplier = symbol.startsWith("FUT:") ? 50 : symbol.startsWith("OPT:") ? 100 : 1
          assert.strictEqual(currency, "USD")
          assert.closeTo((marketPrice ?? 0) * position * multiplier, marketValue ?? 0, 0.01)
          assert.closeTo((marketValue ?? 0) - (averageCost ?? 0) * position, unrealized ?? 0, 0.02)
        }
        const spy = gateway.truth("SPY", gateway.now() - 60 * second, gateway.now() + 1)
        assert.closeTo(holdings(seen).get("SPY")?.marketPrice ?? 0, spy.trades.at(-1)?.price ?? 0, 0.5)
        const total = profits(seen, 2).get("")
        const each = [...profits(seen, 2).values()].filter(({ symbol }) => symbol !== null)
        assert.strictEqual(each.length, 6)
        // Each is told once a second, at an instant of its own: of half a million held.
        assert.closeTo(sum(each.map(({ daily }) => daily)), total?.daily ?? 0, 500)
        const [net, cash] = ["NetLiquidation", "TotalCashValue"].map((tag) => Number(values(seen, 1).get(tag)?.value))
        assert.strictEqual(values(seen, 1).get("NetLiquidation")?.currency, "USD")
        assert.isNull(values(seen, 1).get("AccountType")?.currency)
        assert.isTrue(Math.abs((net ?? 0) - (cash ?? 0) - sum(held.map(({ marketValue }) => marketValue))) < 20_000)
      })
    )
  )

  it.effect(
    "however many want it, the list is asked for once, and each value once; nothing stays open after them",
    () =>
      rigged(({ gateway, pass }) =>
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const consumers = Effect.forEach([1, 2, 3], () => record([portfolio, pnl, figures], undefined, "ibkr"))
          yield* Scope.provide(consumers, scope)
          yield* pass(5 * second)
          const values = Array.from({ length: 6 }, () => "pnlSingle")
          assert.deepStrictEqual(open(gateway), ["account", "pnl", ...values, "positions"])
          yield* Scope.close(scope, Exit.void)
          yield* pass(5 * second)
          assert.deepStrictEqual(open(gateway), [])
        })
      )
  )

  it.effect("who joins late is told that the snapshot is whole, after its rows", () =>
    rigged(({ pass }) =>
      Effect.gen(function* () {
        yield* record([portfolio], undefined, "ibkr")
        yield* pass(10 * second)
        const late = yield* record([portfolio], undefined, "ibkr")
        yield* pass(100)
        assert.deepStrictEqual(tags(late).slice(0, 3), ["Started", "Portfolio", "SnapshotComplete"])
        const [, snapshot] = eventsOf(late)
        assert.strictEqual(snapshot?._tag === "Portfolio" ? snapshot.rows.length : 0, 6)
      })
    )
  )

  it.effect("what was sold while the connection was away is told as sold, and is not in the next snapshot", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const api = yield* stoqey(gateway.port, 4)
        const seen = yield* record([portfolio, pnl], undefined, "ibkr")
        yield* pass(10 * second)
        yield* gateway.inject({ _tag: "Drop", how: "rst", clientId: 7 })
        const order = { orderType: OrderType.MKT, transmit: true }
        api.placeOrder(1, apple, { ...order, action: OrderAction.SELL, totalQuantity: 400 })
        yield* pass(20 * second)
        assert.include(tags(seen), "Gap")
        assert.strictEqual(tags(seen).at(-1), "Portfolio")
        assert.strictEqual(tags(seen).filter((tag) => tag === "SnapshotComplete").length, 2)
        assert.strictEqual(holdings(seen).get("AAPL")?.position, 0)
        assert.strictEqual(profits(seen, 1).get("AAPL")?.position, 0)
        // Bought again while it runs: there again, with a value.
        api.placeOrder(2, apple, { ...order, action: OrderAction.BUY, totalQuantity: 30 })
        yield* pass(10 * second)
        const again = holdings(seen).get("AAPL")
        assert.strictEqual(again?.position, 30)
        assert.isAbove(again?.marketValue ?? 0, 1_000)
        assert.strictEqual(open(gateway).filter((kind) => kind === "pnlSingle").length, 6)
      })
    )
  )

  it.effect(
    "several accounts at once; one that is not named is refused with the list, and one that is not there, too",
    () =>
      rigged(
        ({ pass }) =>
          Effect.gen(function* () {
            const both = ["DU1", "du2"].map((symbol) => ({ symbol, kind: "portfolio" as const }))
            const seen = yield* record([...both, { symbol: "DU2", kind: "account" }], undefined, "ibkr")
            yield* pass(10 * second)
            assert.deepStrictEqual(
              seen.keys.map(({ symbol }) => symbol),
              ["DU1", "DU2", "DU2"]
            )
            assert.isTrue([...holdings(seen, 0).values()].every((row) => row.account === "DU1"))
            assert.isTrue([...holdings(seen, 1).values()].every((row) => row.account === "DU2"))
            assert.notDeepEqual([...holdings(seen, 0).values()], [...holdings(seen, 1).values()])
            assert.strictEqual(values(seen, 2).get("AccountCode")?.value, "DU2")
            const market = yield* MarketStreams
            for (const symbol of ["default", "DU3"]) {
              const refused = yield* Effect.flip(market.keys({ vendor: "ibkr", streams: [{ symbol, kind: "pnl" }] }))
              assert.match(refused.message, /DU1, DU2/)
            }
          }),
        { accounts: ["DU1", "DU2"] }
      )
  )
})
