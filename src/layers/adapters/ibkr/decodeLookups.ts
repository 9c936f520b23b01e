/** Archived answers to lookups. Pure, and by the version of the protocol in which they were written. */
import { Result } from "effect"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { readAnswer } from "./answerBytes.ts"
import { messageIds } from "./frames.ts"

/** What IB knows of a contract. An absent text is empty, absent numbers are null. */
export interface ContractDetails {
  readonly conId: number
  readonly symbol: string
  readonly secType: string
  readonly lastTrade: string
  readonly strike: number | null
  readonly right: string
  readonly multiplier: string
  readonly exchange: string
  readonly primaryExchange: string
  readonly currency: string
  readonly localSymbol: string
  readonly tradingClass: string
  readonly longName: string
  readonly industry: string
  readonly minTick: number | null
  readonly validExchanges: ReadonlyArray<string>
  readonly underlyingConId: number | null
  readonly zone: string
  readonly tradingHours: string
  readonly liquidHours: string
}

export interface ContractMatch {
  readonly conId: number
  readonly symbol: string
  readonly secType: string
  readonly primaryExchange: string
  readonly currency: string
  readonly derivatives: ReadonlyArray<string>
  readonly description: string
}

/** The options of an underlying at one exchange: all dates and all strikes, of which not every pair is listed. */
export interface OptionChain {
  readonly exchange: string
  readonly underlyingConId: number
  readonly tradingClass: string
  readonly multiplier: string
  readonly expirations: ReadonlyArray<string>
  readonly strikes: ReadonlyArray<number>
}

type Decoded<A> = Result.Result<A, string>

const numberOf = (text: string | undefined): number | null => {
  const value = text === undefined || text === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) && value !== Number.MAX_VALUE ? value : null
}

const positive = (text: string | undefined): number | null => {
  const value = numberOf(text)
  return value === null || value <= 0 ? null : value
}

/** The date of the last trade, which some have, came with this version. */
const lastTradeDateFrom = 182

const contractOf = (fields: ReadonlyArray<string>, version: number): Decoded<ContractDetails> => {
  const head = fields.slice(2, 5)
  const rest = fields.slice(version >= lastTradeDateFrom ? 6 : 5)
  const [symbol = "", secType = "", lastTrade = ""] = head
  const [strike, right = "", exchange = "", currency = "", localSymbol = "", , tradingClass = "", conId] = rest
  const [minTick, multiplier = "", , valid = "", , underlying, longName = "", primaryExchange = ""] = rest.slice(8)
  const [, industry = "", , , zone = "", tradingHours = "", liquidHours = ""] = rest.slice(16)
  const id = positive(conId)
  return id === null || rest.length < 24
    ? Result.fail("a contract of too few fields")
    : Result.succeed({
        conId: id,
        symbol,
        secType,
        lastTrade,
        strike: positive(strike),
        right,
        multiplier,
        exchange,
        primaryExchange,
        currency,
        localSymbol,
        tradingClass,
        longName,
        industry,
        minTick: positive(minTick),
        validExchanges: valid.split(",").filter((name) => name !== ""),
        underlyingConId: positive(underlying),
        zone,
        tradingHours,
        liquidHours
      })
}

/** The messages of one kind, in the order they came. */
const messagesOf = (payload: Uint8Array, messageId: number) =>
  Result.map(readAnswer(payload), ({ messages, serverVersion }) => ({
    serverVersion,
    messages: messages.filter(([id]) => Number(id) === messageId)
  }))

/** Every contract that fits; bonds, which have other fields, are left out. */
export const decodeContracts = (payload: Uint8Array): Decoded<ReadonlyArray<ContractDetails>> =>
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
      matches.push({ conId: id, symbol, secType, primaryExchange, currency, derivatives, description })
      at += 8 + kinds
    }
    return Result.succeed(matches)
  })

const chainOf = (fields: ReadonlyArray<string>): Decoded<OptionChain> => {
  const [, , exchange = "", underlying, tradingClass = "", multiplier = "", dates] = fields
  const expirations = fields.slice(7, 7 + Number(dates))
  const at = 7 + expirations.length
  const strikes = fields.slice(at + 1).map(Number)
  return expirations.length === Number(dates) && strikes.length === Number(fields[at]) && strikes.every(Number.isFinite)
    ? Result.succeed({
        exchange,
        underlyingConId: positive(underlying) ?? 0,
        tradingClass,
        multiplier,
        expirations,
        strikes
      })
    : Result.fail("a chain of options that is cut off")
}

export const decodeChains = (payload: Uint8Array): Decoded<ReadonlyArray<OptionChain>> =>
  Result.flatMap(messagesOf(payload, messageIds.optionParameters), ({ messages }) => Result.all(messages.map(chainOf)))

/** The first instant of which there is history. */
export const decodeHead = (payload: Uint8Array): Decoded<EpochMillis> =>
  Result.flatMap(messagesOf(payload, messageIds.headTimestamp), ({ messages }) => {
    const seconds = numberOf(messages.at(-1)?.[2])
    return seconds === null ? Result.fail("no instant") : Result.succeed(seconds * 1000)
  })
