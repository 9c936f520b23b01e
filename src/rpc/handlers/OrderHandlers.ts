import { Effect } from "effect"
import { Orders } from "../../services/Orders.ts"
import { OrderRpcs } from "../contract/OrderRpcs.ts"

const make = Effect.map(Orders, (orders) =>
  OrderRpcs.of({
    "Orders.place": ({ key, order, vendor }) => orders.place(vendor, key, order),
    "Orders.cancel": ({ client, order, vendor }) => orders.cancel(vendor, order, client),
    "Orders.list": ({ vendor }) => orders.list(vendor)
  })
)

export const layer = OrderRpcs.toLayer(make)
