/** Messages of live data. */

import type { ContractSpec } from "../market/contracts.ts"
import type { Fields } from "../wire/Fields.ts"
import { number } from "../wire/text.ts"
import { readContract, readLegs } from "./contract.ts"

export interface QuoteRequest {
  readonly reqId: number
  readonly spec: ContractSpec
  readonly generic: ReadonlyArray<string>
  readonly snapshot: boolean
}

export const readQuote = (fields: Fields): QuoteRequest => {
  fields.skip(1)
  const reqId = fields.int()
  const spec = readLegs(fields, readContract(fields))
  if (fields.flag()) fields.skip(3)
  const generic = fields.text().split(",")
  const snapshot = fields.flag()
  const regulatory = fields.flag()
  return { reqId, spec, generic, snapshot: snapshot || regulatory }
}

export const tickPrice = (reqId: number, type: number, price: number, size: number, mask: number): string =>
  `1\u00006\u0000${reqId}\u0000${type}\u0000${number(price)}\u0000${size}\u0000${mask}\u0000`

export const tickSize = (reqId: number, type: number, size: number): string =>
  `2\u00006\u0000${reqId}\u0000${type}\u0000${size}\u0000`

export const tickGeneric = (reqId: number, type: number, value: number): string =>
  `45\u00006\u0000${reqId}\u0000${type}\u0000${number(value)}\u0000`

export const tickString = (reqId: number, type: number, text: string): string =>
  `46\u00006\u0000${reqId}\u0000${type}\u0000${text}\u0000`

export const tickParameters = (reqId: number, tick: number, bbo: string): string =>
  `81\u0000${reqId}\u0000${number(tick)}\u0000${bbo}\u00003\u0000`

export const marketDataType = (reqId: number, type: number): string => `58\u00001\u0000${reqId}\u0000${type}\u0000`

export const snapshotEnd = (reqId: number): string => `57\u00001\u0000${reqId}\u0000`

export interface TickByTickRequest {
  readonly reqId: number
  readonly spec: ContractSpec
  readonly type: string
  readonly past: number
  readonly ignoreSize: boolean
}

export const readTickByTick = (fields: Fields): TickByTickRequest => ({
  reqId: fields.int(),
  spec: readContract(fields),
  type: fields.text(),
  past: fields.number(),
  ignoreSize: fields.flag()
})

/** `type` 1: of `Last`; 2: of `AllLast`. Times are seconds. */
export const tradeTick = (
  reqId: number,
  type: number,
  time: number,
  price: number,
  size: number,
  mask: number,
  exchange: string,
  conditions: string
): string =>
  `99\u0000${reqId}\u0000${type}\u0000${time}\u0000${price}\u0000${size}\u0000${mask}\u0000${exchange}\u0000${conditions}\u0000`

export const quoteTick = (
  reqId: number,
  time: number,
  bid: number,
  ask: number,
  bidSize: number,
  askSize: number
): string => `99\u0000${reqId}\u00003\u0000${time}\u0000${bid}\u0000${ask}\u0000${bidSize}\u0000${askSize}\u00000\u0000`

export const middleTick = (reqId: number, time: number, middle: number): string =>
  `99\u0000${reqId}\u00004\u0000${time}\u0000${middle}\u0000`
