/** The lookups that IB has, in the words that every vendor has. */
import { Effect, type Result } from "effect"
import { Malformed, NotFound, Rejected, VendorError, type VendorErrorReason } from "../../../services/Adapter.ts"
import type { ContractQuery, LookupCapability, Quotable } from "../../../services/LookupCapability.ts"
import { contractNamed } from "./contract.ts"
import { secTypeOf } from "./contractKinds.ts"
import { decodeChains, decodeContracts, decodeHead, decodeMatches } from "./decodeLookups.ts"
import { decodeQuote } from "./decodeQuote.ts"
import type { IbContract } from "./GatewayApi.ts"
import { chainRequest, contractRequest, headRequest, quoteRequest, searchRequest } from "./lookups.ts"

const shows = { trade: "TRADES", bid: "BID", ask: "ASK", mid: "MIDPOINT" } as const

const quotable = (one: Quotable): IbContract => {
  const { currency, exchange, expiry, id, kind, multiplier, right, strike, symbol, tradingClass } = one
  if (id !== null) return { conId: Number(id), exchange }
  return {
    symbol,
    secType: secTypeOf(kind),
    exchange,
    currency,
    tradingClass,
    ...(expiry === null ? {} : { lastTradeDateOrContractMonth: expiry.replaceAll("-", "") }),
    ...(right === null ? {} : { right }),
    ...(strike === null ? {} : { strike }),
    ...(multiplier === null ? {} : { multiplier })
  }
}

/** A NUL would end the field in which it is sent. */
const searched = /^\P{Cc}{1,100}$/u

export const ibkrLookups = (vendor: string): LookupCapability => {
  const because = (reason: VendorErrorReason) => new VendorError({ vendor, reason })

  const named = ({ currency, symbol }: ContractQuery) =>
    Effect.mapError(Effect.fromResult(contractNamed(symbol, currency ?? null)), (message) =>
      because(new NotFound({ message }))
    )

  const read =
    <A>(decode: (payload: Uint8Array) => Result.Result<A, string>) =>
    (payload: Uint8Array) =>
      Effect.mapError(Effect.fromResult(decode(payload)), (why) =>
        because(new Malformed({ position: null, message: `the gateway's answer cannot be read: ${why}` }))
      )

  return {
    describe: {
      request: (query) => Effect.map(named(query), ({ contract }) => contractRequest(contract)),
      decode: read(decodeContracts)
    },
    search: {
      request: (pattern) =>
        searched.test(pattern)
          ? Effect.succeed(searchRequest(pattern))
          : Effect.fail(
              because(new Rejected({ message: "what is searched for has 1 to 100 characters, all of them printable" }))
            ),
      decode: read(decodeMatches)
    },
    chain: {
      request: ({ id, kind, symbol }) => Effect.succeed(chainRequest(symbol, secTypeOf(kind), Number(id))),
      decode: read(decodeChains)
    },
    first: {
      request: (query) =>
        Effect.map(named(query), ({ contract, secType }) =>
          headRequest(contract, shows[query.price ?? (secType === "CASH" ? "mid" : "trade")], false)
        ),
      decode: read(decodeHead)
    },
    quote: {
      request: (one) => Effect.succeed(quoteRequest(quotable(one), one.kind === "option")),
      decode: read(decodeQuote)
    }
  }
}
