/** What the seeded vendor tells beside rows: shares of its symbols, with options of the next four months around their price. */
import { Effect, Option, Schema } from "effect"
import { Contract, ContractMatch, OptionChain } from "../../domain/Contract.ts"
import { EpochMillis, type TimeRange } from "../../domain/TimeRange.ts"
import { Malformed, NotFound, VendorError, type VendorErrorReason, type VendorRequest } from "../../services/Adapter.ts"
import type { Lookup, LookupCapability, Quotable, StandingQuote } from "../../services/LookupCapability.ts"
import { optionValue } from "./gateway/market/optionValue.ts"
import { barsOf, chance, type ModelMarket } from "./ModelMarket.ts"

interface ModelLookupsDeps {
  readonly vendor: string
  readonly market: ModelMarket
  readonly symbols: ReadonlyArray<string>
}

export interface ModelLookups {
  readonly capability: LookupCapability
  /** The answer to a lookup, as its bytes are; null when the request is none. */
  readonly answer: (request: VendorRequest, now: EpochMillis) => Uint8Array | VendorErrorReason | null
}

const day = 86_400_000
const option = /^([A-Z0-9.]+)-(\d{4}-\d{2}-\d{2})-([CP])-(\d+(?:\.\d+)?)$/

const Asked = Schema.Struct({
  of: Schema.Literals(["describe", "search", "chain", "first", "quote"]),
  text: Schema.String
})
const askedOf = Schema.decodeUnknownOption(Asked)

const nothing = {
  volume: null,
  openInterest: null,
  iv: null,
  delta: null,
  gamma: null,
  theta: null,
  vega: null,
  spot: null
}

const level = Schema.NullOr(Schema.Finite)
const Quote = Schema.Struct({
  bid: level,
  ask: level,
  last: level,
  close: level,
  volume: level,
  openInterest: level,
  iv: level,
  delta: level,
  gamma: level,
  theta: level,
  vega: level,
  spot: level
})

/** The third Fridays of this month and the three after it that are not over. */
const thirdFridays = (now: EpochMillis): ReadonlyArray<string> => {
  const today = new Date(now)
  return [0, 1, 2, 3, 4]
    .map((month) => {
      const first = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + month, 1)
      const toFriday = (12 - new Date(first).getUTCDay()) % 7
      return first + (toFriday + 14) * day
    })
    .filter((date) => date + day > now)
    .slice(0, 4)
    .map((date) => new Date(date).toISOString().slice(0, 10))
}

export const make = ({ market, symbols, vendor }: ModelLookupsDeps): ModelLookups => {
  const priceOf = (symbol: string, now: EpochMillis): number => {
    const range: TimeRange = { start: now - 10 * day, end: now }
    return barsOf({ ...market, holes: 0 }, symbol, "1d", range, now, "raw").at(-1)?.close ?? 100
  }

  const strikesOf = (symbol: string, now: EpochMillis): ReadonlyArray<number> => {
    const middle = Math.round(priceOf(symbol, now) / 5) * 5
    return Array.from({ length: 21 }, (_, index) => middle + (index - 10) * 5).filter((strike) => strike > 0)
  }

  const share = (symbol: string): Contract => ({
    id: symbol,
    name: symbol,
    symbol,
    kind: "stock",
    currency: "USD",
    exchange: "MODEL",
    primaryExchange: "MODEL",
    exchanges: ["MODEL"],
    localSymbol: symbol,
    tradingClass: symbol,
    description: `${symbol}, which does not exist`,
    industry: null,
    expiry: null,
    right: null,
    strike: null,
    multiplier: null,
    minTick: 0.01,
    underlyingId: null,
    zone: "UTC",
    tradingHours: null,
    regularHours: null
  })

  const contractOf = (name: string, now: EpochMillis): Contract | null => {
    if (symbols.includes(name)) return share(name)
    const [, underlying = "", expiry = "", right = "", text = ""] = option.exec(name) ?? []
    const strike = Number(text)
    if (!symbols.includes(underlying) || (right !== "C" && right !== "P")) return null
    const dates = thirdFridays(now)
    if (!dates.includes(expiry) || !strikesOf(underlying, now).includes(strike)) return null
    // As with real ones: later dates have every other strike.
    if (expiry !== dates[0] && strike % 10 !== 0) return null
    return {
      ...share(underlying),
      id: name,
      name,
      kind: "option",
      localSymbol: name,
      expiry,
      right,
      strike,
      multiplier: 100,
      underlyingId: underlying
    }
  }

  const quoteOf = ({ expiry, right, strike, symbol }: Contract, now: EpochMillis): StandingQuote => {
    const spot = priceOf(symbol, now)
    const cents = (value: number) => Math.max(0, Math.round(value * 100) / 100)
    if (expiry === null || right === null || strike === null) {
      return { ...nothing, bid: cents(spot - 0.01), ask: cents(spot + 0.01), last: cents(spot), close: cents(spot) }
    }
    const iv = 0.2 + 0.15 * Math.abs(Math.log(strike / spot))
    const years = Math.max(0, Date.parse(`${expiry}T20:00:00Z`) - now) / (365 * day)
    const { price, ...greeks } = optionValue(right, spot, strike, years, iv)
    const traded = chance(market.seed, "options", symbol, expiry, right, strike)
    return {
      ...greeks,
      bid: cents(price * 0.98),
      ask: cents(price * 1.02 + 0.01),
      last: traded < 0.2 ? null : cents(price),
      close: cents(price),
      volume: Math.floor(traded * 900),
      openInterest: Math.floor(traded * 20_000),
      iv,
      spot: cents(spot)
    }
  }

  const answerTo = ({ of, text }: typeof Asked.Type, now: EpochMillis): unknown => {
    switch (of) {
      case "describe": {
        const contract = contractOf(text, now)
        return contract === null ? null : [contract]
      }
      case "search":
        return symbols
          .filter((symbol) => text !== "" && symbol.includes(text))
          .map(share)
          .map(({ currency, description, id, kind, name, primaryExchange, symbol }) => {
            return { currency, description, id, kind, name, primaryExchange, symbol, derivatives: ["option"] }
          })
      case "chain":
        return symbols.includes(text)
          ? [
              {
                exchange: "MODEL",
                tradingClass: text,
                multiplier: 100,
                underlyingId: text,
                expirations: thirdFridays(now),
                strikes: strikesOf(text, now)
              }
            ]
          : []
      case "quote": {
        const contract = contractOf(text, now)
        return contract === null ? null : quoteOf(contract, now)
      }
      case "first":
        return symbols.includes(text) ? (market.listedAt ?? 0) : null
    }
  }

  const because = (reason: VendorErrorReason) => new VendorError({ vendor, reason })

  const lookup = <Query, Answer, Encoded>(
    of: (typeof Asked.Type)["of"],
    schema: Schema.Codec<Answer, Encoded>,
    textOf: (query: Query) => string
  ): Lookup<Query, Answer> => {
    const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
    return {
      request: (query) =>
        Effect.succeed({
          kind: "lookup",
          method: "GET",
          params: { of, text: textOf(query).trim().toUpperCase() },
          body: null,
          weight: 1,
          keys: {}
        }),
      decode: (payload) =>
        Effect.mapError(decode(new TextDecoder().decode(payload)), ({ message }) =>
          because(new Malformed({ position: null, message }))
        )
    }
  }

  return {
    capability: {
      describe: lookup("describe", Schema.Array(Contract), ({ symbol }) => symbol),
      search: lookup("search", Schema.Array(ContractMatch), (pattern) => pattern),
      chain: lookup("chain", Schema.Array(OptionChain), ({ name }) => name),
      first: lookup("first", EpochMillis, ({ symbol }) => symbol),
      quote: lookup("quote", Quote, ({ expiry, right, strike, symbol }: Quotable) =>
        right === null ? symbol : `${symbol}-${expiry}-${right}-${strike}`
      )
    },
    answer: ({ kind, params }, now) => {
      const asked = kind === "lookup" ? askedOf(params) : Option.none()
      if (Option.isNone(asked)) return null
      const answer = answerTo(asked.value, now)
      return answer === null
        ? new NotFound({ message: `no contract ${asked.value.text}` })
        : new TextEncoder().encode(JSON.stringify(answer))
    }
  }
}
