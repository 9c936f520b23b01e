/** Archived answers to lookups. Pure, and by the version of the protocol in which they were written. */
import { Result } from "effect"
import type { Contract, ContractMatch, OptionChain } from "../../../domain/Contract.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import { readAnswer } from "./answerBytes.ts"
import { dateOf, kindOf, nameOf, rightOf } from "./contractKinds.ts"
import { messageIds } from "./frames.ts"
import { numberIn } from "./numbers.ts"
import { sessionHours } from "./sessionHours.ts"

type Decoded<A> = Result.Result<A, string>

const positive = (text: string | undefined): number | null => {
  const value = numberIn(text)
  return value === null || value <= 0 ? null : value
}

/** The date of the last trade, which some have, came with this version. */
const lastTradeDateFrom = 182

/** Null where IB's text is empty. */
const orNull = (text: string): string | null => (text === "" ? null : text)

const contractOf = (fields: ReadonlyArray<string>, version: number): Decoded<Contract> => {
  const [symbol = "", secType = "", lastTrade = ""] = fields.slice(2, 5)
  const rest = fields.slice(version >= lastTradeDateFrom ? 6 : 5)
  const [strike, right, exchange = "", currency = "", localSymbol = "", , tradingClass = "", conId] = rest
  const [minTick, multiplier, , valid = "", , underlying, description = "", primaryExchange = ""] = rest.slice(8)
  const [, industry = "", , , zone = "", tradingHours = "", liquidHours = ""] = rest.slice(16)
  const number = positive(conId)
  if (number === null || rest.length < 24) return Result.fail("a contract of too few fields")
  const clock = ZoneClock.make(zone)
  const underlyingId = positive(underlying)
  const named = {
    id: String(number),
    symbol,
    currency,
    exchange,
    expiry: dateOf(lastTrade),
    right: rightOf(right),
    strike: positive(strike),
    tradingClass
  }
  return Result.succeed({
    id: named.id,
    name: nameOf({ ...named, secType }),
    symbol,
    kind: kindOf(secType),
    currency,
    exchange,
    primaryExchange: orNull(primaryExchange),
    exchanges: valid.split(",").filter((name) => name !== ""),
    localSymbol,
    tradingClass,
    description,
    industry: orNull(industry),
    expiry: named.expiry,
    right: named.right,
    strike: named.strike,
    multiplier: positive(multiplier),
    minTick: positive(minTick),
    underlyingId: underlyingId === null ? null : String(underlyingId),
    zone: orNull(zone),
    tradingHours: sessionHours(tradingHours, clock),
    regularHours: sessionHours(liquidHours, clock)
  })
}

/** The messages of one kind, in the order they came. */
const messagesOf = (payload: Uint8Array, messageId: number) =>
  Result.map(readAnswer(payload), ({ messages, serverVersion }) => ({
    serverVersion,
    messages: messages.filter(([id]) => Number(id) === messageId)
  }))

/** Every contract that fits; bonds, which have other fields, are left out. */
export const decodeContracts = (payload: Uint8Array): Decoded<ReadonlyArray<Contract>> =>
  Result.flatMap(messagesOf(payload, messageIds.contractData), ({ messages, serverVersion }) =>
    Result.all(messages.map((fields) => contractOf(fields, serverVersion)))
  )

export const decodeMatches = (payload: Uint8Array): Decoded<ReadonlyArray<ContractMatch>> =>
  Result.flatMap(messagesOf(payload, messageIds.symbolSamples), ({ messages: [fields = []] }) => {
    const matches: Array<ContractMatch> = []
    let at = 3
    for (let left = Number(fields[2] ?? 0); left > 0; left--) {
      const [conId, symbol = "", secType = "", primaryExchange = "", currency = "", count] = fields.slice(at, at + 6)
      const kinds = Number(count)
      const id = positive(conId)
      if (id === null || !Number.isInteger(kinds) || kinds < 0 || at + 8 + kinds > fields.length) {
        return Result.fail("a list of contracts that is cut off")
      }
      const derivatives = fields.slice(at + 6, at + 6 + kinds)
      const description = fields[at + 6 + kinds] ?? ""
      matches.push({
        id: String(id),
        name: nameOf({ id: String(id), symbol, currency, secType }),
        symbol,
        kind: kindOf(secType),
        currency,
        primaryExchange: orNull(primaryExchange),
        derivatives,
        description
      })
      at += 8 + kinds
    }
    return Result.succeed(matches)
  })

const chainOf = (fields: ReadonlyArray<string>): Decoded<OptionChain> => {
  const [, , exchange = "", underlying = "", tradingClass = "", multiplier, count] = fields
  const dates = fields.slice(7, 7 + Number(count))
  const expirations = dates.map(dateOf).filter((date) => date !== null)
  const at = 7 + dates.length
  const strikes = fields.slice(at + 1).map(Number)
  return expirations.length === Number(count) && strikes.length === Number(fields[at]) && strikes.every(Number.isFinite)
    ? Result.succeed({
        exchange,
        tradingClass,
        multiplier: positive(multiplier),
        underlyingId: underlying,
        expirations: expirations.sort(),
        strikes: strikes.sort((a, b) => a - b)
      })
    : Result.fail("a chain of options that is cut off")
}

export const decodeChains = (payload: Uint8Array): Decoded<ReadonlyArray<OptionChain>> =>
  Result.flatMap(messagesOf(payload, messageIds.optionParameters), ({ messages }) => Result.all(messages.map(chainOf)))

/** The first instant of which there is history. */
export const decodeHead = (payload: Uint8Array): Decoded<EpochMillis> =>
  Result.flatMap(messagesOf(payload, messageIds.headTimestamp), ({ messages }) => {
    const seconds = numberIn(messages.at(-1)?.[2])
    return seconds === null ? Result.fail("no instant") : Result.succeed(seconds * 1000)
  })
