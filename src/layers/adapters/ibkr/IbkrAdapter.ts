/**
 * Interactive Brokers, through a gateway that its user runs. All that the adapter asks goes through one session, which connects when
 * it is first needed: a vendor that is only listed costs nothing.
 */
import { Duration, Effect } from "effect"
import type { Adapter, MakeAdapter } from "../../../services/Adapter.ts"
import { monotonicMillis } from "../../monotonicMillis.ts"
import * as IbkrSessionLive from "./IbkrSessionLive.ts"
import { type IbkrVendor, sessionOptions } from "./IbkrVendor.ts"
import { ibkrLimits } from "./ibkrLimits.ts"

/** The adapter of a checked vendor. Its connection is closed with the scope. */
export const make: (vendor: IbkrVendor) => MakeAdapter = Effect.fnUntraced(function* (vendor: IbkrVendor) {
  const session = yield* IbkrSessionLive.make(sessionOptions(vendor))
  const place = `${vendor.host}:${vendor.port}`

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
    name: vendor.name,
    type: "ibkr",
    description: vendor.description,
    account: vendor.account,
    limits: ibkrLimits(vendor),
    symbols: Effect.succeed([]),
    ping
  } satisfies Adapter
})
