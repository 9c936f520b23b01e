import { Context, type Effect, Schema } from "effect"
import type { NewOrder } from "../domain/Order.ts"
import { OrderState } from "../domain/Order.ts"
import { RequestId } from "../domain/Request.ts"
import { ResponseId } from "../domain/Response.ts"
import { VendorError } from "./Adapter.ts"
import { AdapterRegistryError } from "./AdapterRegistry.ts"
import { AlreadySent } from "./IngestSession.ts"
import { ProvenanceStoreError } from "./ProvenanceStore.ts"
import { QuotaError } from "./Quota.ts"

/**
 * Why an order was not placed or cancelled. A VendorError of reason OutcomeUnknown: it was sent, and what became of it is not known. With
 * every other reason nothing is at work because of this call.
 */
export class OrdersError extends Schema.TaggedError<OrdersError>()("OrdersError", {
  reason: Schema.Union([AlreadySent, VendorError, QuotaError, AdapterRegistryError, ProvenanceStoreError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** What a vendor acknowledged, and where in the archive the exchange is. */
export const OrderReceipt = Schema.Struct({ state: OrderState, request: RequestId, response: ResponseId })
export interface OrderReceipt extends Schema.Schema.Type<typeof OrderReceipt> {}

/**
 * Orders at vendors that take them. What is sent is archived before it goes out, and what is acknowledged before it is told. Nothing is
 * sent twice, whatever fails: no retry, no cache, and a key is sent once for as long as the archive has it.
 */
export class Orders extends Context.Service<
  Orders,
  {
    /** Done when the vendor has acknowledged it. `key` (1 to 40 characters) names the order for good: of a second one under it nothing is sent. */
    readonly place: (vendor: string, key: string, order: NewOrder) => Effect.Effect<OrderReceipt, OrdersError>
    /**
     * Done when the vendor has said what came of it. `order` is the number that `place` gave, and `client` whose number it is (null: that of the
     * configuration): two clients may have orders of one number.
     */
    readonly cancel: (vendor: string, order: number, client: number | null) => Effect.Effect<OrderReceipt, OrdersError>
    /** All that are at work at the vendor, whoever placed them, and those that are over of which it still tells, as it says now. */
    readonly list: (vendor: string) => Effect.Effect<ReadonlyArray<OrderState>, OrdersError>
  }
>()("tapestry/Orders") {}
