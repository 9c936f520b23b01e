import type { ContractSpec, Leg } from "../market/contracts.ts"
import { type Instrument, minimumTick } from "../market/Instrument.ts"
import type { Fields } from "../wire/Fields.ts"
import { message } from "../wire/text.ts"
import { zoneName } from "../wire/zoned.ts"

/** The twelve fields that most requests name a contract with. */
export const readContract = (fields: Fields): ContractSpec => ({
  conId: fields.number(),
  symbol: fields.text(),
  secType: fields.text(),
  lastTrade: fields.text(),
  strike: fields.number(),
  right: fields.text(),
  multiplier: fields.text(),
  exchange: fields.text(),
  primaryExchange: fields.text(),
  currency: fields.text(),
  localSymbol: fields.text(),
  tradingClass: fields.text(),
  legs: []
})

/** The legs that follow a contract of the type BAG. */
export const readLegs = (fields: Fields, spec: ContractSpec): ContractSpec => {
  if (spec.secType !== "BAG") return spec
  const legs: Array<Leg> = []
  const count = Math.min(fields.int(), 100)
  for (let index = 0; index < count; index++) {
    legs.push({ conId: fields.number(), ratio: fields.number(), action: fields.text(), exchange: fields.text() })
  }
  return { ...spec, legs }
}

const orderTypes =
  "ACTIVETIM,AD,ADJUST,ALERT,ALLOC,AVGCOST,BASKET,COND,DAY,DEACT,FOK,GAT,GTC,GTD,GTT,IOC,LIT,LMT,LOC,MIT,MKT,MOC,REL,STP,STPLMT,TRAIL"

export const strikeText = ({ secType, strike }: Instrument): string | number => (secType === "OPT" ? strike : 0)

/** `CONTRACT_DATA`. Some of its fields are there from a version of the protocol on. */
export const contractDetails = (version: number, reqId: number, one: Instrument, now: number): string => {
  const identified = one.isin === "" ? ["0"] : ["1", "ISIN", one.isin]
  return message(
    10,
    reqId,
    one.symbol,
    one.secType,
    one.lastTrade,
    ...(version >= 182 ? [one.lastTrade] : []),
    strikeText(one),
    one.right,
    one.exchange,
    one.currency,
    one.localSymbol,
    one.marketName,
    one.tradingClass,
    one.conId,
    minimumTick(one),
    one.multiplier,
    orderTypes,
    one.validExchanges,
    1,
    one.underlying?.conId ?? 0,
    one.longName,
    one.primaryExchange,
    one.lastTrade.slice(0, 6),
    one.industry,
    one.category,
    one.subcategory,
    zoneName(one.hours.zone),
    one.hours.text(now, false),
    one.hours.text(now, true),
    "",
    "0",
    ...identified,
    one.secType === "OPT" || one.secType === "STK" ? 1 : 2147483647,
    one.underlying?.symbol ?? "",
    one.underlying?.secType ?? "",
    one.validExchanges
      .split(",")
      .map(() => one.marketRule)
      .join(","),
    one.lastTrade,
    one.stockType,
    one.secType === "STK" ? "0.0001" : "1",
    one.secType === "STK" ? "0.0001" : "1",
    one.secType === "STK" ? "100" : "1",
    ...(version >= 186 ? ["0"] : [])
  )
}

/** The eleven fields of a contract in positions. */
export const positionContract = (one: Instrument): ReadonlyArray<string | number> => [
  one.conId,
  one.symbol,
  one.secType,
  one.lastTrade,
  strikeText(one),
  one.right,
  one.multiplier
]
