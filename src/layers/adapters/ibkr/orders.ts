/**
 * Orders as requests of this adapter: what is archived of one before it goes out, and what it is to the gateway. Their numbers count for one client of
 * the gateway; the key is IB's `orderRef`, which stays with the order and its executions.
 */
import { Schema } from "effect"
import { NewOrder } from "../../../domain/Order.ts"
import type { VendorRequest } from "../../../services/Adapter.ts"
import type { GatewayApi } from "./GatewayApi.ts"
import type { ListOf } from "./OrderDesk.ts"
import type { OrderNumber } from "./sessionOrders.ts"

const Contract = Schema.Struct({
  conId: Schema.optionalKey(Schema.Int),
  symbol: Schema.optionalKey(Schema.String),
  secType: Schema.optionalKey(Schema.String),
  lastTradeDateOrContractMonth: Schema.optionalKey(Schema.String),
  strike: Schema.optionalKey(Schema.Finite),
  right: Schema.optionalKey(Schema.String),
  exchange: Schema.optionalKey(Schema.String),
  currency: Schema.optionalKey(Schema.String)
})
type Contract = typeof Contract.Type

const Placing = Schema.Struct({
  order: Schema.Int,
  client: Schema.Int,
  connection: Schema.Int,
  /** The key: what IB calls the reference. */
  reference: Schema.String,
  terms: NewOrder,
  contract: Contract
})
const Cancelling = Schema.Struct({ order: Schema.Int, client: Schema.Int })

export type Placing = typeof Placing.Type

const requestOf = (kind: string, method: VendorRequest["method"], params: Schema.Json): VendorRequest => ({
  kind,
  method,
  params,
  body: null,
  weight: 0,
  keys: {}
})

export const placingRequest = (
  { clientId, connection, order }: OrderNumber,
  key: string,
  terms: NewOrder,
  contract: Contract
): VendorRequest =>
  requestOf("order", "SEND", {
    order,
    client: clientId,
    connection,
    reference: key,
    terms: { ...terms },
    contract: { ...contract }
  })

export const cancellingRequest = (order: number, client: number): VendorRequest =>
  requestOf("cancel-order", "SEND", { order, client })

/** Questions, which may be asked again. */
export const listRequests: ReadonlyArray<VendorRequest> = [
  requestOf("open-orders", "COMMAND", {}),
  requestOf("completed-orders", "COMMAND", {})
]

const decodePlacing = Schema.decodeUnknownOption(Placing)
const decodeCancelling = Schema.decodeUnknownOption(Cancelling)

/** Null: no order of this adapter. */
export const placingOf = ({ kind, params }: Pick<VendorRequest, "kind" | "params">): Placing | null => {
  const found = kind === "order" ? decodePlacing(params) : null
  return found?._tag === "Some" ? found.value : null
}

export const cancellingOf = ({ kind, params }: Pick<VendorRequest, "kind" | "params">): number | null => {
  const found = kind === "cancel-order" ? decodeCancelling(params) : null
  return found?._tag === "Some" ? found.value.order : null
}

/** Which orders are asked for; null: it is no such question. */
export const listOf = ({ kind }: Pick<VendorRequest, "kind">): ListOf | null =>
  kind === "open-orders" ? "open" : kind === "completed-orders" ? "completed" : null

export const place = (api: GatewayApi, { contract, order, reference, terms }: Placing): unknown =>
  api.placeOrder(order, contract, {
    action: terms.side === "buy" ? "BUY" : "SELL",
    totalQuantity: terms.quantity,
    orderType: terms.limit === null ? "MKT" : "LMT",
    ...(terms.limit === null ? {} : { lmtPrice: terms.limit }),
    tif: terms.timeInForce === "day" ? "DAY" : "GTC",
    ...(terms.account === null ? {} : { account: terms.account }),
    orderRef: reference,
    transmit: true
  })
