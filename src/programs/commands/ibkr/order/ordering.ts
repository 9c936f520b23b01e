/** What the commands about orders share: the vendor that is meant, by whoever owns the data directory, and how an order is shown. */
import { Effect, type Option } from "effect"
import { Flag } from "effect/cli"
import type { OrderState } from "../../../../domain/Order.ts"
import type { TapestryClient } from "../../../../rpc/client/TapestryClient.ts"
import type { VendorDescription } from "../../../../services/AdapterRegistry.ts"
import { Orders } from "../../../../services/Orders.ts"
import { UsageError } from "../../../failure/UsageError.ts"
import { vendorsHere, vendorsThere } from "../../../streams/streamVendor.ts"
import { withOwner } from "../../../withData.ts"
import { gatewayOf } from "../lookup.ts"

export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withDescription("Send it without a question; needed where there is no terminal to ask at"),
  Flag.withDefault(false)
)

const senderOf = Effect.fnUntraced(function* (given: Option.Option<string>, vendors: ReadonlyArray<VendorDescription>) {
  const name = yield* gatewayOf(given, vendors)
  if (vendors.find((vendor) => vendor.name === name)?.capabilities.includes("send") === true) return name
  return yield* new UsageError({
    message: `orders are off for ${name}; "allowOrders: true" of that vendor in tapestry.yaml turns them on`
  })
})

/**
 * As the owner of the data directory, or by the one there is. It may be run again when that owner goes away, and so it has to be what may be:
 * an order has its key before, and under one key one is sent.
 */
export const ordering = <A, E, R, E2, R2>(
  given: Option.Option<string>,
  here: (orders: Orders["Service"], vendor: string) => Effect.Effect<A, E, R>,
  there: (client: TapestryClient["Service"], vendor: string) => Effect.Effect<A, E2, R2>
) =>
  withOwner(
    Effect.gen(function* () {
      const vendor = yield* senderOf(given, yield* vendorsHere)
      return yield* here(yield* Orders, vendor)
    }),
    (client) =>
      Effect.gen(function* () {
        const vendor = yield* senderOf(given, yield* vendorsThere(client))
        return yield* there(client, vendor)
      })
  )

const known = (value: number | string | null): string => (value === null ? "" : String(value))

export const orderFields = (state: OrderState): ReadonlyArray<readonly [string, string]> => [
  ["order", known(state.order)],
  ["client", known(state.client)],
  ["key", known(state.key)],
  ["status", state.status],
  ["contract", known(state.symbol)],
  ["side", known(state.side)],
  ["quantity", known(state.quantity)],
  ["limit", state.limit === null ? "at market" : String(state.limit)],
  ["filled", known(state.filled)],
  ["remaining", known(state.remaining)],
  ["average price", known(state.averagePrice)],
  ["account", known(state.account)],
  ...state.notes.map((note) => ["note", note] as const)
]

/** Not at work, and not done. */
export const isDead = ({ filled, status }: OrderState): boolean =>
  ["Inactive", "Cancelled", "ApiCancelled"].includes(status) && (filled ?? 0) === 0
