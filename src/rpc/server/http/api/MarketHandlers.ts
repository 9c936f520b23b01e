import { Effect } from "effect"
import { HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { AdapterRegistry } from "../../../../services/AdapterRegistry.ts"
import { ContractLookups } from "../../../../services/ContractLookups.ts"
import { MarketStreams } from "../../../../services/MarketStreams.ts"
import { StitchingCache } from "../../../../services/StitchingCache.ts"
import { retryAfter } from "../errorStatus.ts"
import { problem } from "../problem.ts"
import type { Refusal } from "../Refusal.ts"
import { streaming, vendorFor, type Wanted } from "../vendorFor.ts"
import { figures, positions } from "./accounts.ts"
import { ControlApi } from "./ControlApi.ts"
import { ofTenant } from "./ofTenant.ts"
import { options } from "./options.ts"
import { type MarketProblem, ofMarket } from "./Problems.ts"
import { prices } from "./prices.ts"

const fetching: Wanted = { able: ({ fetch }) => fetch !== undefined, words: "has bars" }
const telling = (what: "describe" | "chain"): Wanted => ({
  able: ({ lookups }) => lookups?.[what] !== undefined,
  words: what === "chain" ? "has option chains" : "describes contracts"
})

/** Says when another try is worth it, too. */
const refused = (
  error: Refusal | { readonly message: string }
): Effect.Effect<never, MarketProblem, HttpServerRequest.HttpServerRequest> => {
  const seconds = "line" in error ? null : retryAfter(error)
  const failed = Effect.fail(ofMarket(error))
  if (seconds === null) return failed
  const later = HttpEffect.appendPreResponseHandler((_, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(seconds)))
  )
  return Effect.andThen(later, failed)
}

const meant = (of: Effect.Success<typeof ofTenant>) => (given: string | undefined, wanted: Wanted) =>
  given === undefined
    ? Effect.flatMap(of(AdapterRegistry), (registry) => vendorFor(registry, wanted))
    : Effect.succeed(given)

export const MarketHandlers = HttpApiBuilder.group(
  ControlApi,
  "market",
  Effect.fnUntraced(function* (handlers) {
    const of = yield* ofTenant
    const vendorOf = meant(of)
    return handlers.handleAll({
      prices: ({ query: { vendor, ...query } }) =>
        Effect.gen(function* () {
          if (query.start !== undefined && query.end !== undefined && query.start >= query.end) {
            return yield* Effect.fail(problem(400, { detail: "start is before end", error: "BadRequest" }))
          }
          return yield* prices(yield* of(StitchingCache), yield* vendorOf(vendor, fetching), query)
        }).pipe(Effect.catch(refused)),
      options: ({ query: { vendor, ...query } }) =>
        Effect.gen(function* () {
          const name = yield* vendorOf(vendor, telling("chain"))
          const { lookups = [] } = yield* (yield* of(AdapterRegistry)).describe(name)
          const quoting = lookups.includes("quote")
          return yield* options(yield* of(ContractLookups), name, quoting, query)
        }).pipe(Effect.catch(refused)),
      contracts: ({ query: { symbol, vendor } }) =>
        Effect.gen(function* () {
          const name = yield* vendorOf(vendor, telling("describe"))
          const contracts = yield* (yield* of(ContractLookups)).describe(name, { symbol })
          return { vendor: name, contracts }
        }).pipe(Effect.catch(refused))
    })
  })
)

export const AccountHandlers = HttpApiBuilder.group(
  ControlApi,
  "account",
  Effect.fnUntraced(function* (handlers) {
    const of = yield* ofTenant
    const vendorOf = meant(of)
    return handlers.handleAll({
      positions: ({ query: { account_id, vendor } }) =>
        Effect.gen(function* () {
          const name = yield* vendorOf(vendor, streaming("portfolio"))
          const { stream } = yield* (yield* of(AdapterRegistry)).streamer(name)
          const more = stream.kinds.includes("pnl")
          return yield* positions(yield* of(MarketStreams), name, account_id, more)
        }).pipe(Effect.catch(refused)),
      account: ({ query: { account_id, vendor } }) =>
        Effect.gen(function* () {
          const name = yield* vendorOf(vendor, streaming("account"))
          return yield* figures(yield* of(MarketStreams), name, account_id)
        }).pipe(Effect.catch(refused))
    })
  })
)
