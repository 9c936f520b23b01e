import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { NewOrder, OrderState } from "../../domain/Order.ts"
import { OrderReceipt, OrdersError } from "../../services/Orders.ts"
import { AdminOnly } from "./AdminOnly.ts"

/**
 * Orders at vendors that take them; see AdminOnly for who may. A call of which no answer comes may have been served: ask `place` again with the same key,
 * which sends nothing twice, or look at the list.
 */
export class OrderRpcs extends RpcGroup.make(
  /** `key`: chosen by the caller, a new one for each order. */
  Rpc.make("Orders.place", {
    payload: { vendor: Schema.String, key: Schema.String, order: NewOrder },
    success: OrderReceipt,
    error: OrdersError
  }),
  Rpc.make("Orders.cancel", {
    payload: { vendor: Schema.String, order: Schema.Int, client: Schema.NullOr(Schema.Int) },
    success: OrderReceipt,
    error: OrdersError
  }),
  Rpc.make("Orders.list", {
    payload: { vendor: Schema.String },
    success: Schema.Array(OrderState),
    error: OrdersError
  })
).middleware(AdminOnly) {}
