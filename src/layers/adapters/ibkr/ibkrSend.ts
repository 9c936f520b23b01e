/**
 * Orders through the session of a vendor. Whoever calls archives what is made here before it is sent, and what came of it after.
 *
 * Hard cases. A number belongs to the connection on which it was taken: on another nothing is sent. Between the moment in which the bytes are handed to
 * the socket and the gateway's first word of the order nobody can know what became of it, and that is said, with the number and the key to look for.
 */
import { Effect } from "effect"
import {
  Malformed,
  OutcomeUnknown,
  Rejected,
  type SendCapability,
  Unavailable,
  type VendorAnswer,
  VendorError,
  type VendorErrorReason,
  type VendorRequest
} from "../../../services/Adapter.ts"
import { IbkrError } from "../../../services/IbkrSession.ts"
import { monotonicMillis } from "../../monotonicMillis.ts"
import { answerBytes, answerMetadata } from "./answerBytes.ts"
import { contractNamed } from "./contract.ts"
import { decodeOrders } from "./decodeOrders.ts"
import type { Session } from "./IbkrSessionLive.ts"
import { judgeCancelled, judgePlaced } from "./orderCodes.ts"
import { cancellingOf, cancellingRequest, listRequests, place, placingOf, placingRequest } from "./orders.ts"
import { vendorReason } from "./reasons.ts"
import type { Instructed, Instruction } from "./sessionOrders.ts"

export interface SendDeps {
  readonly vendor: string
  readonly session: Pick<Session, "ready" | "orderNumber" | "instruct">
  /** The client of the configuration. */
  readonly clientId: number
  /** `127.0.0.1:4001`. */
  readonly gateway: string
  readonly rest: number
  /** How long the gateway may take to say what came of an order, in milliseconds. */
  readonly within: number
}

const keyForm = /^[\x21-\x7e]{1,40}$/

const look = "look at the orders (tapestry ibkr order list) before anything else is sent"

export const ibkrSend = ({
  clientId: configured,
  gateway,
  rest,
  session,
  vendor,
  within
}: SendDeps): SendCapability => {
  const because = (reason: VendorErrorReason) => new VendorError({ vendor, reason })
  const rejected = (message: string) => because(new Rejected({ message }))
  const asVendor = ({ reason }: IbkrError) => because(vendorReason(reason, rest))

  const said = (came: Instructed, what: string, reference: string, elapsedMillis: number): VendorAnswer => ({
    body: answerBytes(came.serverVersion, came.frames),
    metadata: answerMetadata(gateway, came, elapsedMillis),
    refusal:
      came.refused !== null
        ? new Rejected({ message: came.refused })
        : came.unknown !== null
          ? new OutcomeUnknown({
              reference,
              message: `${what} was sent, and it is not known what came of it: ${new IbkrError({ reason: came.unknown }).message}; ${look}`
            })
          : null
  })

  const sent = Effect.fnUntraced(function* (instruction: Instruction, what: string, reference: string) {
    const began = yield* monotonicMillis
    const came = yield* Effect.mapError(session.instruct(instruction), ({ reason }) =>
      // Whatever it is, nothing was sent, and the same may be tried again by whoever wants that.
      because(
        reason._tag === "Disconnected" ? new Unavailable({ message: reason.message }) : vendorReason(reason, rest)
      )
    )
    return said(came, what, reference, (yield* monotonicMillis) - began)
  })

  return {
    place: Effect.fn("IbkrSend.place")(function* (order, key) {
      if (!keyForm.test(key)) {
        return yield* rejected("the key of an order has 1 to 40 characters of ASCII, and no blanks")
      }
      if (order.account !== null && !/^[A-Za-z0-9.\-_]{1,40}$/.test(order.account)) {
        return yield* rejected(`${JSON.stringify(order.account)} is no account`)
      }
      const named = contractNamed(order.symbol, order.currency)
      if (named._tag === "Failure") return yield* rejected(named.failure)
      const {
        includeExpired: _,
        primaryExch: __,
        multiplier: ___,
        localSymbol: ____,
        tradingClass: _____,
        ...contract
      } = named.success.contract
      const number = yield* Effect.mapError(session.orderNumber, asVendor)
      return placingRequest(number, key, { ...order, symbol: named.success.symbol }, contract)
    }),
    cancel: Effect.fn("IbkrSend.cancel")(function* (order, client) {
      const { clientId } = yield* Effect.mapError(session.ready, asVendor)
      const whose = client ?? configured
      if (whose !== clientId) {
        return yield* rejected(
          `order ${order} of client ${whose} can be cancelled by that client alone, and the gateway knows us as ${clientId}`
        )
      }
      return cancellingRequest(order, clientId)
    }),
    send: Effect.fn("IbkrSend.send")(function* (request: VendorRequest) {
      const placing = placingOf(request)
      if (placing !== null) {
        const { client, connection, order, reference } = placing
        return yield* sent(
          { order, connection, within, judge: judgePlaced, send: (api) => place(api, placing) },
          `order ${order} of client ${client} (key ${reference})`,
          `${client}/${order}`
        )
      }
      const order = cancellingOf(request)
      if (order === null) return yield* rejected("no order of this adapter")
      return yield* sent(
        { order, connection: null, within, judge: judgeCancelled, send: (api) => api.cancelOrder(order) },
        `the cancellation of order ${order}`,
        String(order)
      )
    }),
    list: listRequests,
    decode: (payload) =>
      Effect.mapError(Effect.fromResult(decodeOrders(payload)), (why) =>
        because(new Malformed({ position: null, message: `the gateway's answer cannot be read: ${why}` }))
      )
  }
}
