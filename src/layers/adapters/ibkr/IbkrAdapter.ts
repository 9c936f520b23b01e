/**
 * Interactive Brokers, through a gateway that its user runs. All that the adapter asks goes through one session, which connects when
 * it is first needed: a vendor that is only listed costs nothing.
 *
 * What is archived are the frames of an answer as they came. The gateway says what it refuses in a frame, too, which is archived with
 * its meaning; "no data" is an answer.
 */
import { Duration, Effect } from "effect"
import {
  type Adapter,
  type FetchCapability,
  FirstByte,
  type MakeAdapter,
  Malformed,
  Rejected,
  VendorError,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import { monotonicMillis } from "../../monotonicMillis.ts"
import { answerBytes, answerMetadata } from "./answerBytes.ts"
import { barsParams, barsRequest } from "./BarsRequest.ts"
import { asBarsSeries, barsSeriesOf } from "./barsSeries.ts"
import { decodeBars, locateBar } from "./decodeBars.ts"
import * as IbkrSessionLive from "./IbkrSessionLive.ts"
import * as IbkrStream from "./IbkrStream.ts"
import { type IbkrVendor, sessionOptions } from "./IbkrVendor.ts"
import { ibkrLimits } from "./ibkrLimits.ts"
import { ibkrLookups } from "./ibkrLookups.ts"
import { ibkrSend } from "./ibkrSend.ts"
import { ibkrTicks } from "./ibkrTicks.ts"
import { listOf } from "./orders.ts"
import { questionOf } from "./questions.ts"
import { vendorReason } from "./reasons.ts"
import { sessionCapability } from "./sessionCapability.ts"

/** Raised when the same bytes may give other rows than before. */
export const decoderVersion = 1

/** How long a gateway may take to say what came of an order. */
const orderPatience = 10_000

/** Milliseconds after which a line may be free that was needed for a quote: others are looked at for a moment, too. */
const lineRest = 2_000

/** The adapter of a checked vendor. Its connection is closed with the scope. */
export const make: (vendor: IbkrVendor) => MakeAdapter = Effect.fnUntraced(function* (vendor: IbkrVendor) {
  const { name } = vendor
  const session = yield* IbkrSessionLive.make(sessionOptions(vendor))
  const place = `${vendor.host}:${vendor.port}`
  const because = (reason: VendorErrorReason) => new VendorError({ vendor: name, reason })
  const notOurs = because(new Rejected({ message: "not a request of this adapter" }))

  const series: FetchCapability["series"] = Effect.fnUntraced(function* (query) {
    const { key } = yield* Effect.mapError(Effect.fromResult(barsSeriesOf(name, query)), because)
    return key
  })

  const request: FetchCapability["request"] = Effect.fnUntraced(function* (key, range) {
    const asked = yield* Effect.mapError(Effect.fromResult(asBarsSeries(key)), because)
    return barsRequest(asked.key, asked.name.contract, range)
  })

  const fetch: FetchCapability["fetch"] = Effect.fn("IbkrAdapter.fetch")(function* (asked) {
    const question = questionOf(asked, vendor.timeout)
    const orders = vendor.allowOrders ? listOf(asked) : null
    const ask =
      question !== null ? session.ask(question) : orders !== null ? session.listOrders(orders, vendor.timeout) : null
    if (ask === null) return yield* notOurs
    const rest = question?.endless === true ? Math.min(vendor.rest, lineRest) : vendor.rest
    const began = yield* monotonicMillis
    const answer = yield* ask.pipe(Effect.mapError(({ reason }) => because(vendorReason(reason, rest))))
    const firstByte = yield* FirstByte
    firstByte()
    const { empty, frames, refusal, serverVersion } = answer
    const metadata = answerMetadata(place, answer, (yield* monotonicMillis) - began)
    return {
      body: answerBytes(serverVersion, frames),
      metadata: { ...metadata, adapter: { ...metadata.adapter, empty } },
      refusal: refusal === null ? null : vendorReason(refusal.reason, rest)
    }
  })

  const decode: FetchCapability["decode"] = Effect.fn("IbkrAdapter.decode")(function* (payload, { range, request }) {
    const params = barsParams(request)
    if (params === null) return yield* notOurs
    return yield* Effect.mapError(decodeBars(payload, params, range), because)
  })

  const locate: FetchCapability["locate"] = Effect.fn("IbkrAdapter.locate")(function* (payload, position, { request }) {
    const found = locateBar(payload, position)
    if (found === null) return yield* because(new Malformed({ position, message: "the answer has no such row" }))
    return { ...found, label: `${found.label} of the bars of ${barsParams(request)?.symbol ?? "another series"}` }
  })

  const ping = Effect.gen(function* () {
    const began = yield* monotonicMillis
    const found = yield* Effect.result(session.ready)
    const elapsed = Duration.millis((yield* monotonicMillis) - began)
    return found._tag === "Failure"
      ? { ok: false, elapsed, detail: found.failure.message }
      : {
          ok: true,
          elapsed,
          detail: `${place}: version ${found.success.serverVersion}, client ${found.success.clientId}`
        }
  }).pipe(Effect.withSpan("IbkrAdapter.ping"))

  return {
    name,
    type: "ibkr",
    description: vendor.description,
    account: vendor.account,
    limits: ibkrLimits(vendor),
    stream: yield* IbkrStream.make({ vendor: name, session, rest: vendor.rest }),
    ticks: ibkrTicks(name),
    lookups: ibkrLookups(name),
    session: sessionCapability(name, place, session),
    fetch: { series, request, fetch, decode, locate, cost: () => 0, decoderVersion },
    ...(vendor.allowOrders
      ? {
          send: ibkrSend({
            vendor: name,
            session,
            clientId: vendor.clientId,
            gateway: place,
            rest: vendor.rest,
            within: orderPatience
          })
        }
      : {}),
    symbols: Effect.succeed([]),
    ping
  } satisfies Adapter
})
