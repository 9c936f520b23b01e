/** Orders through the archive: the adapter says what to send and reads what comes, the ingest session does the rest. It has no queue and keeps nothing. */
import { Effect, Layer } from "effect"
import type { OrderState } from "../../domain/Order.ts"
import { Malformed, type SendCapability, VendorError, type VendorRequest } from "../../services/Adapter.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { type AlreadySent, IngestSession, type IngestSessionError } from "../../services/IngestSession.ts"
import { type OrderReceipt, Orders, OrdersError } from "../../services/Orders.ts"

const failure = (reason: OrdersError["reason"]) => new OrdersError({ reason })

/** A miss cannot be: the vendor may always be asked. */
const failed = (error: IngestSessionError | AlreadySent) =>
  error._tag === "AlreadySent"
    ? Effect.fail(failure(error))
    : error.reason._tag === "CacheMiss"
      ? Effect.die(error.reason)
      : Effect.fail(failure(error.reason))

const make = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  const ingest = yield* IngestSession

  const sent = Effect.fnUntraced(
    function* (
      vendor: string,
      key: string | null,
      prepare: (sender: SendCapability) => Effect.Effect<VendorRequest, VendorError>,
      pick: (states: ReadonlyArray<OrderState>) => OrderState | undefined
    ) {
      const { send } = yield* Effect.mapError(registry.sender(vendor), failure)
      const session = yield* Effect.catch(ingest.open({ source: vendor, mode: "sync" }), failed)
      const { payload, request, response } = yield* Effect.catch(session.send(prepare, key), failed)
      const state = pick(yield* Effect.mapError(send.decode(payload), failure))
      if (state === undefined) {
        const message = `what was said of the order is response ${response.id} of the archive, and cannot be read`
        return yield* failure(new VendorError({ vendor, reason: new Malformed({ position: null, message }) }))
      }
      const receipt: OrderReceipt = { state, request, response: response.id }
      return receipt
    },
    (work) => Effect.scoped(work)
  )

  return Orders.of({
    place: Effect.fn("Orders.place")(function* (vendor, key, order) {
      return yield* sent(
        vendor,
        key,
        (sender) => sender.place(order, key),
        ([state]) => state
      )
    }),
    cancel: Effect.fn("Orders.cancel")(function* (vendor, order, client) {
      return yield* sent(
        vendor,
        null,
        (sender) => sender.cancel(order, client),
        (states) => states.find((state) => state.order === order)
      )
    }),
    list: Effect.fn("Orders.list")(
      function* (vendor) {
        const { send } = yield* Effect.mapError(registry.sender(vendor), failure)
        const session = yield* Effect.catch(ingest.open({ source: vendor, mode: "sync" }), failed)
        const lists = yield* Effect.forEach(send.list, (request) =>
          session.fetch(request, { cacheMode: { _tag: "bypass" } }).pipe(
            Effect.catch(failed),
            Effect.flatMap(({ payload }) => Effect.mapError(send.decode(payload), failure))
          )
        )
        return lists.flat()
      },
      (work) => Effect.scoped(work)
    )
  })
})

export const layer: Layer.Layer<Orders, never, AdapterRegistry | IngestSession> = Layer.effect(Orders, make)
