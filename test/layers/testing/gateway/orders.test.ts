import { assert, describe, it } from "@effect/vitest"
import { type Contract, EventName, type Execution, OrderAction, OrderType, SecType, TimeInForce } from "@stoqey/ib"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { stoqey } from "./stoqey.ts"

const apple: Contract = { symbol: "AAPL", secType: SecType.STK, exchange: "SMART", currency: "USD" }

describe("orders", () => {
  it.effect("at market are filled by the quote, with a limit when it is reached; the account follows", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const api = yield* stoqey(gateway.port, 4)
      const said: Array<string> = []
      const executions: Array<Execution> = []
      const held = new Map<number, number>()
      const cash: Array<number> = []
      api.on(EventName.error, (_, code, id) => said.push(`${id} error ${code}`))
      api.on(EventName.orderStatus, (id, status, filled, remaining) => {
        said.push(`${id} ${status} ${filled} ${remaining}`)
      })
      api.on(EventName.execDetails, (_, __, execution) => executions.push(execution))
      api.on(EventName.position, (_, contract, position) => held.set(contract.conId ?? 0, Number(position)))
      api.on(EventName.updateAccountValue, (key, value) => {
        if (key === "TotalCashValue") cash.push(Number(value))
      })
      const settled = Effect.callback<void>((resume) => {
        api.once(EventName.currentTime, () => resume(Effect.void))
        api.reqCurrentTime()
      })
      api.reqPositions()
      api.reqAccountUpdates(true, "")
      yield* settled
      const quote = () => gateway.truth("AAPL", gateway.now() - 60_000, gateway.now() + 1).quotes.at(-1)
      const order = { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 100, transmit: true }
      api.placeOrder(1, apple, order)
      yield* settled
      assert.deepStrictEqual(said, ["1 Filled 100 0"])
      assert.strictEqual(executions[0]?.price, quote()?.ask)
      assert.strictEqual(held.get(265598), 500)
      assert.closeTo((cash[0] ?? 0) - (cash.at(-1) ?? 0), 100 * (quote()?.ask ?? 0) + 1, 0.011)
      const far = { ...order, orderType: OrderType.LMT, lmtPrice: Math.round((quote()?.ask ?? 0) * 90) / 100 }
      api.placeOrder(2, apple, far)
      const near = {
        ...order,
        action: OrderAction.SELL,
        orderType: OrderType.LMT,
        lmtPrice: (quote()?.ask ?? 0) + 0.02
      }
      api.placeOrder(3, apple, near)
      yield* settled
      for (let minute = 0; minute < 120 && executions.length < 2; minute++) {
        yield* gateway.advance("1 minute")
        yield* settled
      }
      assert.isAtLeast(executions[1]?.price ?? 0, near.lmtPrice)
      api.cancelOrder(2)
      api.cancelOrder(2)
      api.cancelOrder(9)
      api.placeOrder(1, apple, order)
      api.placeOrder(5, apple, { ...order, orderType: OrderType.STP })
      yield* settled
      assert.deepStrictEqual(said.slice(1), [
        "2 Submitted 0 100",
        "3 Submitted 0 100",
        "3 Filled 100 0",
        "2 Cancelled 0 100",
        "2 error 202",
        "2 error 161",
        "9 error 10147",
        "1 error 103",
        "5 error 201"
      ])
      assert.strictEqual(held.get(265598), 400)
    })
  )

  it.effect.each([176, 177, 178, 183, 184, 185, 187, 189, 190, 192, 193])(
    "open and completed ones are described in full, in version %s",
    (version) =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make({ version })
        const api = yield* stoqey(gateway.port, 4)
        const said: Array<string> = []
        api.on(EventName.error, (error, code) => said.push(`error ${code} ${error.message}`))
        api.on(EventName.openOrder, (id, contract, order, { status }) => {
          const { account, action, clientId, lmtPrice, orderRef, orderType, tif, totalQuantity } = order
          said.push(
            `${id} ${contract.conId} ${contract.symbol} ${action} ${totalQuantity} ${orderType} ${lmtPrice} ${tif} ${account} ${orderRef} ${clientId} ${status}`
          )
        })
        api.on(EventName.completedOrder, (contract, { filledQuantity, orderRef }, { completedStatus, status }) =>
          said.push(`${contract.symbol} ${orderRef} ${filledQuantity} ${status} ${completedStatus}`)
        )
        const until = (event: EventName.openOrderEnd | EventName.completedOrdersEnd, ask: () => unknown) =>
          Effect.callback<void>((resume) => {
            api.once(event, () => resume(Effect.void))
            ask()
          })
        const order = { action: OrderAction.BUY, totalQuantity: 100, transmit: true, tif: TimeInForce.GTC }
        api.placeOrder(1, apple, { ...order, orderType: OrderType.LMT, lmtPrice: 1.25, orderRef: "mine" })
        yield* until(EventName.openOrderEnd, () => api.reqAllOpenOrders())
        const open = "1 265598 AAPL BUY 100 LMT 1.25 GTC DU1234567 mine 4 Submitted"
        assert.deepStrictEqual(said.splice(0), [open, open])
        yield* until(EventName.completedOrdersEnd, () => api.reqCompletedOrders(false))
        assert.deepStrictEqual(said.splice(0), [])
        // The library reads completed orders of every version as those of the newest, and 176 has a field more.
        const underrun =
          "error 505 Underrun error on COMPLETED_ORDER: End of message reached. Please report to https://github.com/stoqey/ib"
        const completed =
          version === 176
            ? [underrun, underrun]
            : ["AAPL mine 0 Cancelled Cancelled by Trader", "AAPL now 100 Filled Filled Size: 100"]
        api.cancelOrder(1)
        api.placeOrder(2, apple, { ...order, orderType: OrderType.MKT, tif: TimeInForce.DAY, orderRef: "now" })
        yield* until(EventName.completedOrdersEnd, () => api.reqCompletedOrders(false))
        assert.deepStrictEqual(
          said.filter((text) => !text.startsWith("error 202 ")),
          [
            open.replace("Submitted", "Cancelled"),
            "2 265598 AAPL BUY 100 MKT 0 DAY DU1234567 now 4 Filled",
            ...completed
          ]
        )
      })
  )
})
