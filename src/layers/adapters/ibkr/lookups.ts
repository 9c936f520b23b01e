/**
 * What a gateway can be asked beside rows: what a contract is, which there are of a name, which options there are of one, and since when there
 * is history. Requests like any others: through the archive, and answered from it for a day.
 */
import { Option, Schema } from "effect"
import type { VendorRequest } from "../../../services/Adapter.ts"
import { tickOf } from "./decodeQuote.ts"
import { fieldsOf, messageIds } from "./frames.ts"
import type { IbContract } from "./GatewayApi.ts"
import type { Question } from "./Question.ts"

const Contract = Schema.Record(Schema.String, Schema.Json)

/** By what is asked. `chain` is of an underlying that `contract` has identified. */
const lookups = {
  contract: Schema.Struct({ contract: Contract }),
  search: Schema.Struct({ pattern: Schema.String }),
  chain: Schema.Struct({ symbol: Schema.String, secType: Schema.String, conId: Schema.Int }),
  head: Schema.Struct({ contract: Contract, whatToShow: Schema.String, useRth: Schema.Boolean }),
  quote: Schema.Struct({ contract: Contract, genericTicks: Schema.String })
}

const requestOf = (kind: keyof typeof lookups, params: Schema.Json): VendorRequest => ({
  kind,
  method: "COMMAND",
  params,
  body: null,
  weight: 1,
  keys: {}
})

export const contractRequest = (contract: IbContract): VendorRequest =>
  requestOf("contract", { contract: { ...contract } })

export const searchRequest = (pattern: string): VendorRequest => requestOf("search", { pattern })

export const chainRequest = (symbol: string, secType: string, conId: number): VendorRequest =>
  requestOf("chain", { symbol, secType, conId })

/** Open interest is sent to who asks for it by its number. */
const openInterest = "101"

export const quoteRequest = (contract: IbContract, isOption: boolean): VendorRequest =>
  requestOf("quote", { contract: { ...contract }, genericTicks: isOption ? openInterest : "" })

export const headRequest = (contract: IbContract, whatToShow: string, useRth: boolean): VendorRequest =>
  requestOf("head", { contract: { ...contract }, whatToShow, useRth })

const read = <S extends Schema.Codec<unknown, unknown>>(schema: S, params: Schema.Json): S["Type"] | null =>
  Option.getOrNull(Schema.decodeUnknownOption(schema)(params))

/** Milliseconds for which ticks are waited for; snapshots, which end by themselves, have no open interest and take up to eleven seconds. */
const quoteWithin = 4_000

/** Ends with a message of its own. */
const endsWith =
  (end: number): Question["isLast"] =>
  (messageId) =>
    messageId === end

/** Null: no lookup. */
export const lookupQuestion = (request: Pick<VendorRequest, "kind" | "params">, within: number): Question | null => {
  const base = { line: "history", within } as const
  switch (request.kind) {
    case "contract": {
      const params = read(lookups.contract, request.params)
      return params === null
        ? null
        : {
            ...base,
            what: "a contract",
            messageIds: [messageIds.contractData, messageIds.bondContractData, messageIds.contractDataEnd],
            isLast: endsWith(messageIds.contractDataEnd),
            send: (api, id) => api.reqContractDetails(id, params.contract)
          }
    }
    case "search": {
      const params = read(lookups.search, request.params)
      return params === null
        ? null
        : {
            ...base,
            what: `contracts named ${params.pattern}`,
            messageIds: [messageIds.symbolSamples],
            isLast: () => true,
            send: (api, id) => api.reqMatchingSymbols(id, params.pattern)
          }
    }
    case "chain": {
      const params = read(lookups.chain, request.params)
      return params === null
        ? null
        : {
            ...base,
            what: `options of ${params.symbol}`,
            messageIds: [messageIds.optionParameters, messageIds.optionParametersEnd],
            isLast: endsWith(messageIds.optionParametersEnd),
            send: (api, id) => api.reqSecDefOptParams(id, params.symbol, "", params.secType, params.conId)
          }
    }
    case "head": {
      const params = read(lookups.head, request.params)
      return params === null
        ? null
        : {
            ...base,
            what: "the beginning of its history",
            messageIds: [messageIds.headTimestamp],
            // Of one number there may be an empty one first.
            isLast: (_, frame) => fieldsOf(frame).length > 2,
            send: (api, id) => api.reqHeadTimestamp(id, params.contract, params.whatToShow, params.useRth, 2),
            cancel: (api, id) => api.cancelHeadTimestamp(id)
          }
    }
    case "quote": {
      const params = read(lookups.quote, request.params)
      if (params === null) return null
      // What IB does not have never comes, and nothing says so.
      const wanted = new Set(
        params.genericTicks === "" ? ["bid", "ask", "close"] : ["bid", "ask", "model", "openInterest"]
      )
      return {
        ...base,
        within: Math.min(within, quoteWithin),
        endless: true,
        takes: "market-data",
        what: `a quote of ${params.contract.symbol ?? `contract ${params.contract.conId}`}`,
        messageIds: [
          messageIds.tickPrice,
          messageIds.tickSize,
          messageIds.optionComputation,
          messageIds.marketDataType
        ],
        isLast: (_, frame) => {
          const tick = tickOf(fieldsOf(frame))
          if (tick !== null) wanted.delete(tick)
          return wanted.size === 0
        },
        send: (api, id) => api.reqMktData(id, params.contract, params.genericTicks, false, false),
        cancel: (api, id) => api.cancelMktData(id)
      }
    }
    default:
      return null
  }
}
