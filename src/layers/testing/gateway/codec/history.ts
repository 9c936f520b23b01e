/** Requests for the past, and their answers. */
import type { ContractSpec } from "../market/contracts.ts"
import type { Fields } from "../wire/Fields.ts"
import { message } from "../wire/text.ts"
import { readContract, readLegs } from "./contract.ts"

/** Twelve fields and whether what has expired is meant, too. */
const readExpired = (fields: Fields): ContractSpec => {
  const spec = readContract(fields)
  fields.skip(1)
  return spec
}

export interface HistoryRequest {
  readonly reqId: number
  readonly spec: ContractSpec
  readonly end: string
  readonly barSize: string
  readonly duration: string
  readonly regular: boolean
  readonly what: string
  readonly epoch: boolean
  readonly keepUpToDate: boolean
}

export const readHistory = (fields: Fields): HistoryRequest => {
  const reqId = fields.int()
  const spec = readExpired(fields)
  const [end, barSize, duration] = [fields.text(), fields.text(), fields.text()]
  const regular = fields.flag()
  const what = fields.text()
  const epoch = fields.text() === "2"
  const legs = readLegs(fields, spec)
  return { reqId, spec: legs, end, barSize, duration, regular, what, epoch, keepUpToDate: fields.flag() }
}

export interface HistoricalTicksRequest {
  readonly reqId: number
  readonly spec: ContractSpec
  readonly start: string
  readonly end: string
  readonly count: number
  readonly what: string
  readonly regular: boolean
  readonly ignoreSize: boolean
}

export const readHistoricalTicks = (fields: Fields): HistoricalTicksRequest => ({
  reqId: fields.int(),
  spec: readExpired(fields),
  start: fields.text(),
  end: fields.text(),
  count: fields.int(),
  what: fields.text(),
  regular: fields.flag(),
  ignoreSize: fields.flag()
})

export interface HeadRequest {
  readonly reqId: number
  readonly spec: ContractSpec
  readonly epoch: boolean
}

export const readHead = (fields: Fields): HeadRequest => {
  const reqId = fields.int()
  const spec = readExpired(fields)
  fields.skip(2)
  return { reqId, spec, epoch: fields.text() === "2" }
}

/** A bar in prices, as the wire has it: without trades volume, mean price and count are -1. */
export interface WireBar {
  readonly time: string
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly mean: number
  readonly count: number
}

export const historicalData = (reqId: number, start: string, end: string, bars: ReadonlyArray<WireBar>): string => {
  const rows = bars.map(
    ({ close, count, high, low, mean, open, time, volume }) =>
      `${time}\u0000${open}\u0000${high}\u0000${low}\u0000${close}\u0000${volume}\u0000${mean}\u0000${count}\u0000`
  )
  return `${message(17, reqId, start, end, bars.length)}${rows.join("")}`
}

/** Open and close come before high and low here. */
export const historicalUpdate = (reqId: number, bar: WireBar): string =>
  message(90, reqId, bar.count, bar.time, bar.open, bar.close, bar.high, bar.low, bar.mean, bar.volume)

export const realTimeBar = (reqId: number, bar: WireBar): string =>
  message(50, 3, reqId, bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.mean, bar.count)

/** Rows of `id` 96 (middles), 97 (bids and asks) or 98 (trades); each row is its fields. */
export const historicalTicks = (id: 96 | 97 | 98, reqId: number, rows: ReadonlyArray<string>, done: boolean): string =>
  `${message(id, reqId, rows.length)}${rows.join("")}${done ? 1 : 0}\u0000`
