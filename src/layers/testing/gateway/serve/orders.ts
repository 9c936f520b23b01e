/** Orders: placing, cancelling, and what came of them. */
import { positionContract, readContract } from "../codec/contract.ts"
import { completedOrderText, openOrderText } from "../codec/orders.ts"
import type { Execution, Order } from "../market/Orders.ts"
import type { Fields } from "../wire/Fields.ts"
import { message, noNumber } from "../wire/text.ts"
import { inGmt } from "../wire/zoned.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"

export const statusText = (order: Order): string => {
  const filled = order.status === "Filled" ? order.quantity : 0
  const { clientId, id, permId, price, quantity, status } = order
  return message(3, id, status, filled, quantity - filled, price, permId, 0, price, clientId, "", 0)
}

export const executionText = (version: number, reqId: number, { at, id, order }: Execution): string => {
  const { instrument } = order.listing
  return message(
    11,
    reqId,
    order.id,
    ...positionContract(instrument),
    instrument.exchange,
    instrument.currency,
    instrument.localSymbol,
    instrument.tradingClass,
    id,
    inGmt(at).replace(" GMT", " UTC"),
    order.account.name,
    instrument.primaryExchange === "" ? instrument.exchange : instrument.primaryExchange,
    order.isBuy ? "BOT" : "SLD",
    order.quantity,
    order.price,
    order.permId,
    order.clientId,
    0,
    order.quantity,
    order.price,
    order.reference,
    "",
    "",
    "",
    1,
    ...(version >= 178 ? [0] : [])
  )
}

export const commissionText = ({ commission, id, order, realized }: Execution): string =>
  message(59, 1, id, commission, order.listing.instrument.currency, realized === 0 ? noNumber : realized, noNumber, "")

const rejected = (connection: Connection, id: number, why: string): void =>
  connection.error(id, 201, `Order rejected - reason:${why}`)

interface OrderRequest {
  readonly action: string
  readonly quantity: number
  readonly type: string
  readonly limit: number
  readonly timeInForce: string
  readonly account: string
  readonly reference: string
  readonly transmit: boolean
}

const readOrder = (fields: Fields): OrderRequest => {
  const action = fields.text()
  const quantity = fields.number()
  const type = fields.text()
  const limit = fields.number()
  // An auxiliary price; a group of orders.
  fields.skip(1)
  const timeInForce = fields.text() || "DAY"
  fields.skip(1)
  const account = fields.text()
  fields.skip(2)
  const reference = fields.text()
  return { action, quantity, type, limit, timeInForce, account, reference, transmit: fields.flag() }
}

const tellOpen = (connection: Connection, concerns: (order: Order) => boolean): void => {
  for (const order of connection.gateway.orders.open()) {
    if (!concerns(order)) continue
    connection.send(openOrderText(connection.version, order))
    connection.send(statusText(order))
  }
  connection.send(message(53, 1))
}

export const orders: Handlers = {
  3: (connection, fields) => {
    const { gateway } = connection
    const id = fields.int()
    const spec = readContract(fields)
    fields.skip(2)
    const { account: name, action, limit, quantity, reference, timeInForce, transmit, type } = readOrder(fields)
    if (!wasRead(connection, id, fields)) return
    if (gateway.orders.get(connection.clientId, id) !== null) {
      connection.error(id, 103, "Duplicate order id")
      return
    }
    if (spec.secType === "BAG") {
      rejected(connection, id, "combinations are not traded here")
      return
    }
    const listing = listingFor(connection, id, spec)
    if (listing === null) return
    const account = gateway.account(name)
    if (account === null) connection.error(id, 321, `Error validating request.-'bO' : cause - Invalid account ${name}`)
    else if (type !== "MKT" && type !== "LMT") rejected(connection, id, `only MKT and LMT are traded here, not ${type}`)
    else if (!(quantity > 0)) rejected(connection, id, "the quantity has to be more than 0")
    else if (action !== "BUY" && action !== "SELL") rejected(connection, id, `${action} is neither BUY nor SELL`)
    else if (!transmit) rejected(connection, id, "orders that are not transmitted are not kept here")
    else {
      gateway.nextOrderId = Math.max(gateway.nextOrderId, id + 1)
      const isBuy = action === "BUY"
      const price = type === "LMT" ? limit : null
      const { clientId } = connection
      gateway.orders.place({ id, clientId, account, listing, isBuy, quantity, limit: price, reference, timeInForce })
    }
  },
  4: (connection, fields) => {
    if (connection.version < 192) fields.skip(1)
    const id = fields.int()
    if (!wasRead(connection, id, fields)) return
    const { orders: placed } = connection.gateway
    const order = placed.get(connection.clientId, id)
    if (order === null) connection.error(id, 10147, `OrderId ${id} that needs to be cancelled is not found.`)
    else if (placed.cancel(order)) connection.error(id, 202, "Order Canceled - reason:")
    else connection.error(id, 161, `Cancel attempted when order is not in a cancellable state. Status ${order.status}`)
  },
  58: (connection) => {
    const { orders: placed } = connection.gateway
    for (const order of placed.open()) placed.cancel(order)
  },
  5: (connection) => {
    tellOpen(connection, ({ clientId }) => clientId === connection.clientId)
  },
  16: (connection) => tellOpen(connection, () => true),
  99: (connection) => {
    for (const order of connection.gateway.orders.completed()) {
      connection.send(completedOrderText(connection.version, order))
    }
    connection.send(message(102))
  },
  7: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (!wasRead(connection, reqId, fields)) return
    for (const execution of connection.gateway.orders.executions) {
      connection.send(executionText(connection.version, reqId, execution))
      connection.send(commissionText(execution))
    }
    connection.send(message(55, 1, reqId))
  }
}
